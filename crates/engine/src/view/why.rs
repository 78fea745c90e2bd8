//! `why`: the history of who is who.

use crate::history::{self, Event};
use crate::{Engine, Error};

impl Engine {
    /// The last changes, oldest first: those about `name`, or all.
    ///
    /// # Errors
    /// No such profile, or an unreadable history.
    pub fn why(&self, name: Option<&str>, last: usize) -> Result<Vec<Event>, Error> {
        let mut events = history::renamed(history::read(&self.disk, &self.root)?);
        if let Some(asked) = name {
            let concerns = |event: &Event, name: &str| {
                [&event.profile, &event.from, &event.to].into_iter().flatten().any(|other| other == name)
            };
            // A removed profile has no entry any more but still a history.
            let name = match self.find(asked) {
                Ok(name) => name,
                Err(_) if events.iter().any(|event| concerns(event, asked)) => asked.to_owned(),
                Err(error) => return Err(error),
            };
            events.retain(|event| concerns(event, &name));
        }
        let skip = events.len().saturating_sub(last);
        Ok(events.split_off(skip))
    }
}
