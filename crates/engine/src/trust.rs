//! The certificates that a user's environment names, read when the first request of the process needs them.

use std::path::Path;

use clauth_anthropic::Trust;
use clauth_durable::Disk;
use clauth_host::Env;

/// The certificates that take the place of the system's: a file, and directories.
const FILE: &str = "SSL_CERT_FILE";
const DIRECTORIES: &str = "SSL_CERT_DIR";

/// The certificates that Claude Code trusts beside the system's; so must we, or the two would disagree about a network.
const BESIDE: &str = "NODE_EXTRA_CA_CERTS";

/// No bundle of certificates is larger.
const LARGEST: u64 = 16 << 20;

/// No directory of certificates holds more.
const MOST: usize = 4096;

/// What the environment names. A file that cannot be read holds none; `doctor` names it.
pub(crate) fn of_environment(env: &Env, disk: &Disk) -> Trust {
    let read = |path: &Path| disk.vfs.read(path, LARGEST).ok();
    let mut instead = (env.get(FILE).is_some() || env.get(DIRECTORIES).is_some()).then(Vec::new);
    if let Some(instead) = &mut instead {
        instead.extend(env.path(FILE).and_then(|path| read(&path)));
        for directory in env.get(DIRECTORIES).map(std::env::split_paths).into_iter().flatten() {
            let mut names = disk.list(&directory).unwrap_or_default();
            names.sort_unstable();
            instead.extend(names.iter().take(MOST).filter_map(|name| read(&directory.join(name))));
        }
    }
    Trust { instead, beside: env.path(BESIDE).and_then(|path| read(&path)).into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_trusted_row_by_row() {
        let world = clauth_sandbox::World::new("trust");
        let disk = Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        let root = world.root();
        let (one, two, many) = (root.join("one.pem"), root.join("two.pem"), root.join("many"));
        disk.ensure_dir(&many).expect("a directory");
        for (path, text) in [(&one, "ONE"), (&two, "TWO"), (&many.join("b"), "B"), (&many.join("a"), "A")] {
            disk.replace(path, text.as_bytes(), clauth_durable::Mode::Private).expect("written");
        }
        let missing = root.join("missing");
        let path = |path: &Path| path.to_str().expect("a path").to_owned();
        let both = std::env::join_paths([&missing, &many]).expect("paths").into_string().expect("a text");
        type Row<'r> = (&'r str, Vec<(&'r str, String)>, Option<&'r [&'r str]>, &'r [&'r str]);
        let rows: [Row<'_>; 7] = [
            ("nothing is named", vec![], None, &[]),
            ("empty names", vec![(FILE, String::new()), (BESIDE, String::new())], None, &[]),
            ("a file", vec![(FILE, path(&one))], Some(&["ONE"]), &[]),
            ("directories", vec![(DIRECTORIES, both)], Some(&["A", "B"]), &[]),
            ("beside", vec![(BESIDE, path(&two))], None, &["TWO"]),
            (
                "all",
                vec![(FILE, path(&one)), (DIRECTORIES, path(&many)), (BESIDE, path(&two))],
                Some(&["ONE", "A", "B"]),
                &["TWO"],
            ),
            ("what is not there", vec![(FILE, path(&missing)), (BESIDE, path(&missing))], Some(&[]), &[]),
        ];
        let bytes = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        for (name, env, instead, beside) in rows {
            let trust = of_environment(&env.into_iter().collect(), &disk);
            assert_eq!((trust.instead, trust.beside), (instead.map(bytes), bytes(beside)), "{name}");
        }
    }
}
