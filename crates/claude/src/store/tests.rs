//! A credentials file as it may be found.

use super::*;
use crate::fixture::Place;

const TEXT: &str = "\u{feff}{\r\n \"claudeAiOauth\" : {\"accessToken\":\"sk-ant-oat01-FAKE-A1\"} }\r\n";

fn store(place: &Place) -> FileStore {
    FileStore { path: place.path(".claude/.credentials.json") }
}

#[test]
fn a_reading_is_the_bytes_and_when_they_were_written() {
    let place = Place::new("store-read");
    assert!(store(&place).read(&place.disk).expect("nothing there").is_none());
    let path = place.put(".claude/.credentials.json", TEXT);
    let at: Timestamp = "2026-11-20T10:00:00.123Z".parse().expect("a time");
    place.disk.vfs.set_modified(&path, at).expect("a stamp");
    let reading = store(&place).read(&place.disk).expect("readable").expect("there");
    assert_eq!((reading.bytes.as_slice(), reading.modified), (TEXT.as_bytes(), Some(at)));
    assert!(Some(&reading) == store(&place).read(&place.disk).expect("readable").as_ref(), "the same again");
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_an_absence() {
    let place = Place::new("store-odd");
    place.put(".claude/.credentials.json/inside", "");
    let error = store(&place).read(&place.disk).err().expect("a directory holds no login");
    assert!(error.to_string().contains(".credentials.json"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_is_read_through() {
    let place = Place::new("store-link");
    place.link(".claude/.credentials.json", "../elsewhere.json");
    assert!(store(&place).read(&place.disk).expect("a link to nothing").is_none());
    place.put("elsewhere.json", TEXT);
    assert_eq!(store(&place).read(&place.disk).expect("readable").expect("there").bytes, TEXT.as_bytes());
    place.link("loop/.credentials.json", ".credentials.json");
    let looped = FileStore { path: place.path("loop/.credentials.json") };
    assert!(looped.read(&place.disk).is_err(), "a circle is no absence either");
}

#[test]
fn a_change_is_by_exchange_and_knows_what_it_replaces() {
    let place = Place::new("store-change");
    let before = Reading { bytes: TEXT.into(), modified: Some(Timestamp::UNIX_EPOCH), beside: None };
    for (name, before) in [("over a file", Some(&before)), ("where none was", None)] {
        let change = store(&place).changes(before, b"{}".to_vec()).remove(0);
        assert_eq!(change.path, place.path(".claude/.credentials.json"), "{name}");
        assert_eq!(change.before.as_deref(), before.map(|reading| reading.bytes.as_slice()), "{name}");
        assert_eq!(change.after.as_deref(), Some(&b"{}"[..]), "{name}");
        assert!(matches!(change.manner, Manner::Credential), "{name}");
    }
}
