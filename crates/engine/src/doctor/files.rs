//! Files of our own that are passed over where they cannot be understood, so that nothing else would tell of them.

use serde_json::Value;

use super::Finding;
use super::rules::FILE_UNREADABLE;
use crate::root::Settings;
use crate::{Engine, Error, vault};

pub(super) fn findings(engine: &Engine) -> Vec<Finding> {
    let (disk, root) = (&engine.disk, &engine.root);
    // Whose files they are is told already, and this clauth need not understand them.
    if Settings::read(disk, root).is_ok_and(|settings| settings.writable().is_err()) {
        return Vec::new();
    }
    let errors = [engine.applied().err(), engine.integrations().err(), engine.bindings().err()];
    let mut findings: Vec<Finding> =
        errors.iter().flatten().map(|error: &Error| Finding::of(FILE_UNREADABLE, error)).collect();
    // Those without which nothing works are told as what stops everything.
    let told = Settings::read(disk, root).is_err();
    for (_, key, fault) in engine.faults(None).into_iter().filter(|_| !told).take(1) {
        findings.push(Finding::new(FILE_UNREADABLE, fault, format!("clauth config unset {key}")));
    }
    for path in vault::torn(disk, root).unwrap_or_default() {
        let message = format!("{} cannot be understood: a displaced login is in it", path.display());
        findings.push(Finding::new(FILE_UNREADABLE, message, "mend that file, or move it away"));
    }
    for path in [root.spent(), root.history()] {
        let bad = disk.read(&path).ok().flatten().map_or(0, |bytes| bad_lines(&bytes));
        if bad > 0 {
            let message = format!("{bad} of the lines of {} cannot be understood", path.display());
            findings.push(Finding::new(FILE_UNREADABLE, message, "take those lines out; one line is one JSON object"));
        }
    }
    findings
}

fn bad_lines(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    lines.filter(|line| !serde_json::from_slice::<Value>(line).is_ok_and(|line| line.is_object())).count()
}
