//! Finding a profile by what a person types.

use crate::profile::check_name;
use crate::{Engine, Error};

impl Engine {
    /// The profile that `asked` means, or `asked` as the name of a new one.
    ///
    /// # Errors
    /// Several profiles fit, or it may not be a profile's name.
    pub(crate) fn find_or_new(&self, asked: &str) -> Result<String, Error> {
        match self.find(asked) {
            Err(Error::NoProfile { .. }) => check_name(asked).map(|()| asked.to_owned()),
            found => found,
        }
    }

    /// The profile that `asked` means: exact name, else ignoring case, else unique e-mail or list number.
    ///
    /// # Errors
    /// Nothing fits, or several do.
    pub fn find(&self, asked: &str) -> Result<String, Error> {
        let roster = crate::profile::Roster::read(&self.disk, &self.root)?;
        let missed = match roster.find(asked) {
            Ok(name) => return Ok(name.to_owned()),
            Err(Error::NoProfile { .. }) if asked.contains('@') => roster.missing(asked),
            Err(error) => return Err(error),
        };
        let records = roster.names.iter().map(|name| crate::profile::Record::read(&self.disk, &self.root, name));
        let bears = |record: &crate::profile::Record| {
            let email = record.identity.as_ref().and_then(|known| known.email.as_deref());
            email.is_some_and(|email| email.eq_ignore_ascii_case(asked))
        };
        let names: Vec<String> = records.filter(bears).map(|record| record.name).collect();
        match names.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(missed),
            many => Err(crate::profile::ambiguous(asked, &many.iter().collect::<Vec<_>>())),
        }
    }
}
