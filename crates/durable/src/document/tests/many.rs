//! Many members at once are the same as one after the other.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{Document, DocumentError};
use super::model::{model, scalar};

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("a document")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn setting_members_at_once_is_setting_them_one_by_one(
        model in model(), object: Index, values in prop::collection::vec((any::<Index>(), any::<bool>(), scalar()), 1..6),
    ) {
        let names = model.pick(object);
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        let there: Vec<String> = model.clone().members(&names).iter().map(|member| member.name.clone()).collect();
        let pick = |index: &Index, new: bool| match (new, there.is_empty()) {
            (false, false) => index.get(&there).clone(),
            _ => format!("new {}", index.index(3)),
        };
        let values: Vec<(String, String)> =
            values.iter().map(|(index, new, json)| (pick(index, *new), json.clone())).collect();
        let (mut at_once, mut one_by_one) = (parse(&model.text()), parse(&model.text()));
        let pairs: Vec<(&str, &str)> = values.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
        at_once.set_members(&path, &pairs).expect("set members");
        for (name, json) in pairs {
            one_by_one.set_raw(&[path.as_slice(), &[name]].concat(), json).expect("a set value");
        }
        prop_assert_eq!(String::from_utf8_lossy(at_once.bytes()), String::from_utf8_lossy(one_by_one.bytes()));
    }

    #[test]
    fn removing_members_at_once_is_removing_them_one_by_one(
        model in model(), picked in prop::collection::vec((any::<Index>(), any::<bool>()), 1..6),
    ) {
        let (mut at_once, mut one_by_one) = (parse(&model.text()), parse(&model.text()));
        let there = at_once.keys();
        let pick = |(index, new): &(Index, bool)| match (new, there.is_empty()) {
            (false, false) => index.get(&there).clone(),
            _ => format!("new {}", index.index(3)),
        };
        let names: Vec<String> = picked.iter().map(pick).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let removed = names.iter().filter(|name| one_by_one.remove(&[name])).count();
        prop_assert_eq!(at_once.remove_members(&names), removed > 0);
        prop_assert_eq!(String::from_utf8_lossy(at_once.bytes()), String::from_utf8_lossy(one_by_one.bytes()));
    }

    #[test]
    fn members_are_read_as_one_by_one(model in model(), object: Index) {
        let document = parse(&model.text());
        let names = model.pick(object);
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        for (name, raw) in document.members(&path).expect("an object") {
            prop_assert_eq!(document.raw(&[path.as_slice(), &[name.as_str()]].concat()), Some(raw));
        }
    }
}

#[test]
fn a_missing_object_is_made_and_something_else_is_refused() {
    let mut document = parse("{\"a\": 1}");
    document.set_members(&["env"], &[("x", "1.10"), ("y", "2"), ("x", "3")]).expect("set members");
    assert_eq!(document.bytes(), b"{\"a\": 1,\"env\": {\"x\": 3,\"y\": 2}}");
    let before = document.clone();
    for (name, path, json, error) in [
        ("no object", vec!["a"], "1", DocumentError::NotAnObject),
        ("no JSON", vec!["env"], "nope", DocumentError::Syntax { line: 1, column: 2 }),
    ] {
        assert_eq!(document.set_members(&path, &[("z", json)]), Err(error), "{name}");
        assert!(document == before, "{name}");
    }
    assert_eq!(document.members(&["a"]), None);
    assert_eq!(document.members(&["nothing"]), None);
}

#[test]
fn of_keys_that_stand_twice_the_last_counts_and_half_a_pair_is_no_name() {
    let document = parse(r#"{"a":1,"b":2,"a":3,"\ud800":4}"#);
    let members = document.members(&[]).expect("an object");
    assert_eq!(members, [("a".to_owned(), "3"), ("b".to_owned(), "2")]);
}
