//! What stands beside a holder: which processes the session is, and in which config directory (S1).

use std::path::{Path, PathBuf};

use clauth_durable::lock::{process_lives, process_start};
use clauth_durable::{Disk, Error as DiskError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A process, told apart from a later one with its id by when it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(super) pid: u32,
    start: Option<String>,
}

/// `sessions/<pid>.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// The `clauth start`.
    pub(super) parent: Process,
    /// The `claude`, once it runs.
    pub(super) child: Option<Process>,
    /// The exact `CLAUDE_CONFIG_DIR`.
    pub(super) config_dir: PathBuf,
    /// When the session was begun.
    pub(super) since: Timestamp,
}

impl Process {
    pub(crate) fn of(disk: &Disk, pid: u32) -> Self {
        Self { pid, start: process_start(disk, pid) }
    }

    pub(crate) fn lives(&self, disk: &Disk) -> bool {
        process_lives(disk, self.pid, self.start.as_deref())
    }
}

impl Record {
    /// Of this process, before it has a child.
    pub(super) fn new(disk: &Disk, config_dir: &Path) -> Self {
        Self {
            parent: Process::of(disk, std::process::id()),
            child: None,
            // What cannot be written down exactly is compared as the directory that it is, not by its name.
            config_dir: PathBuf::from(config_dir.to_string_lossy().into_owned()),
            since: disk.clock.now(),
        }
    }

    /// Writes it in one step. Not synced: after a power loss none of these processes is alive.
    pub(super) fn write(&self, disk: &Disk, path: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::io("write", path)(error.into()))?;
        write_quickly(disk, path, &bytes)
    }

    /// `Err` when there is one that cannot be read. One that cannot be understood tells nothing: it is written in one
    /// step, so it was torn by the end of the whole machine.
    pub(super) fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, DiskError> {
        Ok(disk.read(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// Writes a small file in one step, without waiting for the disk: after a power loss the old one may stand, or none.
pub(crate) fn write_quickly(disk: &Disk, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temp = path.with_file_name(format!(".{name}.clauth-{}", disk.random.name()));
    let failed = |doing| Error::io(doing, path);
    let mut file = disk.vfs.create(&temp, 0o600).map_err(failed("create"))?;
    let mut rest = bytes;
    let written = loop {
        if rest.is_empty() {
            break disk.vfs.rename(&temp, path);
        }
        match file.write(rest) {
            Ok(0) => break Err(std::io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = &rest[count..],
            Err(error) => break Err(error),
        }
    };
    written.map_err(|error| {
        let _ = disk.vfs.remove_file(&temp);
        failed("write")(error)
    })
}
