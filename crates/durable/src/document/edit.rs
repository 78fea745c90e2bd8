//! Changing a text in one place.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde_json::Value;

use super::scan::{self, Member};
use super::{BOM, DocumentError};

/// Where the object begins.
pub(super) fn start(text: &str) -> usize {
    let bom = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    scan::skip_space(text.as_bytes(), bom)
}

pub(super) fn set(text: &mut String, path: &[&str], json: &str) -> Result<(), DocumentError> {
    let mut object = start(text);
    for (at, name) in path.iter().enumerate() {
        let member = scan::named(text, object, name).pop();
        let last = at + 1 == path.len();
        match member {
            Some(member) if last => text.replace_range(member.value, json),
            Some(member) if text.as_bytes()[member.value.start] == b'{' => object = member.value.start,
            Some(_) => return Err(DocumentError::NotAnObject),
            None => {
                insert(text, object, name, &nested(&path[at + 1..], json));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The objects that are still missing on the way to a value.
fn nested(path: &[&str], json: &str) -> String {
    path.iter().rev().fold(json.to_owned(), |inner, name| format!("{{{}: {inner}}}", quoted(name)))
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

/// Appends a member to the object that begins at `object`, spaced as its other members are.
fn insert(text: &mut String, object: usize, name: &str, json: &str) {
    let members = scan::members(text, object);
    let (place, piece) = match members.last() {
        Some(last) => {
            let lead = lead(text, object, &members);
            (last.value.end, format!(",{lead}{}{}{json}", quoted(name), colon(text, last)))
        }
        None => {
            let style = Style::of(text);
            let close = scan::end_of_value(text.as_bytes(), object) - 1;
            let inner = style.line(depth_at(text, object) + 1);
            let outer = style.line(depth_at(text, object));
            text.replace_range(object + 1..close, "");
            (object + 1, format!("{inner}{}{}{json}{outer}", quoted(name), style.colon))
        }
    };
    text.insert_str(place, &piece);
}

/// Puts a member before the member `next` of the object at `parents`, spaced as that one is.
pub(super) fn insert_before(text: &mut String, parents: &[&str], (name, json): (&str, &str), next: &str) {
    let object = match parents {
        [] => Some(start(text)),
        _ => scan::find(text, start(text), parents).map(|member| member.value.start),
    };
    let Some(object) = object.filter(|at| text.as_bytes()[*at] == b'{') else { return };
    let members = scan::members(text, object);
    let Some(target) = scan::named(text, object, next).pop() else { return };
    let Some(at) = members.iter().position(|member| member.key.start == target.key.start) else { return };
    let colon = colon(text, &target).to_owned();
    let (place, piece) = match at.checked_sub(1).map(|before| &members[before]) {
        Some(before) => {
            let gap = &text[before.value.end..target.key.start];
            let lead = gap.find(',').map_or(gap, |comma| &gap[comma + 1..]);
            (before.value.end, format!(",{lead}{}{colon}{json}", quoted(name)))
        }
        None => {
            let lead = &text[object + 1..target.key.start];
            let second = members.get(1).map(|second| &text[target.value.end..second.key.start]);
            let lead = match second.and_then(|gap| Some(&gap[gap.find(',')? + 1..])) {
                Some(gap) => gap,
                None if lead.is_empty() && colon.ends_with(' ') => " ",
                None => lead,
            };
            (target.key.start, format!("{}{colon}{json},{lead}", quoted(name)))
        }
    };
    text.insert_str(place, &piece);
}

/// Sets members of the object that begins at `object` and has at least one, in one walk.
pub(super) fn set_members(text: &mut String, object: usize, values: &[(&str, &str)]) {
    let members = scan::members(text, object);
    let Some(last) = members.last() else { return };
    // Of a key that stands twice the last one counts.
    let places: HashMap<String, usize> =
        members.iter().enumerate().filter_map(|(at, member)| Some((member.text_name(text)?, at))).collect();
    let mut replaced: BTreeMap<usize, &str> = BTreeMap::new();
    let mut added: Vec<(&str, &str)> = Vec::new();
    let mut added_at: HashMap<&str, usize> = HashMap::new();
    for (name, json) in values {
        if let Some(place) = places.get(*name) {
            replaced.insert(*place, json);
        } else if let Some(place) = added_at.get(name) {
            added[*place].1 = json;
        } else {
            added_at.insert(name, added.len());
            added.push((name, json));
        }
    }
    let mut whole =
        String::with_capacity(text.len() + values.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>());
    let mut from = 0;
    for (place, json) in replaced {
        whole.push_str(&text[from..members[place].value.start]);
        whole.push_str(json);
        from = members[place].value.end;
    }
    whole.push_str(&text[from..last.value.end]);
    let (lead, colon) = (lead(text, object, &members), colon(text, last));
    for (name, json) in added {
        whole.extend([",", &lead, &quoted(name), colon, json]);
    }
    whole.push_str(&text[last.value.end..]);
    *text = whole;
}

/// The space before the members of an object, as it stands before its last one.
fn lead(text: &str, object: usize, members: &[Member]) -> String {
    let last = members.last().map_or(object + 1, |member| member.key.start);
    let before = members.iter().rev().nth(1).map_or(object + 1, |member| member.value.end);
    let gap = &text[before..last];
    gap.find(',').map_or(gap, |comma| &gap[comma + 1..]).to_owned()
}

/// What stands between a member's key and its value.
fn colon<'t>(text: &'t str, member: &Member) -> &'t str {
    &text[member.key.end..member.value.start]
}

pub(super) fn remove(text: &mut String, path: &[&str]) -> bool {
    let Some((name, parents)) = path.split_last() else { return false };
    let object = match parents {
        [] => Some(start(text)),
        _ => scan::find(text, start(text), parents).map(|member| member.value.start),
    };
    let Some(object) = object.filter(|at| text.as_bytes()[*at] == b'{') else { return false };
    remove_members(text, object, &[name]) > 0
}

/// Removes members of the object that begins at `object` in one walk, however large it is; answers how many went. Of a key
/// that stands twice both go.
pub(super) fn remove_members(text: &mut String, object: usize, names: &[&str]) -> usize {
    let members = scan::members(text, object);
    let doomed: Vec<bool> = members.iter().map(|member| names.iter().any(|name| member.is(text, name))).collect();
    let ranges = doomed_ranges(text, object, &members, &doomed);
    match ranges.as_slice() {
        [] => {}
        [one] => text.replace_range(one.clone(), ""),
        several => {
            let mut whole = String::with_capacity(text.len());
            let mut from = 0;
            for range in several {
                whole.push_str(&text[from..range.start]);
                from = range.end;
            }
            whole.push_str(&text[from..]);
            *text = whole;
        }
    }
    doomed.iter().filter(|doomed| **doomed).count()
}

/// What goes with members: each member, the comma that joins it, and the space that led to it. Of an object that loses
/// its first ones, what led to the first leads to the first that stays.
fn doomed_ranges(text: &str, object: usize, members: &[Member], doomed: &[bool]) -> Vec<Range<usize>> {
    let Some(stays) = doomed.iter().position(|doomed| !doomed) else {
        let all = object + 1..scan::end_of_value(text.as_bytes(), object) - 1;
        return Some(all).filter(|_| !members.is_empty()).into_iter().collect();
    };
    let mut ranges = Vec::new();
    if stays > 0 {
        ranges.push(members[0].key.start..members[stays].key.start);
    }
    let later = (stays + 1..members.len()).filter(|at| doomed[*at]);
    ranges.extend(later.map(|at| members[at - 1].value.end..members[at].value.end));
    ranges
}

/// How a document is laid out.
struct Style {
    /// `None` for a document on one line.
    indent: Option<String>,
    newline: &'static str,
    colon: &'static str,
}

impl Style {
    fn of(text: &str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let object = start(text);
        let first = scan::members(text, object).into_iter().next();
        let lead = first.as_ref().map_or("", |member| &text[object + 1..member.key.start]);
        let indent = lead.contains('\n').then(|| lead.rsplit('\n').next().unwrap_or_default().to_owned());
        let spaced = first.is_none_or(|member| text[member.key.end..member.value.start].len() > 1);
        Self { indent, newline, colon: if spaced { ": " } else { ":" } }
    }

    /// A new line at a depth; nothing in a document on one line.
    fn line(&self, depth: usize) -> String {
        self.indent.as_ref().map_or_else(String::new, |indent| format!("{}{}", self.newline, indent.repeat(depth)))
    }
}

/// How many objects and arrays are open at a place.
fn depth_at(text: &str, place: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < place {
        match bytes[at] {
            b'"' => {
                at = scan::end_of_value(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    depth
}

/// A value as the document would lay it out `depth` objects deep.
pub(super) fn laid_out(text: &str, depth: usize, value: &Value) -> String {
    let style = Style::of(text);
    match (&style.indent, value) {
        (Some(_), Value::Object(_) | Value::Array(_)) => spread(&style, depth, value),
        _ => value.to_string(),
    }
}

fn spread(style: &Style, depth: usize, value: &Value) -> String {
    let (inner, outer) = (style.line(depth + 1), style.line(depth));
    match value {
        Value::Object(map) if !map.is_empty() => {
            let members = map.iter().map(|(key, value)| {
                format!("{inner}{}{}{}", quoted(key), style.colon, spread(style, depth + 1, value))
            });
            format!("{{{}{outer}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| format!("{inner}{}", spread(style, depth + 1, item)));
            format!("[{}{outer}]", items.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
