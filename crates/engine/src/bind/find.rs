//! The binding that a directory stands under.

use std::path::{Path, PathBuf};

use super::{Binding, Bindings};
use crate::{Engine, Error};

impl Engine {
    /// All bindings, in the user's order.
    ///
    /// # Errors
    /// `bindings.toml` cannot be read.
    pub fn bindings(&self) -> Result<Vec<Binding>, Error> {
        Ok(Bindings::read(&self.disk, &self.root)?.list())
    }

    /// The binding of the longest bound ancestor of a directory, itself included. Links are followed as far as the path
    /// exists, so that a directory is found under each of its names; what does not exist any more goes by its name.
    ///
    /// # Errors
    /// `bindings.toml` cannot be read.
    pub fn binding_for(&self, dir: &Path) -> Result<Option<Binding>, Error> {
        let real = |path: &Path| clauth_claude::real_path(&self.disk, path);
        let bound = self.bindings()?.into_iter().map(|binding| (real(&binding.dir), binding)).collect();
        Ok(longest(bound, &real(dir)))
    }

    /// The binding of this very directory, under whatever name it was bound.
    pub(super) fn bound_as(&self, bindings: &Bindings, dir: &Path) -> Option<Binding> {
        let real = |path: &Path| clauth_claude::real_path(&self.disk, path);
        let here = real(dir);
        bindings.list().into_iter().rev().find(|binding| same(&real(&binding.dir), &here))
    }
}

/// The last of those with the longest path that contains `dir`.
fn longest(bound: Vec<(PathBuf, Binding)>, dir: &Path) -> Option<Binding> {
    let above = bound.into_iter().filter(|(path, _)| contains(path, dir));
    above.max_by_key(|(path, _)| path.components().count()).map(|(_, binding)| binding)
}

fn same(a: &Path, b: &Path) -> bool {
    contains(a, b) && contains(b, a)
}

/// Whether `dir` is `above` or lies in it. Windows does not tell upper from lower case in names.
fn contains(above: &Path, dir: &Path) -> bool {
    if !cfg!(windows) {
        return dir.starts_with(above);
    }
    let folded = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    folded(dir).starts_with(folded(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bound_ancestor_wins() {
        let bound = [("/", "all"), ("/w", "work"), ("/w/a/b", "deep"), ("/w/a", "middle"), ("/w", "again")];
        for (name, dir, expected) in [
            ("itself", "/w/a", Some("middle")),
            ("far below", "/w/a/b/c/d", Some("deep")),
            ("beside", "/w/ab", Some("again")),
            ("bound twice", "/w", Some("again")),
            ("only the root", "/home", Some("all")),
        ] {
            let binding = |(dir, profile): &(&str, &str)| Binding { dir: dir.into(), profile: (*profile).to_owned() };
            let all = bound.iter().map(|row| (PathBuf::from(row.0), binding(row))).collect();
            let found = longest(all, Path::new(dir));
            assert_eq!(found.as_ref().map(|found| found.profile.as_str()), expected, "{name}");
        }
        assert_eq!(longest(Vec::new(), Path::new("/w")), None, "nothing is bound");
    }
}
