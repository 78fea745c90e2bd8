//! `clauth hook`.

use clauth_engine::Kind;
use serde_json::json;

use super::Call;
use crate::failure::Failure;
use crate::shell::Shell;

/// Print a shell hook that keeps CLAUTH_PROFILE for your prompt.
#[derive(clap::Args)]
#[command(after_help = "CLAUTH_PROFILE is the profile whose login `claude` uses in that shell, as of the\n\
    last command of clauth. No process is started for a prompt.\n\n\
    bash, in ~/.bashrc:            eval \"$(clauth hook bash)\"\n\
    zsh, in ~/.zshrc:              eval \"$(clauth hook zsh)\"\n\
    fish, in config.fish:          clauth hook fish | source\n\
    PowerShell, in $PROFILE:       clauth hook pwsh | Out-String | iex\n\nExample: clauth hook bash")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let root = call.engine.root.path();
    let Some(root) = root.to_str() else {
        let next = ["move it, and say where it is: CLAUTH_HOME=/path"];
        let shown = root.display().to_string();
        return Err(Failure::new(
            Kind::Usage,
            "the path of clauth's root is no text, so no script can name it",
            shown,
            &next,
        ));
    };
    let text = text(args.shell, root);
    if call.ui.json {
        return call.ui.document(&json!({"schema": 1, "hook": text}));
    }
    call.ui.print(&text)
}

fn text(shell: Shell, root: &str) -> String {
    let script = match shell {
        Shell::Bash => include_str!("../hook/bash.sh"),
        Shell::Zsh => include_str!("../hook/zsh.zsh"),
        Shell::Fish => include_str!("../hook/fish.fish"),
        Shell::Pwsh => include_str!("../hook/pwsh.ps1"),
    };
    script.replace("@ROOT@", &shell.quoted(root))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn each_hook_names_the_root() {
        for shell in Shell::value_variants() {
            let text = text(*shell, "/the root");
            assert!(text.contains(&shell.quoted("/the root")) && !text.contains("@ROOT@"), "{shell:?}");
        }
    }
}
