//! Changing one key of a TOML file: everything else, comments included, stays as it stands.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Key, Table, TableLike, Value};

use crate::{Error, toml};

/// The table and the last part of a key: `poll.active` is `active` in `[poll]`.
fn parts(key: &str) -> (Option<&str>, &str) {
    key.split_once('.').map_or((None, key), |(table, last)| (Some(table), last))
}

/// The name that a key had in an older file of version 0.4.0, which reads both.
fn older(key: &str) -> Option<&'static str> {
    (key == "auto_start").then_some("kick_timer")
}

/// The name by which `key` stands in the file, which may be its older one.
fn standing<'k>(document: &DocumentMut, key: &'k str) -> &'k str {
    match older(key) {
        Some(old) if !document.contains_key(key) && document.contains_key(old) => old,
        _ => key,
    }
}

/// The value at `key`.
pub(super) fn get<'d>(document: &'d DocumentMut, key: &str) -> Option<&'d Value> {
    let (table, last) = parts(standing(document, key));
    let table = match table {
        Some(table) => document.get(table)?.as_table_like()?,
        None => document.as_table(),
    };
    table.get(last)?.as_value()
}

/// The keys and values of a table in the file.
pub(super) fn members<'d>(document: &'d DocumentMut, table: &str) -> Vec<(&'d str, &'d Value)> {
    let table = document.get(table).and_then(Item::as_table_like);
    let iter = table.into_iter().flat_map(TableLike::iter);
    iter.filter_map(|(key, item)| Some((key, item.as_value()?))).collect()
}

/// Sets `key`; what stands behind the old value on its line stays there.
pub(super) fn set(document: &mut DocumentMut, key: &str, value: Value, path: &Path) -> Result<(), Error> {
    // Two names of one key in one file are more than 0.4.0 reads.
    let (table, last) = parts(standing(document, key));
    let table: &mut dyn TableLike = match table {
        None => document.as_table_mut(),
        Some(name) => {
            let item = document.entry(name).or_insert_with(|| Item::Table(Table::new()));
            item.as_table_like_mut().ok_or_else(|| toml::unreadable(path))?
        }
    };
    match table.get_mut(last) {
        Some(item) => {
            let old = item.as_value_mut().ok_or_else(|| toml::unreadable(path))?;
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(last, Item::Value(value))),
    }
    Ok(())
}

/// Removes `key`, and a table that has become empty by it. Comments above and behind it stay where it stood.
pub(super) fn unset(document: &mut DocumentMut, key: &str) {
    if let Some(old) = older(key).filter(|old| document.contains_key(old)) {
        unset(document, old);
    }
    let (name, last) = parts(key);
    let Some(name) = name else {
        let kept = take(document.as_table_mut(), last);
        return keep(document, None, kept);
    };
    let Some(table) = document.get_mut(name).and_then(Item::as_table_like_mut) else { return };
    let kept = take(table, last);
    if table.is_empty() {
        let head = document.get(name).and_then(Item::as_table).map(|table| comment(table.decor().prefix()));
        let after = follower(document.as_table(), name);
        document.remove(name);
        let kept = Kept { comment: head.unwrap_or_default() + &kept.comment, before: after };
        return keep(document, None, kept);
    }
    keep(document, Some(name), kept);
}

/// Comments of a removed key, and the key that they now stand above.
struct Kept {
    comment: String,
    before: Option<String>,
}

fn take(table: &mut dyn TableLike, key: &str) -> Kept {
    let before = follower(table, key);
    let above = table.key(key).map(|key| comment(key.leaf_decor().prefix())).unwrap_or_default();
    let behind = table.get(key).and_then(Item::as_value).map(|value| comment(value.decor().suffix()));
    table.remove(key);
    let behind = behind.filter(|text| !text.is_empty()).map(|text| format!("{}\n", text.trim())).unwrap_or_default();
    Kept { comment: above + &behind, before }
}

fn follower(table: &dyn TableLike, key: &str) -> Option<String> {
    table.iter().skip_while(|(name, _)| *name != key).nth(1).map(|(name, _)| name.to_owned())
}

fn comment(raw: Option<&toml_edit::RawString>) -> String {
    raw.and_then(toml_edit::RawString::as_str).filter(|text| text.contains('#')).unwrap_or_default().to_owned()
}

/// Puts comments above what follows, else at the end of the file.
fn keep(document: &mut DocumentMut, table: Option<&str>, kept: Kept) {
    if kept.comment.is_empty() {
        return;
    }
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    let within: Option<&mut dyn TableLike> = match table {
        None => Some(document.as_table_mut()),
        Some(name) => document.get_mut(name).and_then(Item::as_table_like_mut),
    };
    let placed = within.zip(kept.before.as_deref()).is_some_and(|(within, before)| {
        if let Some(next) = within.get_mut(before).and_then(Item::as_table_mut) {
            let prefix = next.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
            next.decor_mut().set_prefix(kept.comment.clone() + &prefix);
            return true;
        }
        let Some(mut key) = within.key_mut(before) else { return false };
        let prefix = key.leaf_decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        key.leaf_decor_mut().set_prefix(kept.comment.clone() + &prefix);
        true
    });
    if !placed {
        document.set_trailing(kept.comment + &end);
    }
}

/// A key's text in a file, quoted where it has to be.
#[must_use]
pub(super) fn quoted(key: &str) -> String {
    Key::new(key).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> &'static Path {
        Path::new("settings.toml")
    }

    #[test]
    fn a_change_touches_its_own_value_only() {
        let rows: [(&str, &str, &str, &str, &str); 5] = [
            ("new file", "", "network", "off", "network = \"off\"\n"),
            (
                "beside others",
                "# mine\nx = 1.10 # why\n",
                "network",
                "off",
                "# mine\nx = 1.10 # why\nnetwork = \"off\"\n",
            ),
            ("its comment stays", "network = \"on\" # for now\n", "network", "off", "network = \"off\" # for now\n"),
            ("new table", "x = 1\n", "poll.active", "5m", "x = 1\n\n[poll]\nactive = \"5m\"\n"),
            (
                "inline table",
                "poll = { active = \"3m\", odd = 1 }\n",
                "poll.active",
                "5m",
                "poll = { active = \"5m\", odd = 1 }\n",
            ),
        ];
        for (name, before, key, value, after) in rows {
            let mut document: DocumentMut = before.parse().expect("TOML");
            set(&mut document, key, value.into(), path()).expect("set");
            assert_eq!(document.to_string(), after, "{name}");
            assert_eq!(get(&document, key).and_then(Value::as_str), Some(value), "{name}");
        }
        let mut odd: DocumentMut = "poll = 1\n".parse().expect("TOML");
        assert!(set(&mut odd, "poll.active", "5m".into(), path()).is_err());
    }

    #[test]
    fn a_key_is_known_by_its_older_name() {
        let mut document: DocumentMut = "kick_timer = true # mine\n".parse().expect("TOML");
        assert_eq!(get(&document, "auto_start").and_then(Value::as_bool), Some(true));
        set(&mut document, "auto_start", false.into(), path()).expect("set");
        assert_eq!(document.to_string(), "kick_timer = false # mine\n", "0.4.0 reads one of both names");
        document.insert("auto_start", Item::Value(true.into()));
        assert_eq!(get(&document, "auto_start").and_then(Value::as_bool), Some(true));
        unset(&mut document, "auto_start");
        assert_eq!((document.to_string().as_str(), get(&document, "auto_start").is_none()), ("# mine\n", true));
    }

    #[test]
    fn what_is_taken_out_leaves_the_comments() {
        let rows: [(&str, &str, &str, &str); 7] = [
            ("alone", "network = \"on\"\n", "network", ""),
            ("not there", "x = 1\n", "network", "x = 1\n"),
            ("above", "# why\nnetwork = \"on\"\nx = 1\n", "network", "# why\nx = 1\n"),
            ("behind", "network = \"on\" # why\nx = 1\n", "network", "# why\nx = 1\n"),
            ("at the end", "x = 1\n# why\nnetwork = \"on\"\n", "network", "x = 1\n# why\n"),
            ("the table with it", "x = 1\n\n[poll]\nactive = \"5m\"\n", "poll.active", "x = 1\n"),
            (
                "others of the table",
                "[poll]\n# why\nactive = \"5m\"\nodd = 1\n",
                "poll.active",
                "[poll]\n# why\nodd = 1\n",
            ),
        ];
        for (name, before, key, after) in rows {
            let mut document: DocumentMut = before.parse().expect("TOML");
            unset(&mut document, key);
            assert_eq!(document.to_string(), after, "{name}");
        }
    }
}
