//! A key in a file of settings: set, and given its former value back. Pure.

use clauth_durable::{Document, DocumentError};
use serde_json::Value;

use super::What;

/// What becomes of a file when a key is given its former value back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// The key has another value than ours, or none: it is the user's, and the file stays as it is.
    Theirs,
    /// The file without what is ours.
    Without(Vec<u8>),
    /// As before, but nothing is in it any more.
    Empty(Vec<u8>),
}

/// The bytes with the key set, and what goes on record. `None` when it has that value already.
///
/// # Errors
/// The file is no JSON object, or something on the way to the key is none.
pub(super) fn set(
    file: Option<&[u8]>,
    key: &[String],
    value: &Value,
) -> Result<Option<(Vec<u8>, What)>, DocumentError> {
    let path = names(key);
    let mut document = read(file)?;
    if document.get::<Value>(&path).as_ref() == Some(value) {
        return Ok(None);
    }
    let before = document.raw(&path).map(str::to_owned);
    let stood = (0..path.len()).rev().find(|depth| document.raw(&path[..*depth]).is_some()).unwrap_or(0);
    document.set(&path, value)?;
    let added = document.raw(&path).unwrap_or_default().to_owned();
    let mut what = What::Key { key: key.to_vec(), added, before, stood, whole: None };
    let mut bytes = document.into_bytes();
    if file.is_none() {
        bytes.push(b'\n');
    }
    let back = match put_back(&bytes, &what)? {
        Back::Without(back) | Back::Empty(back) => back,
        Back::Theirs => Vec::new(),
    };
    if let (What::Key { whole, .. }, Some(file)) = (&mut what, file)
        && back != file
    {
        *whole = Some(String::from_utf8_lossy(file).into_owned());
    }
    Ok(Some((bytes, what)))
}

/// What becomes of the file when the key gets back what stood there.
///
/// # Errors
/// The file is no JSON object any more.
pub(super) fn put_back(file: &[u8], what: &What) -> Result<Back, DocumentError> {
    let What::Key { key, added, before, stood, whole } = what else { return Ok(Back::Theirs) };
    let path = names(key);
    let mut document = read(Some(file))?;
    let Ok(ours) = serde_json::from_str::<Value>(added) else { return Ok(Back::Theirs) };
    let stands = document.get::<Value>(&path);
    if stands.as_ref() != Some(&ours) {
        let back = members_back(&mut document, what, &ours, stands.as_ref())?;
        return Ok(if back { Back::Without(document.into_bytes()) } else { Back::Theirs });
    }
    // Nothing but the key has changed since: the very text comes back.
    if let Some(whole) = whole {
        let mut again = read(Some(whole.as_bytes()))?;
        if again.set(&path, &ours).is_ok() && again.bytes() == file {
            return Ok(Back::Without(whole.clone().into_bytes()));
        }
    }
    match before {
        Some(before) => document.set_raw(&path, before)?,
        None => drop(document.remove(&path[..=*stood])),
    }
    let empty = document.keys().is_empty();
    let bytes = document.into_bytes();
    Ok(if empty { Back::Empty(bytes) } else { Back::Without(bytes) })
}

/// Where the user edited other members of an object that we set: gives those back that we changed, all of which still have our
/// value, and leaves theirs. Answers whether it did.
fn members_back(
    document: &mut Document,
    what: &What,
    ours: &Value,
    stands: Option<&Value>,
) -> Result<bool, DocumentError> {
    let (What::Key { key, before, stood, .. }, Value::Object(ours), Some(Value::Object(stands))) = (what, ours, stands)
    else {
        return Ok(false);
    };
    let path = names(key);
    let former = before.as_ref().map(|before| Document::parse(before.clone().into_bytes())).transpose()?;
    let is_changed = |name: &str, value: &Value| {
        former.as_ref().is_none_or(|former| former.get::<Value>(&[name]).as_ref() != Some(value))
    };
    let changed: Vec<(&String, &Value)> = ours.iter().filter(|(name, value)| is_changed(name, value)).collect();
    if changed.is_empty() || !changed.iter().all(|(name, value)| stands.get(*name) == Some(value)) {
        return Ok(false);
    }
    let Some(former) = former else {
        document.remove(&path[..=*stood]);
        return Ok(true);
    };
    for (name, _) in changed {
        let member: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        match former.raw(&[name]) {
            Some(raw) => document.set_raw(&member, raw)?,
            None => drop(document.remove(&member)),
        }
    }
    Ok(true)
}

/// Whether the key has our value.
pub(super) fn stands(file: &[u8], what: &What) -> bool {
    put_back(file, what).is_ok_and(|back| back != Back::Theirs)
}

fn names(key: &[String]) -> Vec<&str> {
    key.iter().map(String::as_str).collect()
}

fn read(file: Option<&[u8]>) -> Result<Document, DocumentError> {
    match file {
        Some(file) if !file.trim_ascii().is_empty() => Document::parse(file.to_vec()),
        _ => Ok(Document::empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(path: &[&str]) -> Vec<String> {
        path.iter().map(|name| (*name).to_owned()).collect()
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn a_key_is_set_and_its_former_value_comes_back_to_the_letter() {
        for (name, path, file) in [
            ("into others", &["k"][..], "{\n  \"a\": 1.10,\n  \"b\": {\"x\":[ ]}\n}\n"),
            ("over another value", &["k"], "{\n  \"k\": {\"command\" : \"mine\"},\n  \"b\": 9007199254740993\n}\n"),
            ("over null", &["k"], "{\"k\":null}"),
            ("into nothing", &["k"], "{}"),
            ("into an odd nothing", &["k"], " { \n } \n"),
            ("into an empty file", &["k"], "\n"),
            ("of a block", &["env", "K"], "{\"env\": {\"A\": \"1\"}}"),
            ("of a block that is missing", &["env", "K"], "{\"a\": 1}"),
            ("of an empty block", &["env", "K"], "{\"a\": 1, \"env\": { }}"),
            ("that stands twice", &["k"], "{\"k\": 1, \"k\": 2}"),
            ("with a byte order mark", &["k"], "\u{feff}{\r\n\t\"a\": 1\r\n}\r\n"),
        ] {
            let path = key(path);
            let (bytes, what) = set(Some(file.as_bytes()), &path, &json!({"c": "x"})).expect(name).expect(name);
            assert!(stands(&bytes, &what), "{name}");
            assert_eq!(set(Some(&bytes), &path, &json!({"c": "x"})), Ok(None), "{name}: it is set once");
            let (Back::Without(back) | Back::Empty(back)) = put_back(&bytes, &what).expect(name) else {
                unreachable!("{name}: it is ours")
            };
            assert_eq!(text(&back), file, "{name}");
        }
    }

    #[test]
    fn what_the_user_changed_since_stays() {
        let file = "{\"a\": 1}";
        let (_, what) = set(Some(file.as_bytes()), &key(&["k"]), &json!("x")).expect("set").expect("new");
        for (name, now, expected) in [
            ("another value", "{\"a\": 1, \"k\": \"mine\"}", None),
            ("no value", "{\"a\": 1}", None),
            ("another key", "{\"a\": 2, \"k\": \"x\", \"n\": 3}", Some("{\"a\": 2, \"n\": 3}")),
            ("other spaces", "{ \"k\" : \"x\" , \"a\":1}", Some("{ \"a\":1}")),
            ("all else is gone", "{\"k\": \"x\"}", Some("{}")),
        ] {
            let back = match put_back(now.as_bytes(), &what).expect(name) {
                Back::Theirs => None,
                Back::Without(back) | Back::Empty(back) => Some(text(&back)),
            };
            assert_eq!(back.as_deref(), expected, "{name}");
        }
        assert!(put_back(b"{\"torn", &what).is_err());
        assert!(set(Some(b"[]"), &key(&["k"]), &json!(1)).is_err());
        assert!(set(Some(b"{\"k\": 1}"), &key(&["k", "l"]), &json!(1)).is_err(), "the way is no object");
    }

    #[test]
    fn what_the_user_edited_beside_ours_stays_and_ours_goes() {
        let ours = json!({"type": "command", "command": "ours", "padding": 0});
        for (name, file, edited, expected) in [
            (
                "another member",
                r#"{"a":1,"s":{"type":"command","command" : "echo x","padding":0}}"#,
                ("\"padding\":0", "\"padding\":7"),
                Some(r#"{"a":1,"s":{"type":"command","command":"echo x","padding":7}}"#),
            ),
            ("a member more", r#"{"a":1}"#, ("\"padding\":0", "\"padding\":0,\"x\":1"), Some(r#"{"a":1}"#)),
            ("the member itself", r#"{"a":1,"s":{"command":"echo x"}}"#, ("ours", "theirs"), None),
        ] {
            let (bytes, what) = set(Some(file.as_bytes()), &key(&["s"]), &ours).expect(name).expect(name);
            let text = String::from_utf8(bytes).expect("text");
            let edited = text.replacen(edited.0, edited.1, 1);
            assert_ne!(edited, text, "{name}");
            match put_back(edited.as_bytes(), &what).expect(name) {
                Back::Without(back) => {
                    let (back, expected) =
                        (serde_json::from_slice::<Value>(&back), expected.map(serde_json::from_str::<Value>));
                    assert_eq!(Some(back.expect(name)), expected.map(|value| value.expect(name)), "{name}");
                }
                other => assert_eq!((other, expected), (Back::Theirs, None), "{name}"),
            }
        }
    }
}
