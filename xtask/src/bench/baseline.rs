//! The least that a switch could do: replace and sync as many files, in a process of its own.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Bytes of one file; a credentials file is about as long.
const CONTENT: [u8; 1024] = [b'x'; 1024];

/// How many files of which kind.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where they lie
    folder: PathBuf,
    /// Files to replace: write beside, sync, rename, sync the directory
    #[arg(long, default_value_t = 0)]
    replace: usize,
    /// Files to append a line to: write, sync
    #[arg(long, default_value_t = 0)]
    append: usize,
}

/// Replaces and appends.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    fs::create_dir_all(&args.folder)?;
    for index in 0..args.replace {
        replace(&args.folder, &format!("file-{index}"))?;
    }
    for index in 0..args.append {
        let mut file = OpenOptions::new().create(true).append(true).open(args.folder.join(format!("log-{index}")))?;
        file.write_all(&CONTENT[..100])?;
        file.sync_all()?;
    }
    Ok(())
}

fn replace(folder: &Path, name: &str) -> anyhow::Result<()> {
    let temporary = folder.join(format!(".{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(&CONTENT)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    sync_folder(folder)?;
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
