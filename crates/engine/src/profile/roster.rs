//! `profiles.toml`: the order of the profiles and the active marker, in the keys of version 0.4.0.

use clauth_durable::Disk;
use toml_edit::{DocumentMut, value};

use crate::{Error, Root, text, toml};

/// The list of profiles. Directories that it does not name are not profiles.
#[derive(Clone)]
pub(crate) struct Roster {
    document: DocumentMut,
    /// All names, in the user's order.
    pub(crate) names: Vec<String>,
    /// The active marker: a hint for `settle`, never a proof.
    pub(crate) active: Option<String>,
}

impl Roster {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let document = toml::read(disk, &root.roster())?;
        let mut names = toml::texts(&document, "profiles");
        // A name that steps out of the profiles' directory could only come from a hand-made file.
        names.retain(|name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        let names = once_each(disk, root, names);
        let active = toml::text(&document, "active_profile").filter(|name| names.contains(name));
        Ok(Self { document, names, active })
    }

    /// The file's text as it now should be.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut document = self.document.clone();
        match &self.active {
            Some(name) if toml::text(&document, "active_profile").as_ref() != Some(name) => {
                document["active_profile"] = value(name);
            }
            Some(_) => {}
            None => drop(document.remove("active_profile")),
        }
        toml::set_texts(&mut document, "profiles", &self.names);
        document.to_string().into_bytes()
    }

    /// Finds a profile: exact name, else ignoring case, else list number (design §7).
    ///
    /// # Errors
    /// Nothing fits, or several do.
    pub(crate) fn find(&self, asked: &str) -> Result<&str, Error> {
        if let Some(name) = self.names.iter().find(|name| *name == asked) {
            return Ok(name);
        }
        let folded: Vec<&String> = self.names.iter().filter(|name| name.eq_ignore_ascii_case(asked)).collect();
        match folded.as_slice() {
            [] => {}
            [one] => return Ok(one),
            many => return Err(ambiguous(asked, many)),
        }
        let number = asked.parse::<usize>().ok().filter(|n| *n >= 1);
        number.and_then(|n| self.names.get(n - 1)).map(String::as_str).ok_or_else(|| self.missing(asked))
    }

    /// The error for a name that nothing bears: all names when there are ten or fewer, else the nearest.
    pub(crate) fn missing(&self, asked: &str) -> Error {
        let mut candidates = self.names.clone();
        let lower = asked.to_lowercase();
        candidates.sort_by_key(|name| text::distance(&name.to_lowercase(), &lower));
        candidates.truncate(10);
        Error::NoProfile { name: text::shown(asked), candidates }
    }

    /// Renames in the list, the marker and the fallback chain of 0.4.0, and re-keys its per-name tables.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        for name in self.names.iter_mut().chain(self.active.as_mut()).filter(|name| *name == old) {
            new.clone_into(name);
        }
        let mut chain = toml::texts(&self.document, "fallback_chain");
        chain.iter_mut().filter(|name| *name == old).for_each(|name| new.clone_into(name));
        if self.document.contains_key("fallback_chain") {
            toml::set_texts(&mut self.document, "fallback_chain", &chain);
        }
        for (_, item) in self.document.iter_mut() {
            if let Some(table) = item.as_table_like_mut()
                && let Some(moved) = table.remove(old)
            {
                table.insert(new, moved);
            }
        }
    }

    /// Takes a name out of the list, the marker, the chain and the per-name tables.
    pub(crate) fn forget(&mut self, name: &str) {
        self.names.retain(|other| other != name);
        self.active = self.active.take().filter(|active| active != name);
        if self.document.contains_key("fallback_chain") {
            let mut chain = toml::texts(&self.document, "fallback_chain");
            chain.retain(|other| other != name);
            toml::set_texts(&mut self.document, "fallback_chain", &chain);
        }
        for (_, item) in self.document.iter_mut() {
            if let Some(table) = item.as_table_like_mut() {
                table.remove(name);
            }
        }
    }
}

/// A profile that is listed twice, by hand or in two spellings where letters' case does not count, is one: its login is not
/// another profile's copy of itself.
fn once_each(disk: &Disk, root: &Root, names: Vec<String>) -> Vec<String> {
    let place = |name: &str| disk.stat(&root.profile(name)).ok().flatten().map(|stat| (stat.dev, stat.ino));
    let is_one = |one: &str, other: &str| {
        one == other
            || one.eq_ignore_ascii_case(other) && place(one).is_some_and(|place_of| Some(place_of) == place(other))
    };
    let mut once: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !once.iter().any(|listed| is_one(listed, &name)) {
            once.push(name);
        }
    }
    once
}

pub(crate) fn ambiguous(asked: &str, many: &[&String]) -> Error {
    Error::Ambiguous { name: text::shown(asked), candidates: many.iter().map(|name| (*name).clone()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(text: &str) -> Roster {
        let document: DocumentMut = text.parse().expect("TOML");
        let names = toml::texts(&document, "profiles");
        let active = toml::text(&document, "active_profile");
        Roster { document, names, active }
    }

    #[test]
    fn comments_and_unknown_keys_survive() {
        let mut roster = roster("# mine\nactive_profile = \"a\" # now\nprofiles = [\"a\", \"b\"]\nfuture = 1.10\n");
        roster.active = Some("b".into());
        let text = String::from_utf8(roster.bytes()).expect("text");
        assert!(text.contains("# mine") && text.contains("future = 1.10"), "{text}");
        assert!(text.contains("active_profile = \"b\""), "{text}");
    }

    #[test]
    fn a_profile_is_found_by_name_then_case_then_number() {
        let roster = roster("profiles = [\"Work\", \"home\", \"2\", \"x\", \"X\"]");
        for (asked, found) in [
            ("Work", Some("Work")),
            ("work", Some("Work")),
            ("2", Some("2")),
            ("1", Some("Work")),
            ("9", None),
            ("0", None),
        ] {
            assert_eq!(roster.find(asked).ok(), found, "{asked}");
        }
        assert_eq!(roster.find("X").ok(), Some("X"));
        assert!(matches!(roster.find("hme"), Err(Error::NoProfile { candidates, .. }) if candidates[0] == "home"));
    }

    #[test]
    fn a_rename_carries_everything_with_it() {
        let mut roster = roster(
            "active_profile = \"a\"\nprofiles = [\"a\", \"b\"]\nfallback_chain = [\"b\", \"a\"]\n[last_kick_at]\na = 5\n",
        );
        roster.rename("a", "z");
        let text = String::from_utf8(roster.bytes()).expect("text");
        assert!(text.contains("active_profile = \"z\"") && text.contains("[\"z\", \"b\"]"), "{text}");
        assert!(text.contains("fallback_chain = [\"b\", \"z\"]") && text.contains("z = 5"), "{text}");
        roster.forget("z");
        let text = String::from_utf8(roster.bytes()).expect("text");
        assert!(!text.contains('z'), "{text}");
    }
}
