//! `add`: a new endpoint profile. Nothing of Claude Code's is touched until a switch to it.

use clauth_durable::Manner;
use clauth_host::Secret;
use toml_edit::{DocumentMut, value};

use crate::config::{Takes, check_url};
use crate::custody::{Desk, Operation};
use crate::error::Kind;
use crate::history::Event;
use crate::profile::check_name;
use crate::{Engine, Error};

/// A new endpoint profile.
pub struct Added {
    /// The profile.
    pub name: String,
    /// Where it is.
    pub base_url: String,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Finds out whether [`Self::add`] would refuse the name or the address, before somebody is asked for a key. Answers the
    /// address as it is kept.
    ///
    /// # Errors
    /// As there.
    pub fn addable(&self, name: &str, url: &str) -> Result<String, Error> {
        check_name(name)?;
        let roster = crate::profile::Roster::read(&self.disk, &self.root)?;
        if let Some(taken) = roster.names.iter().find(|taken| taken.eq_ignore_ascii_case(name)) {
            let change = format!("clauth config set --profile {taken} base_url URL");
            let what = format!("there is a profile '{taken}' already");
            return Err(Error::refused(Kind::Name, what, name, &["choose another name", &change]));
        }
        self.refuse_unlisted(name)?;
        check_url(url).map_err(|why| {
            let what = format!("'{}' is no address of an endpoint: {why}", crate::text::shown(url));
            Error::refused(Kind::Usage, what, name, &["an address such as https://api.example.com/anthropic"])
        })
    }

    /// Makes an endpoint profile.
    ///
    /// # Errors
    /// A name that may not be given or is taken, an address or key that cannot be one, or a disk that refuses.
    pub fn add(&self, name: &str, url: &str, key: &Secret) -> Result<Added, Error> {
        let url = self.addable(name, url)?;
        check_key(name, key)?;
        self.recover()?;
        let held = self.lock_prepared()?;
        let url = self.addable(name, &url)?;
        let snapshot = self.snapshot()?;
        let mut desk = Desk::new(self, &snapshot)?;
        let mut document = DocumentMut::new();
        document["base_url"] = value(url.as_str());
        document["api_key"] = value(key.expose());
        desk.draft.put(&self.root.config(name), Manner::Own, document.to_string().into_bytes())?;
        desk.edit_roster(|roster| roster.names.push(name.to_owned()))?;
        desk.record_event(&Event::new(desk.now, "add", format!("an endpoint, {url}")).about(name));
        let drafted = desk.finish()?;
        let operation = Operation { done: "add", to: Some(name.to_owned()), creates: true, ..Operation::default() };
        self.apply(&operation, drafted.changes, &held)?.once()?;
        Ok(Added { name: name.to_owned(), base_url: url, warnings: drafted.warnings })
    }
}

/// The refusal of what no helper could print. What was given is never repeated.
pub(super) fn check_key(name: &str, key: &Secret) -> Result<(), Error> {
    if Takes::Key.parse(key.expose()).is_some() {
        return Ok(());
    }
    let what = "what was given is no key: one word of printable characters";
    let next = ["give the key alone, on standard input or at the prompt", "for an endpoint without one, any word"];
    Err(Error::refused(Kind::Usage, what, name, &next))
}
