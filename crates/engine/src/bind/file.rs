//! `bindings.toml`: one table, `[bindings]`, of directories and profiles. Comments and unknown keys survive.

use clauth_durable::Disk;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::Binding;
use crate::{Error, Root, toml};

/// The one table that is ours.
const TABLE: &str = "bindings";

/// The file.
pub(crate) struct Bindings {
    document: DocumentMut,
}

impl Bindings {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let document = toml::read(disk, &root.bindings())?;
        let known = Self { document };
        if known.document.get(TABLE).is_some_and(|item| item.as_table_like().is_none()) {
            return Err(toml::unreadable(&root.bindings()));
        }
        Ok(known)
    }

    /// All bindings, in the file's order. What is no pair of texts is somebody else's matter.
    pub(crate) fn list(&self) -> Vec<Binding> {
        let table = self.document.get(TABLE).and_then(Item::as_table_like);
        let of = |(dir, item): (&str, &Item)| Some(Binding { dir: dir.into(), profile: item.as_str()?.to_owned() });
        table.map_or_else(Vec::new, |table| table.iter().filter_map(of).collect())
    }

    fn table(&mut self) -> Option<&mut dyn TableLike> {
        self.document.entry(TABLE).or_insert_with(|| Item::Table(Table::new())).as_table_like_mut()
    }

    /// Binds a directory by its exact name.
    pub(crate) fn set(&mut self, dir: &str, profile: &str) {
        let Some(table) = self.table() else { return };
        match table.get_mut(dir) {
            Some(item) => rename_value(item, profile),
            None => drop(table.insert(dir, value(profile))),
        }
    }

    /// Takes a directory out by its exact name.
    pub(crate) fn remove(&mut self, dir: &str) {
        if self.document.contains_key(TABLE)
            && let Some(table) = self.table()
        {
            table.remove(dir);
        }
    }

    /// Gives every binding of `old` to `new`.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        for binding in self.list().iter().filter(|binding| binding.profile == old) {
            self.set(&binding.dir.to_string_lossy(), new);
        }
    }

    /// Forgets every binding of a profile.
    pub(crate) fn forget(&mut self, profile: &str) {
        for binding in self.list().iter().filter(|binding| binding.profile == profile) {
            self.remove(&binding.dir.to_string_lossy());
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.document.to_string().into_bytes()
    }
}

/// Another value in the same place, with the comment behind it.
fn rename_value(item: &mut Item, profile: &str) {
    let decor = item.as_value().map(|value| value.decor().clone());
    *item = value(profile);
    if let (Some(value), Some(decor)) = (item.as_value_mut(), decor) {
        *value.decor_mut() = decor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\nfuture = 1.10\n\n[bindings] # where\n\"/w\" = \"work\" # the job\n# at home\n\"/h\" = \"home\"\n\"/odd\" = 1\n\n[other]\nkey = true\n";

    fn bindings(text: &str) -> Bindings {
        Bindings { document: text.parse().expect("TOML") }
    }

    fn text(bindings: &Bindings) -> String {
        String::from_utf8(bindings.bytes()).expect("text")
    }

    #[test]
    fn only_what_is_meant_changes() {
        type Row<'a> = (&'a str, fn(&mut Bindings), &'a str, &'a str);
        let rows: [Row<'_>; 6] = [
            ("nothing", |_| {}, "", ""),
            ("another profile", |b| b.set("/w", "x"), "\"/w\" = \"work\" # the job", "\"/w\" = \"x\" # the job"),
            ("one more", |b| b.set("/n", "x"), "\"/odd\" = 1\n", "\"/odd\" = 1\n\"/n\" = \"x\"\n"),
            ("one less", |b| b.remove("/w"), "\"/w\" = \"work\" # the job\n", ""),
            ("a renamed profile", |b| b.rename("home", "x"), "\"/h\" = \"home\"", "\"/h\" = \"x\""),
            ("a removed profile", |b| b.forget("work"), "\"/w\" = \"work\" # the job\n", ""),
        ];
        for (name, act, before, after) in rows {
            let mut bindings = bindings(TEXT);
            act(&mut bindings);
            assert_eq!(text(&bindings), TEXT.replace(before, after), "{name}");
        }
    }

    #[test]
    fn a_file_is_made_as_small_as_it_can_be() {
        let mut made = bindings("");
        made.remove("/x");
        made.forget("x");
        assert_eq!(text(&made), "");
        made.set("/a \"b\"", "x");
        assert_eq!(made.list(), [Binding { dir: "/a \"b\"".into(), profile: "x".into() }]);
        let again = bindings(&text(&made));
        assert_eq!(again.list(), made.list(), "it is read as it was written");
    }
}
