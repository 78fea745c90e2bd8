//! Any JSON document, as a tree that knows its own text: the witness that edits are compared with.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A value with all the space in it.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Number, string, word, as written.
    Scalar(String),
    /// Items, each with the space before and after it.
    Array(String, Vec<(String, Node, String)>),
    /// The space of an empty object, and members.
    Object(String, Vec<Member>),
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// With quotes and escapes.
    pub(super) key: String,
    pub(super) value: Node,
    /// Before the key, after it, before the value, after it.
    space: [String; 4],
}

/// A whole document: mark, space, object, space.
#[derive(Clone, Debug)]
pub(super) struct Model {
    before: String,
    pub(super) root: Node,
    after: String,
}

impl Model {
    pub(super) fn text(&self) -> String {
        format!("{}{}{}", self.before, self.root.text(), self.after)
    }

    /// The paths of all objects; of keys that stand twice the last counts.
    pub(super) fn objects(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        self.root.walk(&mut Vec::new(), &mut found);
        found
    }

    /// One of the objects.
    pub(super) fn pick(&self, which: Index) -> Vec<String> {
        let objects = self.objects();
        which.get(&objects).clone()
    }

    pub(super) fn at(&mut self, path: &[String]) -> &mut Node {
        path.iter().fold(&mut self.root, |node, name| {
            let Node::Object(_, members) = node else { panic!("no object on the way") };
            &mut members.iter_mut().rev().find(|member| member.name == *name).expect("a member").value
        })
    }

    pub(super) fn members(&mut self, path: &[String]) -> &mut Vec<Member> {
        let Node::Object(_, members) = self.at(path) else { panic!("no object there") };
        members
    }
}

impl Node {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(space, items) if items.is_empty() => format!("[{space}]"),
            Self::Array(_, items) => {
                let items = items.iter().map(|(before, item, after)| format!("{before}{}{after}", item.text()));
                format!("[{}]", items.collect::<Vec<_>>().join(","))
            }
            Self::Object(space, members) if members.is_empty() => format!("{{{space}}}"),
            Self::Object(_, members) => {
                format!("{{{}}}", members.iter().map(Member::text).collect::<Vec<_>>().join(","))
            }
        }
    }

    fn walk(&self, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        let Self::Object(_, members) = self else { return };
        found.push(path.clone());
        for (at, member) in members.iter().enumerate() {
            if members[at + 1..].iter().all(|later| later.name != member.name) {
                path.push(member.name.clone());
                member.value.walk(path, found);
                path.pop();
            }
        }
    }
}

impl Member {
    fn text(&self) -> String {
        let [a, b, c, d] = &self.space;
        format!("{a}{}{b}:{c}{}{d}", self.key, self.value.text())
    }
}

/// Whitespace, mostly little of it.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 2 => Just(" ".to_owned()), 4 => "[ \t\r\n]{0,4}", 1 => Just("\r\n  ".to_owned())]
}

/// A string with its written form: plain, or with one of the ways to escape it.
fn string() -> impl Strategy<Value = (String, String)> {
    let plain = prop_oneof![
        6 => "[a-d]".prop_map(String::from),
        1 => Just(String::new()),
        2 => "[a-z{}\\[\\],:\"\\\\/ é\u{1F600}\u{0}-\u{1f}]{0,6}".prop_map(String::from),
    ];
    (plain, 0..4u8).prop_map(|(text, style)| {
        let written = match style {
            0 => escaped(&text, |_| true),
            1 => escaped(&text, |letter| letter == 'a' || letter == '/'),
            _ => serde_json::Value::from(text.as_str()).to_string(),
        };
        (text, written)
    })
}

/// A string in quotes, with `\u` for what is chosen and for what must not stand there as it is.
fn escaped(text: &str, chosen: impl Fn(char) -> bool) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        if chosen(letter) || letter.is_control() || letter == '"' || letter == '\\' {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                write!(written, "\\u{unit:04X}").expect("a string takes everything");
            }
        } else {
            written.push(letter);
        }
    }
    written + "\""
}

/// Numbers whose text says more than their value, words, and strings.
pub(super) fn scalar() -> impl Strategy<Value = String> {
    let word = select(vec![
        "1.10",
        "9007199254740993",
        "1E5",
        "-0",
        "0.1e-7",
        "123456789012345678901234567890",
        "1e400",
        "true",
        "false",
        "null",
        "\"\\ud800\"",
        "\"}\"",
        "\"\\\\\"",
        "\"\\\",{\"",
    ]);
    prop_oneof![word.prop_map(str::to_owned), string().prop_map(|(_, written)| written)]
}

fn node() -> impl Strategy<Value = Node> {
    scalar().prop_map(Node::Scalar).prop_recursive(4, 24, 5, |inner| {
        let items = (space(), vec((space(), inner.clone(), space()), 0..4));
        prop_oneof![items.prop_map(|(space, items)| Node::Array(space, items)), object(inner)]
    })
}

fn object(inner: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    let member = (string(), inner, [space(), space(), space(), space()])
        .prop_map(|((name, key), value, space)| Member { name, key, value, space });
    (space(), vec(member, 0..5)).prop_map(|(space, members)| Node::Object(space, members))
}

pub(super) fn model() -> impl Strategy<Value = Model> {
    (any::<bool>(), space(), object(node()), space()).prop_map(|(mark, before, root, after)| Model {
        before: format!("{}{before}", if mark { "\u{feff}" } else { "" }),
        root,
        after,
    })
}
