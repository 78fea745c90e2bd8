//! `clauth completions`, and the hidden `__complete` that its scripts ask.

use std::ffi::OsString;

use clap::ValueEnum;
use clauth_engine::{Kind, Piece, Taken};
use serde_json::json;

use super::{Call, Done};
use crate::complete::{answers, comment, file, line, script};
use crate::failure::Failure;
use crate::shell::Shell;

/// Completion of commands, options and profiles in your shell.
#[derive(clap::Args)]
#[command(
    override_usage = "clauth completions bash|zsh|fish|pwsh\n       clauth completions install|remove [SHELL]",
    after_help = "With a shell: print its script. install: show the line that loads it, ask, and put\n\
    it where the shell reads it; remove takes it out again, to the letter.\n\n\
    By hand, for bash in ~/.bashrc and for zsh in ~/.zshrc:\n  \
    eval \"$(clauth completions bash)\"\n\
    fish, in ~/.config/fish/completions/clauth.fish:\n  \
    clauth completions fish | source\n\
    PowerShell, in $PROFILE:\n  \
    clauth completions pwsh | Out-String | Invoke-Expression\n\n\
    Example: clauth completions bash"
)]
pub(crate) struct Args {
    /// A shell, install or remove
    #[arg(value_enum)]
    what: What,
    /// The shell to install for; without it, that of $SHELL
    #[arg(value_enum)]
    shell: Option<Shell>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "powershell")]
    Pwsh,
    Install,
    Remove,
}

/// Answer what a shell may complete.
#[derive(clap::Args)]
#[command(
    hide = true,
    after_help = "Without words: the names of the profiles, one a line.\n\nExample: clauth __complete"
)]
pub(crate) struct CompleteArgs {
    /// The shell that asks
    #[arg(value_enum)]
    shell: Option<Shell>,
    /// The words up to the cursor
    #[arg(last = true)]
    words: Vec<OsString>,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let own = match args.what {
        What::Install => return install(args.shell, call),
        What::Remove => return remove(args.shell, call),
        What::Bash => Shell::Bash,
        What::Zsh => Shell::Zsh,
        What::Fish => Shell::Fish,
        What::Pwsh => Shell::Pwsh,
    };
    if args.shell.is_some() {
        let next = format!("clauth completions {}", own.word());
        return Err(Failure::new(Kind::Usage, "one shell at a time", "clauth completions", &[&next]));
    }
    if call.ui.json {
        return call.ui.document(&json!({"schema": 1, "shell": own.word(), "script": script(own)}));
    }
    call.ui.print(script(own))
}

/// Answers a shell; whatever is wrong, it gets nothing rather than an error between the user's words.
pub(super) fn complete(args: &CompleteArgs, call: &Call<'_>) -> Result<(), Failure> {
    let Some(shell) = args.shell else {
        let names = call.engine.names().unwrap_or_default();
        return call.ui.print(&names.iter().map(|name| format!("{name}\n")).collect::<String>());
    };
    let mut words: Vec<String> = args.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // PowerShell's script puts a sign before the last word.
    if let Some(word) = words.last_mut().filter(|_| shell == Shell::Pwsh) {
        *word = word.strip_prefix('=').unwrap_or(word).to_owned();
    }
    let all = answers(shell, &words, call.engine);
    call.ui.print(&all.iter().map(|one| format!("{}\n", one.line())).collect::<String>())
}

fn install(shell: Option<Shell>, call: &Call<'_>) -> Result<(), Failure> {
    let shell = chosen(shell, call)?;
    let (path, line, by) = (file(shell, &call.engine.host), line(shell), by(shell));
    let shown = path.display().to_string();
    let own = json!({"shell": shell.word(), "file": shown, "line": line});
    let stands = call.engine.integrations()?.iter().any(|one| one.by == by && one.file == path);
    if !stands {
        call.ui.say(&format!("this line goes to the end of {shown}:"));
        call.ui.say(&format!("  {line}"));
        if !call.ui.confirms("Put it there?") {
            let again = format!("clauth completions install {} --yes", shell.word());
            let what = "nothing was installed, since nobody said yes";
            return Err(Failure::new(Kind::Protected, what, shown, &[&again, "or put that line there by hand"]));
        }
    }
    let piece = Piece::Lines { file: path, comment: comment(shell), line };
    let installed = call.engine.put_outside(&by, &[piece])?;
    let sentence = match (installed.changed, installed.by_hand.is_empty()) {
        (true, _) => format!("{} completes clauth from the next shell on: {shown}", shell.word()),
        (false, true) => format!("it is installed already: {shown}"),
        (false, false) => format!("the line is in {shown} already, put there by hand"),
    };
    let done = Done { command: "completions", profile: None, changed: installed.changed, warnings: &[] };
    call.answer(&done, &sentence, &own)
}

fn remove(shell: Option<Shell>, call: &Call<'_>) -> Result<(), Failure> {
    let meant = |name: &str| match shell {
        Some(shell) => name == by(shell),
        None => Shell::value_variants().iter().any(|shell| name == by(*shell)),
    };
    let taken = call.engine.take_out(&|one| meant(&one.by))?;
    let files = |stays: bool| taken.iter().filter(move |one| one.stays.is_some() == stays);
    let went: Vec<String> = files(false).map(|one| one.what.file.display().to_string()).collect();
    let warn = |one: &Taken| format!("{}: {}", one.what.file.display(), one.stays.unwrap_or_default());
    let warnings: Vec<String> = files(true).map(warn).collect();
    let sentence = match (went.is_empty(), taken.is_empty()) {
        (false, _) => format!("taken out of {}", went.join(", ")),
        (true, false) => "nothing of it was left".to_owned(),
        (true, true) => "no completion is installed".to_owned(),
    };
    let done = Done { command: "completions", profile: None, changed: !taken.is_empty(), warnings: &warnings };
    call.answer(&done, &sentence, &json!({"files": went}))
}

/// The command as the record names it.
fn by(shell: Shell) -> String {
    format!("completions {}", shell.word())
}

/// The shell that was named, else the user's.
fn chosen(shell: Option<Shell>, call: &Call<'_>) -> Result<Shell, Failure> {
    let named = call.engine.host.env.path("SHELL");
    let of_path = |path: &std::path::Path| Shell::from_str(path.file_stem()?.to_str()?, true).ok();
    let windows = cfg!(windows).then_some(Shell::Pwsh);
    shell.or_else(|| named.as_deref().and_then(of_path).or(windows)).ok_or_else(|| {
        let what = match &named {
            Some(path) => format!("there is no completion for {}", path.display()),
            None => "$SHELL does not say which shell is yours".to_owned(),
        };
        let next = ["name one: clauth completions install bash|zsh|fish|pwsh"];
        Failure::new(Kind::Usage, what, "$SHELL", &next)
    })
}
