//! Help is what the reference quotes, and its examples work.

use clauth_sandbox::Account;

use crate::stage::Stage;

/// Every command that can be typed, with what `--help` prints for it.
fn commands() -> Vec<(Vec<String>, String)> {
    fn walk(command: &mut clap::Command, above: &[String], all: &mut Vec<(Vec<String>, String)>) {
        all.push((above.to_vec(), command.clone().render_help().to_string()));
        for child in command.get_subcommands_mut() {
            let path: Vec<String> = above.iter().cloned().chain([child.get_name().to_owned()]).collect();
            walk(child, &path, all);
        }
    }
    let mut command = clauth::command();
    command.build();
    let mut all = Vec::new();
    walk(&mut command, &[], &mut all);
    all
}

#[test]
fn both_flags_print_the_same_help() {
    let stage = Stage::new("h-same");
    for (path, _) in commands() {
        let words = |flag: &'static str| path.iter().map(String::as_str).chain([flag]).collect::<Vec<_>>();
        let (long, short) = (stage.run(&words("--help")).success().stdout, stage.run(&words("-h")).success().stdout);
        assert_eq!(long, short, "{path:?}");
        assert!(long.lines().count() <= 40 && long.lines().all(|line| line.chars().count() <= 80), "{path:?}: {long}");
    }
}

#[test]
fn every_example_works() {
    for (path, help) in commands() {
        let example = help.lines().find_map(|line| line.strip_prefix("Example: clauth"));
        let example = example.unwrap_or_else(|| panic!("{path:?} has no example: {help}"));
        let mut words: Vec<String> = example.split_whitespace().map(str::to_owned).collect();
        let stage = stage_for_examples();
        let id = stage.json(&["vault"])["vault"][0]["id"].as_str().expect("an entry").to_owned();
        // An entry's id is another one each time.
        words.iter_mut().filter(|word| word.starts_with("2026")).for_each(|word| word.clone_from(&id));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = stage.command(&words);
        command.env("FAKE_LOGIN_ACCOUNT", "A");
        let input = stage.world.home().join("input");
        std::fs::write(&input, "sk-FAKE-KEY\n").expect("an input");
        command.stdin(std::fs::File::open(&input).expect("an input"));
        let _ = crate::stage::finish(command).success();
    }
}

/// Profiles with the names that the examples use, one login in the vault, a switch to take back, and a `claude` in which
/// the first account signs in; and a claude-swap store.
fn stage_for_examples() -> Stage {
    let stage = Stage::new("h-examples");
    let _ = stage.world.install_claude(std::path::Path::new(crate::stage::PROGRAM)).expect("a claude");
    for (account, name) in [(Account::a(), "work"), (Account::b(), "home"), (Account::c(), "spare")] {
        stage.sign_in(&account);
        stage.ok(&["capture", name]);
    }
    stage.sign_in(&Account::new('D'));
    let other = clauth_sandbox::Login::new(&Account::new('E'), clauth_sandbox::Pair::new("E", 1));
    stage.world.swap_store(&[other]);
    stage.ok(&["switch", "home"]);
    stage.ok(&["switch", "work"]);
    stage
}

#[test]
fn the_version_is_the_packages() {
    let stage = Stage::new("h-version");
    assert_eq!(stage.run(&["--version"]).success().stdout, format!("clauth {}\n", env!("CARGO_PKG_VERSION")));
}
