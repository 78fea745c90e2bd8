//! Asking about many accounts at once: each in a thread of its own, so that one server that never answers holds up nobody
//! else's reading.

use super::ask::{Asked, Manner, Tried};
use super::target::{Means, Target};
use crate::view::Listing;
use crate::{Engine, Error};

/// Which accounts are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// None: no socket is opened.
    Nobody,
    /// Those whose reading is stale.
    Stale,
    /// All of them.
    Everybody,
}

/// The accounts with what is known of each, and what became of asking.
pub struct Usage {
    /// As `list` shows them.
    pub listing: Listing,
    /// Those that were asked about, or would have been.
    pub tried: Vec<Tried>,
}

impl Engine {
    /// What is known of the use of each account, or of the one that `asked` means. Nothing of Claude Code's is written, but
    /// by a renewal that is ours to make.
    ///
    /// # Errors
    /// No such profile, or our own files, or the home, cannot be read.
    pub fn usage(&self, asked: Option<&str>, asking: Asking) -> Result<Usage, Error> {
        let name = asked.map(|asked| self.find(asked)).transpose()?;
        let tried = if asking == Asking::Nobody { Vec::new() } else { self.ask_about(name.as_deref(), asking)? };
        let mut listing = self.list()?;
        if let Some(name) = &name {
            listing.accounts.retain(|account| account.name == *name);
        }
        for account in &mut listing.accounts {
            let unsaved = tried.iter().find(|tried| tried.name == account.name).and_then(|tried| tried.unsaved.clone());
            account.usage = unsaved.or(account.usage.take());
        }
        Ok(Usage { listing, tried })
    }

    fn ask_about(&self, name: Option<&str>, asking: Asking) -> Result<Vec<Tried>, Error> {
        let snapshot = self.snapshot_to_show()?;
        let mut targets = self.targets(&snapshot)?;
        targets.retain(|target| name.is_none_or(|name| target.name == name));
        let manner = Manner { network: snapshot.settings.network, plan: true, once: false, apart: None };
        let now = self.host.clock.now();
        let is_due = |target: &Target| {
            asking == Asking::Everybody || target.shelf(self).reading().is_none_or(|reading| reading.is_stale(now))
        };
        let (due, spared): (Vec<Target>, Vec<Target>) = targets.into_iter().partition(is_due);
        let mut tried = self.ask_all(&due, manner);
        tried.extend(spared.into_iter().map(|target| Tried { name: target.name, asked: Asked::Spared, unsaved: None }));
        Ok(tried)
    }

    /// Whether Anthropic is about to be asked about an account.
    fn will_ask(&self, target: &Target) -> bool {
        let now = self.host.clock.now();
        let until = target.shelf(self).reading().and_then(|reading| reading.retry_at);
        let held = super::policy::standing(until, now).is_some();
        let spent = self.budget_of(&target.account).next_at.is_some();
        matches!(target.means(), Ok(Means::Token(_))) && !held && !spent
    }

    /// Asks about all of them at once. Each reading is stored as soon as it comes.
    pub(crate) fn ask_all(&self, targets: &[Target], manner: Manner) -> Vec<Tried> {
        let beside = manner.network && !manner.once && targets.iter().any(|target| self.will_ask(target));
        if let ([one], false) = (targets, beside) {
            return vec![self.ask_usage(one, manner)];
        }
        std::thread::scope(|scope| {
            // In a thread of its own too: a status page that never answers holds up nobody's reading.
            beside.then(|| scope.spawn(|| self.ask_incidents()));
            let threads: Vec<_> = targets.iter().map(|target| scope.spawn(|| self.ask_usage(target, manner))).collect();
            let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            ended.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }
}
