//! One file a command: its words beside what it does with them.

mod add;
mod adopt;
mod bind;
mod capture;
mod completions;
mod config;
mod custody;
mod diff;
mod doctor;
mod enable;
mod hook;
mod key;
mod list;
mod login;
mod order;
mod refresh;
mod remove;
mod rename;
mod sessions;
pub(crate) mod start;
mod statusline;
mod switch;
mod undo;
mod uninstall;
mod usage;
mod vault;
mod which;
mod why;

#[cfg(feature = "demo")]
mod demo;

pub(crate) use bind::working_directory;
use clap::Subcommand;
use clauth_engine::{Engine, Open};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::ui::Ui;

/// What a command works with.
pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) ui: &'a Ui,
    /// What stands behind the words of `start`.
    pub(crate) split: Option<start::Split>,
}

/// Defines the commands, and how one of them is defined without the others.
macro_rules! commands {
    ($($(#[$on:meta])* $command:ident($args:path) = $name:expr,)*) => {
        /// The commands, in the order of a day's use.
        #[derive(Subcommand)]
        pub(crate) enum Command {
            $($(#[$on])* #[command(name = $name)] $command($args),)*
        }

        impl Command {
            /// The definition of one command alone.
            pub(crate) fn alone(name: &str) -> Option<clap::Command> {
                $($(#[$on])* if name == $name {
                    return Some(<$args as clap::Args>::augment_args(clap::Command::new($name)));
                })*
                None
            }
        }
    };
}

commands! {
    Capture(capture::Args) = "capture",
    Login(login::Args) = "login",
    Add(add::Args) = "add",
    Switch(switch::Args) = "switch",
    Start(start::Args) = "start",
    Undo(undo::Args) = "undo",
    List(list::Args) = "list",
    Usage(usage::Args) = "usage",
    Statusline(statusline::Args) = "statusline",
    Which(which::Args) = "which",
    Why(why::Args) = "why",
    Custody(custody::Args) = "custody",
    Sessions(sessions::Args) = "sessions",
    Vault(vault::Args) = "vault",
    Refresh(refresh::Args) = "refresh",
    Rename(rename::Args) = "rename",
    Remove(remove::Args) = "remove",
    Enable(enable::Args) = "enable",
    Disable(enable::DisableArgs) = "disable",
    Order(order::Args) = "order",
    Bind(bind::Args) = "bind",
    Unbind(bind::UnbindArgs) = "unbind",
    Hook(hook::Args) = "hook",
    Config(config::Args) = "config",
    Completions(completions::Args) = "completions",
    Doctor(doctor::Args) = "doctor",
    Uninstall(uninstall::Args) = "uninstall",
    Complete(completions::CompleteArgs) = "__complete",
    Adopt(adopt::Args) = "adopt",
    Key(key::Args) = clauth_engine::KEY_COMMAND,
    #[cfg(feature = "demo")]
    Demo(demo::Args) = "demo",
}

/// Carries a command out and answers its exit code; none means `list`.
pub(crate) fn run(command: Option<Command>, call: &Call<'_>) -> Result<u8, Failure> {
    let command = command.unwrap_or(Command::List(list::Args {}));
    if !command.looks() {
        return carry_out(command, call);
    }
    let done = carry_out(command, call);
    call.tell_unfinished();
    done
}

fn carry_out(command: Command, call: &Call<'_>) -> Result<u8, Failure> {
    let done = match command {
        Command::Capture(args) => capture::run(&args, call),
        Command::Login(args) => login::run(&args, call),
        Command::Add(args) => add::run(&args, call),
        Command::Switch(args) => switch::run(&args, call),
        Command::Start(args) => return start::run(&args, call),
        Command::Undo(args) => undo::run(&args, call),
        Command::List(_) => list::run(call),
        Command::Usage(args) => usage::run(&args, call),
        Command::Statusline(args) => statusline::run(&args, call),
        Command::Which(_) => which::run(call),
        Command::Why(args) => why::run(&args, call),
        Command::Sessions(_) => sessions::run(call),
        Command::Custody(args) => custody::run(&args, call),
        Command::Vault(args) => vault::run(args, call),
        Command::Refresh(args) => refresh::run(&args, call),
        Command::Rename(args) => rename::run(&args, call),
        Command::Remove(args) => remove::run(&args, call),
        Command::Enable(args) => enable::run(&args.name, true, call),
        Command::Disable(args) => enable::run(&args.name, false, call),
        Command::Order(args) => order::run(&args, call),
        Command::Bind(args) => bind::run(&args, call),
        Command::Unbind(args) => bind::unbind(&args, call),
        Command::Hook(args) => hook::run(&args, call),
        Command::Config(args) => config::run(&args, call),
        Command::Doctor(args) => doctor::run(&args, call),
        Command::Uninstall(args) => uninstall::run(&args, call),
        Command::Completions(args) => completions::run(&args, call),
        Command::Complete(args) => completions::complete(&args, call),
        Command::Adopt(args) => adopt::run(&args, call),
        Command::Key(args) => key::run(&args, call),
        #[cfg(feature = "demo")]
        Command::Demo(_) => return demo::run(call),
    };
    done.map(|()| 0)
}

impl Command {
    /// Whether it only looks, and has to say so when a change is unfinished (W8). What prints for a shell or a status line
    /// says nothing beside it, and `doctor` has a finding of its own.
    fn looks(&self) -> bool {
        match self {
            Self::List(_) | Self::Usage(_) | Self::Which(_) | Self::Why(_) | Self::Sessions(_) | Self::Custody(_) => {
                true
            }
            Self::Switch(args) => args.dry_run,
            Self::Undo(args) => args.dry_run,
            Self::Order(args) => args.name.is_none(),
            Self::Bind(args) => args.name.is_none(),
            Self::Vault(args) => args.looks(),
            Self::Config(args) => args.looks(),
            _ => false,
        }
    }
}

impl Call<'_> {
    /// Says what is unfinished, and what finishes it.
    fn tell_unfinished(&self) {
        let Ok(Some(open)) = self.engine.unfinished() else { return };
        self.ui.warn(&match open {
            Open::UnderWay(change, process) => {
                let at = clauth_engine::seconds(change.at);
                format!("{} that began at {at} is under way in process {process}", change.phrase())
            }
            Open::Interrupted(change) => format!(
                "{} was interrupted at {}; the next command that acts finishes it, or: clauth doctor --fix",
                change.phrase(),
                clauth_engine::seconds(change.at)
            ),
        });
    }

    /// Why a login that was kept is unproven (O3).
    fn unproven(&self) -> String {
        let asked = self.engine.config().and_then(|config| config.network()).unwrap_or(true);
        let why = if asked { "the profile endpoint did not answer" } else { "the network is off" };
        format!("whose login it is was not confirmed: {why}")
    }

    /// Answers a command that changed something, or had nothing to change: a sentence for people, `own` fields and those
    /// of every such answer for programs.
    pub(crate) fn answer(&self, done: &Done<'_>, sentence: &str, own: &Value) -> Result<(), Failure> {
        let mut document = json!({
            "schema": 1, "changed": done.changed, "done": done.command, "profile": done.profile,
            "warnings": done.warnings,
        });
        for (key, value) in own.as_object().into_iter().flatten() {
            document[key] = value.clone();
        }
        if self.ui.json {
            return self.ui.document(&document);
        }
        self.ui.print(&format!("{sentence}\n"))?;
        done.warnings.iter().for_each(|warning| self.ui.warn(warning));
        Ok(())
    }
}

/// What every state-changing command answers (`contract.md`).
pub(crate) struct Done<'a> {
    pub(crate) command: &'static str,
    pub(crate) profile: Option<&'a str>,
    pub(crate) changed: bool,
    pub(crate) warnings: &'a [String],
}

/// Where the user's clock stands.
pub(crate) fn zone(engine: &Engine) -> jiff::tz::TimeZone {
    let named = engine.host.env.text("TZ").and_then(|name| jiff::tz::TimeZone::get(name).ok());
    let set = || engine.config().and_then(|config| config.zone()).ok().flatten();
    named.or_else(set).unwrap_or_else(jiff::tz::TimeZone::system)
}

/// A time for programs.
pub(crate) fn time(at: Option<jiff::Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.to_string().into())
}

/// Says that there are no profiles, and what to do about it: make one, or list those again whose list is gone.
fn none_yet(call: &Call<'_>) {
    match call.engine.lost_names().as_deref() {
        Ok([_, ..]) => {
            call.ui.warn("the list of profiles is gone, but their directories are there; to list them again: clauth doctor --fix");
        }
        _ => call.ui.say("there are no profiles yet; sign in with `claude auth login`, then: clauth capture NAME"),
    }
}
