//! `clauth start`: ours stand before NAME, and everything after it is `claude`'s, byte for byte (design §7).

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clauth_engine::{Engine, Kind, SessionHandle};
use clauth_host::Env;

use super::{Call, bind};
use crate::args::takes_value;
use crate::child::{Child, Environment, Given, SECURE, Spec, Turn, find};
use crate::failure::Failure;

/// Run Claude Code as a profile in this terminal.
#[derive(clap::Args)]
#[command(
    override_usage = "clauth start [OPTIONS] NAME|- [ARGS…]\n       clauth start [OPTIONS] [--auto] -- [ARGS…]",
    after_help = "Options stand before NAME; everything after it goes to claude as it is.\n\
    Without NAME: the profile that is bound to the working directory.\n\nExample: clauth start work --version"
)]
pub(crate) struct Args {
    /// Keep variables that outrank the profile's login
    #[arg(long)]
    keep_env: bool,
    /// The enabled profile with the most room
    #[arg(long)]
    auto: bool,
    /// With none of your memory, plugins, hooks, skills and MCP servers
    #[arg(long)]
    isolated: bool,
}

/// Where our words end, and what follows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    /// How many words are ours.
    pub(crate) own: usize,
    /// The profile, or `-`.
    pub(crate) name: Option<OsString>,
    /// The child's words.
    pub(crate) rest: Vec<OsString>,
}

/// Everything that `start` was told.
pub(crate) struct StartWords {
    pub(crate) name: Option<OsString>,
    pub(crate) keep_env: bool,
    pub(crate) auto: bool,
    pub(crate) isolated: bool,
    /// The child's words, exactly as they were typed.
    pub(crate) rest: Vec<OsString>,
}

/// Finds the end of our words among those after `start`: the first that is no flag is NAME; without one the child's words
/// follow `--`.
pub(crate) fn split(words: &[OsString]) -> Split {
    let mut own = 0;
    while let Some(word) = words.get(own) {
        let after = || words.get(own + 1..).unwrap_or_default().to_vec();
        if word == "--" {
            return Split { own, name: None, rest: after() };
        }
        if word == "-" || !word.as_encoded_bytes().starts_with(b"-") {
            return Split { own, name: Some(word.clone()), rest: after() };
        }
        own += if takes_value(word) { 2 } else { 1 };
    }
    Split { own: words.len(), ..Split::default() }
}

impl StartWords {
    /// Joins what the parser of the command line understood with what it never saw.
    pub(crate) fn new(args: &Args, split: Split) -> Result<Self, Failure> {
        if let Some(name) = split.name.as_ref().filter(|_| args.auto) {
            let what = format!("--auto picks the profile, so '{}' cannot be it too", name.display());
            let next = ["clauth start --auto -- ARGS…", "clauth start NAME ARGS…"];
            return Err(Failure::new(Kind::Usage, what, "clauth start", &next));
        }
        let Args { keep_env, auto, isolated } = *args;
        Ok(Self { name: split.name, keep_env, auto, isolated, rest: split.rest })
    }
}

/// Runs `claude` and answers its exit code.
pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<u8, Failure> {
    let words = StartWords::new(args, call.split.clone().unwrap_or_default())?;
    let program = find(&call.engine.host)?;
    let engine = for_session(call);
    let name = profile(&words, call)?;
    let mut session = if words.isolated { engine.begin_isolated(&name)? } else { engine.begin(&name)? };
    let environment = environment(&session, &words, call);
    environment.tell("; --keep-env passes it on", call.ui);
    for over in session.overrides() {
        let name = session.profile();
        call.ui.warn(&format!("{over} outranks the login of '{name}': while it is set, claude uses that instead"));
    }
    let log = engine.log_path();
    call.ui.say_more(&format!("what goes wrong while claude has the terminal is written to {}", log.display()));
    let ended = live(&mut session, &Spec { program, args: words.rest, environment, aside: false }, call);
    // Whatever is found now, the child's end is what the caller asked for.
    session.end().iter().for_each(|notice| call.ui.warn(notice));
    ended
}

fn environment(session: &SessionHandle, words: &StartWords, call: &Call<'_>) -> Environment {
    let given = Given {
        config: session.config_dir(),
        store: session.store_dir(),
        profile: Some(session.profile()),
        token: session.setup_token(),
    };
    Environment::of_session(&outside(call.engine), &given, words.keep_env)
}

/// The environment without the store of the isolated session that this is a child of, if it is: it is nobody's to keep, and
/// nobody's to be told of.
fn outside(engine: &Engine) -> Env {
    let ours = |name: &str, value: &OsStr| name == SECURE && Path::new(value).starts_with(engine.root.path());
    let stays = engine.host.env.iter().filter(|(name, value)| !name.to_str().is_some_and(|name| ours(name, value)));
    stays.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The engine without the variable that moves the credential store: it is not passed on to the session, so it says nothing
/// about which home the session belongs to.
fn for_session(call: &Call<'_>) -> Engine {
    let mut engine = call.engine.clone();
    let stays = engine.host.env.iter().filter(|(name, _)| *name != SECURE);
    engine.host.env = stays.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    engine
}

/// The child's life: from here on its own, whatever becomes of us.
fn live(session: &mut SessionHandle, spec: &Spec, call: &Call<'_>) -> Result<u8, Failure> {
    let mut trouble = None;
    let mut heir = Some(session.inherit()?);
    let code = Child::run(spec, &mut |turn| match turn {
        Turn::Started(pid) => {
            // The child has it now; ours would only keep the lock while we tidy up.
            heir = None;
            trouble = session.started(pid).err();
        }
        Turn::Stopped => session.pause(),
        Turn::Continued => session.resume(),
    });
    if let Some(error) = trouble {
        call.ui.warn(&format!("the session could not be recorded: {error}"));
    }
    code
}

/// The profile that was meant.
fn profile(words: &StartWords, call: &Call<'_>) -> Result<String, Failure> {
    let Some(name) = &words.name else { return picked(words, call) };
    if name == "-" {
        return Ok(call.engine.previous()?);
    }
    match name.to_str() {
        Some(name) => Ok(call.engine.find(name)?),
        None => {
            let shown = name.to_string_lossy().into_owned();
            Err(Failure::new(Kind::NotFound, "a profile's name is plain text", shown, &["clauth list"]))
        }
    }
}

/// The profile that is picked where none was named.
fn picked(words: &StartWords, call: &Call<'_>) -> Result<String, Failure> {
    if words.auto {
        return Ok(roomiest(call)?);
    }
    let here = bind::working_directory(&call.engine.host.env);
    match here.as_deref().map(|dir| call.engine.binding_for(dir)).transpose()?.flatten() {
        Some(binding) => {
            call.ui.say(&format!("'{}', bound to {}", binding.profile, binding.dir.display()));
            Ok(call.engine.find(&binding.profile)?)
        }
        None => {
            let what = "no profile is named, and none is bound to this directory";
            let next = ["clauth start NAME", "clauth bind NAME", "clauth list"];
            Err(Failure::new(Kind::Nothing, what, "clauth start", &next))
        }
    }
}

/// The account with the most room, and by which figure.
fn roomiest(call: &Call<'_>) -> Result<String, clauth_engine::Error> {
    let found = call.engine.roomiest()?;
    let since = |at| format!(", as of {}", clauth_engine::seconds(at));
    let as_of = if found.fresh { String::new() } else { found.as_of.map_or_else(String::new, since) };
    call.ui.say(&format!(
        "'{}' has the most room: {:.0} % of its {} are used{as_of}",
        found.name, found.percent, found.window
    ));
    Ok(found.name)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Manner;

    #[derive(clap::Parser)]
    struct Probe {
        #[command(flatten)]
        manner: Manner,
        #[command(subcommand)]
        command: Start,
    }

    #[derive(clap::Subcommand)]
    enum Start {
        Start(Args),
    }

    /// As the whole program does it, with `before` standing before the command.
    fn words(before: &[&str], after: &[&str]) -> Option<(StartWords, Manner)> {
        let after: Vec<OsString> = after.iter().map(OsString::from).collect();
        let split = split(&after);
        let ours = after.iter().take(split.own).cloned();
        let argv = ["clauth"].iter().chain(before).chain(&["start"]).map(OsString::from).chain(ours);
        let probe = Probe::try_parse_from(argv).ok()?;
        let Start::Start(args) = probe.command;
        StartWords::new(&args, split).ok().map(|words| (words, probe.manner))
    }

    /// What was understood, in short: our flags, NAME, and the child's words.
    fn shown(words: Option<(StartWords, Manner)>) -> Option<(String, Option<String>, Vec<String>)> {
        let (words, manner) = words?;
        let text = |word: OsString| word.to_string_lossy().into_owned();
        let flags = [
            ("keep-env", words.keep_env),
            ("auto", words.auto),
            ("isolated", words.isolated),
            ("json", manner.json),
            ("quiet", manner.quiet),
            ("yes", manner.yes),
            ("verbose", manner.verbose == 2),
            ("never", manner.color == crate::args::Color::Never),
        ];
        let flags: Vec<&str> = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
        Some((flags.join(" "), words.name.map(text), words.rest.into_iter().map(text).collect()))
    }

    #[test]
    fn ours_stand_before_the_name_and_all_else_is_claudes() {
        type Row<'a> = (&'a str, &'a [&'a str], &'a str, Option<&'a str>, &'a [&'a str]);
        let rows: [Row<'_>; 25] = [
            ("nothing", &[], "", None, &[]),
            ("a name", &["work"], "", Some("work"), &[]),
            ("the one before", &["-"], "", Some("-"), &[]),
            ("words", &["work", "-p", "hi"], "", Some("work"), &["-p", "hi"]),
            ("our flag", &["--keep-env", "work"], "keep-env", Some("work"), &[]),
            ("our flags", &["--keep-env", "--yes", "work"], "keep-env yes", Some("work"), &[]),
            ("ours after the name is claude's", &["work", "--keep-env"], "", Some("work"), &["--keep-env"]),
            ("help is claude's", &["work", "--help"], "", Some("work"), &["--help"]),
            ("version is claude's", &["work", "--version"], "", Some("work"), &["--version"]),
            ("json is claude's", &["work", "--json", "-q"], "", Some("work"), &["--json", "-q"]),
            ("json is ours", &["--json", "work"], "json", Some("work"), &[]),
            ("short ones are ours", &["-qvv", "work", "-v"], "quiet verbose", Some("work"), &["-v"]),
            ("a value is no name", &["--color", "never", "work"], "never", Some("work"), &[]),
            ("a value that looks like a flag's end", &["--color=never", "work"], "never", Some("work"), &[]),
            ("two dashes are claude's", &["work", "--", "x"], "", Some("work"), &["--", "x"]),
            ("two dashes alone are claude's", &["work", "--"], "", Some("work"), &["--"]),
            ("two dashes for a name", &["--", "-p", "hi"], "", None, &["-p", "hi"]),
            ("only the first two dashes are ours", &["--", "--", "x"], "", None, &["--", "x"]),
            ("a name after two dashes is claude's", &["--", "work"], "", None, &["work"]),
            ("flags and two dashes", &["--keep-env", "--yes", "--", "-c"], "keep-env yes", None, &["-c"]),
            ("auto", &["--auto", "--", "-c"], "auto", None, &["-c"]),
            ("isolated", &["--isolated", "work", "--isolated"], "isolated", Some("work"), &["--isolated"]),
            ("empty words", &["work", "", "--", ""], "", Some("work"), &["", "--", ""]),
            ("an empty name", &["", "x"], "", Some(""), &["x"]),
            ("a name of two words", &["my work", "start"], "", Some("my work"), &["start"]),
        ];
        for (name, typed, flags, profile, rest) in rows {
            let rest = rest.iter().map(|word| (*word).to_owned()).collect();
            let expected = Some((flags.to_owned(), profile.map(str::to_owned), rest));
            assert_eq!(shown(words(&[], typed)), expected, "{name}");
        }
        let before = shown(words(&["--json", "--color", "never"], &["--yes", "work", "--json"]));
        assert_eq!(before, Some(("json yes never".into(), Some("work".into()), vec!["--json".into()])), "flags before");
    }

    #[test]
    fn what_is_neither_ours_nor_after_a_name_is_refused() {
        for (name, typed) in [
            ("claude's flag without two dashes", &["-p", "hi"][..]),
            ("a flag of nobody", &["--nope", "work"]),
            ("a bad colour", &["--color", "green", "work"]),
            ("a missing colour", &["--color"]),
            ("auto and a name", &["--auto", "work"]),
            ("auto and the one before", &["--auto", "-"]),
            ("a value for a switch", &["--isolated=yes", "work"]),
        ] {
            assert!(words(&[], typed).is_none(), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_carried() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = || OsStr::from_bytes(b"\xff\x80").to_owned();
        let split = split(&["--isolated".into(), odd(), odd(), "-".into()]);
        assert_eq!(split, Split { own: 1, name: Some(odd()), rest: vec![odd(), "-".into()] });
    }
}
