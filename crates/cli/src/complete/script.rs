//! The scripts, and the line that makes a shell load one.

use std::path::PathBuf;

use clauth_host::Host;

use crate::shell::Shell;

/// The whole script.
pub(crate) fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("bash.sh"),
        Shell::Zsh => include_str!("zsh.zsh"),
        Shell::Fish => include_str!("fish.fish"),
        Shell::Pwsh => include_str!("pwsh.ps1"),
    }
}

/// The line that loads the script; nothing happens where clauth is gone.
pub(crate) fn line(shell: Shell) -> String {
    match shell {
        Shell::Bash | Shell::Zsh => {
            format!("if command -v clauth >/dev/null; then eval \"$(clauth completions {})\"; fi", shell.word())
        }
        Shell::Fish => "command -q clauth; and clauth completions fish | source".into(),
        Shell::Pwsh => {
            "if (Get-Command clauth -ErrorAction Ignore) { clauth completions pwsh | Out-String | Invoke-Expression }"
                .into()
        }
    }
}

/// The line above it.
pub(crate) fn comment(shell: Shell) -> String {
    format!("# Completion for clauth; `clauth completions remove {}` takes this out.", shell.word())
}

/// The file that the shell reads when it starts, or for fish when it first completes `clauth`.
pub(crate) fn file(shell: Shell, host: &Host) -> PathBuf {
    let config = || host.env.path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let config = || config().unwrap_or_else(|| host.home.join(".config"));
    match shell {
        // A terminal on macOS starts login shells, which read this one.
        Shell::Bash if cfg!(target_os = "macos") => host.home.join(".bash_profile"),
        Shell::Bash => host.home.join(".bashrc"),
        Shell::Zsh => {
            let dir = host.env.path("ZDOTDIR").filter(|path| path.is_absolute());
            dir.unwrap_or_else(|| host.home.clone()).join(".zshrc")
        }
        Shell::Fish => config().join("fish").join("completions").join("clauth.fish"),
        Shell::Pwsh if cfg!(windows) => {
            host.home.join("Documents").join("PowerShell").join("Microsoft.PowerShell_profile.ps1")
        }
        Shell::Pwsh => config().join("powershell").join("Microsoft.PowerShell_profile.ps1"),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn each_shell_has_its_file() {
        let host = |env: &[(&str, &str)]| {
            let all = [("HOME", "/h")].iter().chain(env).copied();
            Host::from_env(all.collect()).expect("a host")
        };
        let bash = if cfg!(target_os = "macos") { "/h/.bash_profile" } else { "/h/.bashrc" };
        let profile = "powershell/Microsoft.PowerShell_profile.ps1";
        for (name, shell, env, expected) in [
            ("bash", Shell::Bash, &[][..], bash.to_owned()),
            ("zsh", Shell::Zsh, &[], "/h/.zshrc".to_owned()),
            ("zsh elsewhere", Shell::Zsh, &[("ZDOTDIR", "/z")], "/z/.zshrc".to_owned()),
            ("zsh nowhere", Shell::Zsh, &[("ZDOTDIR", "z")], "/h/.zshrc".to_owned()),
            ("fish", Shell::Fish, &[], "/h/.config/fish/completions/clauth.fish".to_owned()),
            ("fish elsewhere", Shell::Fish, &[("XDG_CONFIG_HOME", "/c")], "/c/fish/completions/clauth.fish".to_owned()),
            ("PowerShell", Shell::Pwsh, &[], format!("/h/.config/{profile}")),
        ] {
            assert_eq!(file(shell, &host(env)), PathBuf::from(expected), "{name}");
        }
    }

    #[test]
    fn each_script_asks_by_the_hidden_command() {
        for shell in Shell::value_variants() {
            assert!(script(*shell).contains(&format!("clauth __complete {}", shell.word())), "{shell:?}");
            assert!(line(*shell).contains(&format!("clauth completions {}", shell.word())), "{shell:?}");
        }
    }
}
