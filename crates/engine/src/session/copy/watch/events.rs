//! What the system tells about files, as paths of the pair.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::super::side::Pair;
use super::Message;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Where, relative to both sides.
    pub(super) relative: PathBuf,
    /// A directory may have come there with everything in it.
    pub(super) deep: bool,
}

/// Begins to tell `sender` of everything that happens on both sides.
pub(super) fn watch(pair: &Pair, sender: Sender<Message>) -> notify::Result<RecommendedWatcher> {
    let roots = roots(pair);
    let tell = move |event: notify::Result<Event>| {
        for message in messages(event, &roots) {
            // Once the thread is gone, nobody needs to know.
            let _ = sender.send(message);
        }
    };
    let mut watcher = RecommendedWatcher::new(tell, Config::default().with_follow_symlinks(false))?;
    watcher.watch(&pair.home, RecursiveMode::Recursive)?;
    watcher.watch(&pair.tree, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// The sides as they are named, and as they really are: some systems tell those.
fn roots(pair: &Pair) -> Vec<PathBuf> {
    let named = [pair.tree.clone(), pair.home.clone()];
    let real = named.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect::<Vec<_>>();
    named.into_iter().chain(real).collect()
}

fn messages(event: notify::Result<Event>, roots: &[PathBuf]) -> Vec<Message> {
    let event = match event {
        Ok(event) if event.need_rescan() => return vec![Message::Lost],
        Ok(event) => event,
        Err(error) => return vec![of_error(&error)],
    };
    let Some(deep) = depth(event.kind) else { return Vec::new() };
    let changes = event.paths.iter().filter_map(|path| relative(path, roots));
    changes.map(|relative| Message::Changed(Change { relative, deep })).collect()
}

/// Whether the kind of event concerns content, and may concern more than its own path. Reading concerns nobody, our own
/// least.
fn depth(kind: EventKind) -> Option<bool> {
    match kind {
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any | EventKind::Other => Some(true),
        EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
            Some(false)
        }
        EventKind::Access(_) => None,
    }
}

fn relative(path: &Path, roots: &[PathBuf]) -> Option<PathBuf> {
    let relative = roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
    (!relative.as_os_str().is_empty()).then(|| relative.to_owned())
}

/// A directory that vanished before it could be watched is no matter; out of watches, the rest goes unseen.
fn of_error(error: &notify::Error) -> Message {
    use notify::ErrorKind;
    match &error.kind {
        ErrorKind::MaxFilesWatch => Message::Blind("the system has no file watches left".into()),
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => Message::Lost,
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => Message::Lost,
        _ => Message::Blind(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RenameMode};

    use super::*;

    #[test]
    fn an_event_becomes_a_path_of_the_pair() {
        let roots = [PathBuf::from("/t"), PathBuf::from("/h")];
        let rows = [
            ("written", EventKind::Modify(ModifyKind::Data(DataChange::Any)), "/h/a/b", Some(("a/b", false))),
            ("made", EventKind::Create(CreateKind::Folder), "/t/a", Some(("a", true))),
            ("moved in", EventKind::Modify(ModifyKind::Name(RenameMode::To)), "/t/a", Some(("a", true))),
            ("mode", EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), "/t/a", Some(("a", false))),
            ("written to its end", EventKind::Access(AccessKind::Close(AccessMode::Write)), "/t/a", Some(("a", false))),
            ("read", EventKind::Access(AccessKind::Open(AccessMode::Any)), "/t/a", None),
            ("read to its end", EventKind::Access(AccessKind::Close(AccessMode::Read)), "/t/a", None),
            ("the root itself", EventKind::Modify(ModifyKind::Any), "/h", None),
            ("elsewhere", EventKind::Modify(ModifyKind::Any), "/home/x", None),
        ];
        for (name, kind, path, expected) in rows {
            let got = messages(Ok(Event::new(kind).add_path(path.into())), &roots);
            let got: Vec<_> = got
                .iter()
                .map(|message| match message {
                    Message::Changed(change) => (change.relative.to_str().expect("text"), change.deep),
                    other => panic!("{name}: {other:?}"),
                })
                .collect();
            assert_eq!(got, expected.into_iter().collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn what_was_not_told_is_looked_for_and_what_will_not_be_told_is_known() {
        let io = |kind: std::io::ErrorKind| notify::Error::io(kind.into());
        let rows = [
            ("overflow", Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), false),
            ("a directory that vanished", Err(io(std::io::ErrorKind::NotFound)), false),
            ("no watches left", Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)), true),
            ("anything else", Err(io(std::io::ErrorKind::PermissionDenied)), true),
        ];
        for (name, event, blind) in rows {
            let got = messages(event, &[]);
            assert!(matches!(got.as_slice(), [Message::Lost | Message::Blind(_)]), "{name}: {got:?}");
            assert_eq!(matches!(got.as_slice(), [Message::Blind(_)]), blind, "{name}");
        }
    }
}
