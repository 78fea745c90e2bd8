//! From one profile's settings to another's and back, to the byte.

use super::*;

fn document(text: &str) -> Option<Document> {
    (!text.is_empty()).then(|| Document::parse(text.as_bytes().to_vec()).expect("a document"))
}

fn piece(path: &[&str], value: Option<&str>) -> Piece {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    Piece { path, value: value.map(|value| serde_json::Value::from(value).to_string()) }
}

fn endpoint() -> Vec<Piece> {
    vec![
        piece(&["apiKeyHelper"], Some("'clauth' __key '/r' 'e'")),
        piece(&["env", "ANTHROPIC_BASE_URL"], Some("https://e.example")),
        piece(&["env", "ANTHROPIC_AUTH_TOKEN"], None),
    ]
}

fn go(stands: &str, record: &Record, wanted: &[Piece]) -> (String, Record, Record) {
    let outcome = plan(document(stands).as_ref(), record, (Some("e"), wanted)).expect("planned");
    let text = outcome.document.map(|bytes| String::from_utf8(bytes).expect("text")).unwrap_or_default();
    (text, outcome.during, outcome.after)
}

#[test]
fn what_stood_there_comes_back_to_the_byte() {
    for (name, stands) in [
        ("no file", ""),
        ("empty object", "{}"),
        ("no env", "{\n  \"theme\": \"dark\",\n  \"n\": 1.10\n}\n"),
        ("other variables", "{\n  \"env\": {\n    \"X\": \"1\"\n  },\n  \"z\": []\n}\n"),
        ("an empty env", "{\n  \"env\": {},\n  \"z\": []\n}\n"),
        (
            "an endpoint by hand",
            "{\"env\":{\"ANTHROPIC_AUTH_TOKEN\":\"FAKE\",\"ANTHROPIC_BASE_URL\":\"https://\\u0068.example\",\"X\":\"1\"},\"apiKeyHelper\":\"mine\"}",
        ),
        ("windows lines", "{\r\n\t\"env\": {\r\n\t\t\"ANTHROPIC_AUTH_TOKEN\": \"FAKE\"\r\n\t}\r\n}\r\n"),
    ] {
        let (set, _, record) = go(stands, &Record::default(), &endpoint());
        assert!(set.contains("e.example") && !set.contains("FAKE"), "{name}: {set}");
        let (back, _, after) = go(&set, &record, &[]);
        assert_eq!(back, stands, "{name}");
        assert_eq!(after, Record::default(), "{name}");
    }
}

#[test]
fn a_key_that_was_edited_since_is_the_users() {
    let (set, _, record) = go("{\"env\":{\"X\":\"old\"}}", &Record::default(), &[piece(&["env", "X"], Some("ours"))]);
    assert_eq!(set, "{\"env\":{\"X\":\"ours\"}}");
    for (name, edited, back) in [
        ("left", "{\"env\":{\"X\":\"ours\"}}", "{\"env\":{\"X\":\"old\"}}"),
        ("printed anew", "{\n  \"env\": {\"X\": \"\\u006furs\"}\n}", "{\n  \"env\": {\"X\": \"old\"}\n}"),
        ("another value", "{\"env\":{\"X\":\"theirs\"}}", "{\"env\":{\"X\":\"theirs\"}}"),
        ("taken out", "{\"env\":{}}", "{\"env\":{}}"),
        ("the whole of it", "{}", "{}"),
    ] {
        assert_eq!(go(edited, &record, &[]).0, back, "{name}");
    }
    // Another profile's wish comes upon the user's value as upon any other, and gives it back.
    let (next, _, record) = go("{\"env\":{\"X\":\"theirs\"}}", &record, &[piece(&["env", "X"], Some("other"))]);
    assert_eq!(next, "{\"env\":{\"X\":\"other\"}}");
    assert_eq!(go(&next, &record, &[]).0, "{\"env\":{\"X\":\"theirs\"}}");
}

#[test]
fn the_same_profile_again_changes_nothing() {
    let (set, _, record) = go("{\"a\": 1}", &Record::default(), &endpoint());
    let (again, during, after) = go(&set, &record, &endpoint());
    assert_eq!((again, during, after), (set, record.clone(), record));
}

#[test]
fn an_interrupted_change_is_told_on_either_side() {
    let first = [piece(&["env", "X"], Some("1")), piece(&["model"], Some("a"))];
    let second = [piece(&["env", "X"], Some("2")), piece(&["env", "Y"], Some("3"))];
    let stands = "{\"env\":{\"X\":\"0\"},\"model\":\"mine\"}";
    let (set, _, record) = go(stands, &Record::default(), &first);
    let (other, during, _) = go(&set, &record, &second);
    for (name, text) in [("before", &set), ("after", &other)] {
        assert_eq!(go(text, &during, &[]).0, stands, "{name}, back to nothing");
        assert_eq!(go(text, &during, &second).0, other, "{name}, once more");
        assert_eq!(go(text, &during, &first).0, set, "{name}, the other way");
    }
}

#[test]
fn an_endpoint_that_stood_there_by_hand_leaves_with_it() {
    let stands = "{\"env\":{\"ANTHROPIC_BASE_URL\":\"https://e.example\"}}";
    let (set, _, record) = go(stands, &Record::default(), &endpoint());
    assert!(!go(&set, &record, &[]).0.contains("e.example"));
    // Any other key that had the value already stays the user's, and that is on record.
    let stands = "{\"model\":\"a\"}";
    let (set, _, record) = go(stands, &Record::default(), &[piece(&["model"], Some("a"))]);
    assert_eq!(record.keys[0].before.as_deref(), Some("\"a\""));
    assert_eq!((set.as_str(), go(&set, &record, &[])), (stands, (stands.to_owned(), record, Record::default())));
    let printed = "{ \"model\": \"\\u0061\" }";
    let (set, _, record) = go(printed, &Record::default(), &[piece(&["model"], Some("a"))]);
    assert_eq!(go(&set, &record, &[]).0, printed);
}

#[test]
fn an_env_that_is_no_object_is_refused() {
    for text in ["{\"env\":[]}", "{\"env\":\"x\"}"] {
        assert!(plan(document(text).as_ref(), &Record::default(), (Some("e"), &endpoint())).is_err(), "{text}");
    }
}
