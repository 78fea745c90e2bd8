//! Properties of every edit of every document (W3).

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::super::Document;
use super::model::{Model, Node, model, scalar};

/// A name that no generated document has.
const NEW: &str = "a new \"key\"";

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("a document")
}

fn text(document: &Document) -> &str {
    std::str::from_utf8(document.bytes()).expect("a text")
}

fn path(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// Whether `long` is `short` with one piece more, beginning at `at`.
fn is_inserted(short: &str, long: &str, at: usize) -> bool {
    let (short, long) = (short.as_bytes(), long.as_bytes());
    long.starts_with(&short[..at]) && long[at..].ends_with(&short[at..])
}

/// Whether `short` is `long` with one piece less, wherever it was.
fn is_deleted(long: &str, short: &str) -> bool {
    let same = long.bytes().zip(short.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).any(|at| short.len() <= long.len() && long.as_bytes().ends_with(&short.as_bytes()[at..]))
}

/// One of the members that count, if there is one.
fn pick_member(model: &Model, object: Index, member: Index) -> Option<Vec<String>> {
    let mut path = model.pick(object);
    let names: Vec<_> = model.clone().members(&path).iter().map(|member| member.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    path.push(member.get(&names).clone());
    Some(path)
}

/// A value of any type whose text is the only one for it.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_document_that_is_not_edited_keeps_every_byte(model in model()) {
        let document = parse(&model.text());
        prop_assert_eq!(document.bytes().to_vec(), model.text().into_bytes());
        prop_assert_eq!(document.into_bytes(), model.text().into_bytes());
    }

    #[test]
    fn each_value_is_read_as_it_is_written(model in model(), object: Index, member: Index) {
        let document = parse(&model.text());
        if let Some(names) = pick_member(&model, object, member) {
            let written = model.clone().at(&names).text();
            prop_assert_eq!(document.raw(&path(&names)), Some(written.as_str()));
        }
        let mut keys: Vec<String> = Vec::new();
        for member in { model }.members(&[]) {
            if !keys.contains(&member.name) {
                keys.push(member.name.clone());
            }
        }
        prop_assert_eq!(document.keys(), keys);
    }

    #[test]
    fn setting_a_key_that_is_there_changes_its_value_alone(
        model in model(), object: Index, member: Index, json in scalar(),
    ) {
        let Some(names) = pick_member(&model, object, member) else { return Ok(()) };
        let mut document = parse(&model.text());
        document.set_raw(&path(&names), &json).expect("a set value");
        let mut expected = model;
        *expected.at(&names) = Node::Scalar(json.clone());
        prop_assert_eq!(text(&document), expected.text());
        let again = parse(text(&document));
        prop_assert_eq!(again.raw(&path(&names)), Some(json.as_str()));
    }

    #[test]
    fn a_new_key_comes_last_and_goes_without_a_trace(model in model(), object: Index, json in scalar()) {
        let before = model.text();
        let mut document = parse(&before);
        let mut names = model.pick(object);
        let neighbours = model.clone().members(&names).iter().map(|member| member.name.clone()).collect::<Vec<_>>();
        names.push(NEW.to_owned());
        document.set_raw(&path(&names), &json).expect("a set value");
        let after = text(&document).to_owned();
        let again = parse(&after);
        prop_assert_eq!(again.raw(&path(&names)), Some(json.as_str()));
        prop_assert_eq!(document.keys().len(), parse(&before).keys().len() + usize::from(names.len() == 1));

        prop_assert!(document.remove(&path(&names)));
        if neighbours.is_empty() {
            // The space in an empty object is laid out anew.
            let object = &names[..names.len() - 1];
            let mut expected = model;
            *expected.at(object) = Node::Object(String::new(), Vec::new());
            prop_assert_eq!(text(&document), expected.text());
        } else {
            prop_assert!((0..=before.len()).any(|at| is_inserted(&before, &after, at)));
            prop_assert_eq!(text(&document), before);
        }
    }

    #[test]
    fn a_value_of_any_type_is_read_back_equal(model in model(), object: Index, value in value(), deep: bool) {
        let mut document = parse(&model.text());
        let mut names = model.pick(object);
        names.push(NEW.to_owned());
        if deep {
            names.extend(["one".to_owned(), "two".to_owned()]);
        }
        document.set(&path(&names), &value).expect("a set value");
        let again = parse(text(&document));
        prop_assert_eq!(again.get::<Value>(&path(&names)), Some(value));
    }

    #[test]
    fn removing_a_key_takes_one_piece_out_and_nothing_else(model in model(), object: Index, member: Index) {
        let Some(names) = pick_member(&model, object, member) else { return Ok(()) };
        let before = model.text();
        let mut document = parse(&before);
        prop_assert!(document.remove(&path(&names)));
        prop_assert!(!document.remove(&path(&names)));
        let after = text(&document).to_owned();
        let again = parse(&after);
        prop_assert_eq!(again.raw(&path(&names)), None);

        let (name, parent) = names.split_last().expect("a path");
        let mut expected = model;
        let members = expected.members(parent);
        let twins = members.iter().filter(|member| member.name == *name).count();
        members.retain(|member| member.name != *name);
        if twins == 1 {
            prop_assert!(is_deleted(&before, &after));
        }
        for member in expected.clone().members(parent) {
            let mut sibling = parent.to_vec();
            sibling.push(member.name.clone());
            let written = expected.at(&sibling).text();
            prop_assert_eq!(again.raw(&path(&sibling)), Some(written.as_str()));
        }
        let space = |text: &str| text.chars().filter(|letter| !" \t\r\n".contains(*letter)).collect::<String>();
        prop_assert_eq!(space(&after), space(&expected.text()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), soup in "[\\[\\]{}\",:\\\\a0 \u{feff}]{0,24}") {
        for bytes in [bytes, soup.into_bytes()] {
            let Ok(mut document) = Document::parse(bytes) else { continue };
            document.set_raw(&["a"], "1").expect("a set value");
            prop_assert_eq!(parse(text(&document)).get::<u8>(&["a"]), Some(1));
            document.remove(&["a"]);
            parse(text(&document));
        }
    }
}
