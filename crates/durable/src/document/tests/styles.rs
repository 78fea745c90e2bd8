//! How a new key is laid out in documents as people and programs write them.

use serde_json::json;

use super::super::Document;

/// One document, what becomes of it when `n` is set, and when its key `b` is removed afterwards.
struct Style {
    name: &'static str,
    before: &'static str,
    set: &'static str,
    removed: &'static str,
}

const STYLES: &[Style] = &[
    Style { name: "empty", before: "{}", set: r#"{"n": {"x":[1]}}"#, removed: r#"{"n": {"x":[1]}}"# },
    Style {
        name: "one line, dense",
        before: r#"{"a":1,"b":2}"#,
        set: r#"{"a":1,"b":2,"n":{"x":[1]}}"#,
        removed: r#"{"a":1,"n":{"x":[1]}}"#,
    },
    Style {
        name: "one line, airy",
        before: r#"{ "a": 1, "b": 2 }"#,
        set: r#"{ "a": 1, "b": 2, "n": {"x":[1]} }"#,
        removed: r#"{ "a": 1, "n": {"x":[1]} }"#,
    },
    Style {
        name: "two spaces",
        before: "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
        set: "{\n  \"a\": 1,\n  \"b\": 2,\n  \"n\": {\n    \"x\": [\n      1\n    ]\n  }\n}\n",
        removed: "{\n  \"a\": 1,\n  \"n\": {\n    \"x\": [\n      1\n    ]\n  }\n}\n",
    },
    Style {
        name: "four spaces, no last line end",
        before: "{\n    \"b\": 2\n}",
        set: "{\n    \"b\": 2,\n    \"n\": {\n        \"x\": [\n            1\n        ]\n    }\n}",
        removed: "{\n    \"n\": {\n        \"x\": [\n            1\n        ]\n    }\n}",
    },
    Style {
        name: "tabs and no space behind the colon",
        before: "{\n\t\"b\":2\n}\n",
        set: "{\n\t\"b\":2,\n\t\"n\":{\n\t\t\"x\":[\n\t\t\t1\n\t\t]\n\t}\n}\n",
        removed: "{\n\t\"n\":{\n\t\t\"x\":[\n\t\t\t1\n\t\t]\n\t}\n}\n",
    },
    Style {
        name: "mark and carriage returns",
        before: "\u{feff}{\r\n  \"b\": 2\r\n}\r\n",
        set: "\u{feff}{\r\n  \"b\": 2,\r\n  \"n\": {\r\n    \"x\": [\r\n      1\r\n    ]\r\n  }\r\n}\r\n",
        removed: "\u{feff}{\r\n  \"n\": {\r\n    \"x\": [\r\n      1\r\n    ]\r\n  }\r\n}\r\n",
    },
    Style {
        name: "commas first",
        before: "{\"a\": 1\n,\"b\": 2\n}",
        set: "{\"a\": 1\n,\"b\": 2,\"n\": {\"x\":[1]}\n}",
        removed: "{\"a\": 1,\"n\": {\"x\":[1]}\n}",
    },
];

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("a document")
}

fn text(document: &Document) -> &str {
    std::str::from_utf8(document.bytes()).expect("a text")
}

#[test]
fn a_new_key_looks_like_its_neighbours() {
    for style in STYLES {
        let mut document = parse(style.before);
        document.set(&["n"], &json!({"x": [1]})).expect("a set value");
        assert_eq!(text(&document), style.set, "{}", style.name);
        assert_eq!(document.remove(&["b"]), style.before.contains("\"b\""), "{}", style.name);
        assert_eq!(text(&document), style.removed, "{}", style.name);
    }
}

#[test]
fn an_empty_object_is_opened_in_the_style_of_the_whole() {
    let rows = [
        ("spread", "{\n  \"a\": {}\n}", "{\n  \"a\": {\n    \"n\": 1\n  }\n}"),
        (
            "spread, in a list before",
            "{\n  \"l\": [{}, [\"{\"]],\n  \"a\": { }\n}",
            "{\n  \"l\": [{}, [\"{\"]],\n  \"a\": {\n    \"n\": 1\n  }\n}",
        ),
        ("one line", r#"{"a":{}}"#, r#"{"a":{"n":1}}"#),
        ("carriage returns", "{\r\n\t\"a\": {\r\n\t}\r\n}", "{\r\n\t\"a\": {\r\n\t\t\"n\": 1\r\n\t}\r\n}"),
    ];
    for (name, before, after) in rows {
        let mut document = parse(before);
        document.set(&["a", "n"], &1).expect("a set value");
        assert_eq!(text(&document), after, "{name}");
    }
}

#[test]
fn of_a_key_that_stands_twice_the_last_counts_and_all_go() {
    let mut document = parse(r#"{"a":1,"b":2,"\u0061":3,"a":{"x":4}}"#);
    assert_eq!(document.keys(), ["a", "b"]);
    assert_eq!(document.get(&["a", "x"]), Some(4));
    document.set(&["a", "x"], &5).expect("a set value");
    assert_eq!(text(&document), r#"{"a":1,"b":2,"\u0061":3,"a":{"x":5}}"#);
    assert!(document.remove(&["a"]));
    assert_eq!(text(&document), r#"{"b":2}"#);
}

#[test]
fn a_key_that_is_no_text_is_no_other_key() {
    // JavaScript writes half a surrogate pair; no name in UTF-8 is equal to it.
    let before = r#"{"\ud800":1,"a":2}"#;
    let mut document = parse(before);
    assert_eq!(document.raw(&[""]), None);
    assert!(!document.remove(&[""]));
    document.set(&[""], &3).expect("a set value");
    assert_eq!(text(&document), r#"{"\ud800":1,"a":2,"":3}"#);
}

#[test]
fn a_value_of_another_type_is_no_value() {
    let document = parse(r#"{"a":"1","n":null,"d":9007199254740993}"#);
    assert_eq!(document.get::<u64>(&["a"]), None);
    assert_eq!(document.get::<u64>(&["missing"]), None);
    assert_eq!(document.get::<Option<u64>>(&["n"]), Some(None));
    assert_eq!(document.get::<u64>(&["d"]), Some(9_007_199_254_740_993));
}
