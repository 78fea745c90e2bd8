//! Taking a login out of the vault again: moved, never copied (W10).

use clauth_claude::AccountPart;
use clauth_durable::Manner;

use super::Entry;
use crate::custody::{Applied, Desk, Operation, Snapshot};
use crate::error::Kind;
use crate::history::Event;
use crate::profile::check_name;
use crate::{Engine, Error, vault};

impl Engine {
    /// Everything in the vault, oldest first.
    ///
    /// # Errors
    /// The vault cannot be read.
    pub fn vault(&self) -> Result<Vec<Entry>, Error> {
        vault::all(&self.disk, &self.root)
    }

    /// Moves a login out of the vault into a profile: `name`, else the profile that it belonged to. What the profile held
    /// goes into the vault in its place. Answers the profile and what the user should know.
    ///
    /// # Errors
    /// No such entry, no profile to put it into, a used-up or live login, or a profile that is lent out.
    pub fn restore(&self, id: &str, name: Option<&str>) -> Result<(String, Vec<String>), Error> {
        self.recover()?;
        let entry = vault::find(self.vault()?, id)?;
        let name = self.destination(&entry, name)?;
        self.prepare()?;
        let before = self.snapshot()?;
        let held = self.lock_all(&before.home, std::slice::from_ref(&name))?;
        let snapshot = self.snapshot()?;
        let entry = vault::find(self.vault()?, &entry.id)?;
        refuse(&snapshot, &entry, &name)?;
        let mut desk = Desk::new(self, &snapshot)?;
        let created = snapshot.record(&name).is_none();
        if let Some(held) = desk.holds(&name).cloned() {
            desk.put_away(
                &held,
                "displaced by a restored login",
                Some(&name),
                snapshot.record(&name).and_then(|r| r.identity.as_ref()),
            )?;
        }
        desk.draft.put(&self.root.slot(&name), Manner::Own, entry.login.bytes().to_vec())?;
        desk.edit_roster(|roster| {
            if created {
                roster.names.push(name.clone());
            }
        })?;
        desk.draft.delete(&entry.path(&self.root), Manner::Own)?;
        let mut event = Event::new(desk.now, "restore", entry.why.clone()).about(&name);
        event.vault = Some(entry.id.clone());
        event.tokens.to = entry.token().map(|token| token.short().to_owned());
        desk.record_event(&event);
        let mut drafted = desk.finish()?;
        if entry.lent {
            drafted
                .warnings
                .push(format!("this login {}: it was live when it was put away", crate::custody::MAY_BE_RENEWED));
        }
        let operation = Operation { done: "restore", to: Some(name.clone()), creates: created, ..Operation::default() };
        match self.apply(&operation, drafted.changes, &held)? {
            Applied::Done => Ok((name, drafted.warnings)),
            Applied::Moved(path) => Err(Error::Contended { path }),
        }
    }

    /// Destroys a login in the vault. Answers its id.
    ///
    /// # Errors
    /// No such entry.
    pub fn purge(&self, id: &str) -> Result<String, Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let entry = vault::find(self.vault()?, id)?;
        let snapshot = self.snapshot()?;
        let mut desk = Desk::new(self, &snapshot)?;
        desk.draft.delete(&entry.path(&self.root), Manner::Own)?;
        let bound = self.root.vault().join(format!("{}.bound", entry.id));
        for name in self.disk.list(&bound)? {
            desk.draft.delete(&bound.join(name), Manner::Own)?;
        }
        let mut event = Event::new(desk.now, "purge", "asked for");
        event.vault = Some(entry.id.clone());
        event.profile.clone_from(&entry.profile);
        event.tokens.from = entry.token().map(|token| token.short().to_owned());
        desk.record_event(&event);
        self.apply(&Operation { done: "purge", ..Operation::default() }, desk.finish()?.changes, &held)?;
        self.disk.remove_tree(&bound)?;
        Ok(entry.id)
    }

    fn destination(&self, entry: &Entry, name: Option<&str>) -> Result<String, Error> {
        if let Some(name) = name {
            return self.find(name).or_else(|_| check_name(name).map(|()| name.to_owned()));
        }
        let known = entry.profile.as_deref().and_then(|name| self.find(name).ok());
        known.ok_or_else(|| {
            let how = format!("clauth vault restore {} --as NAME", entry.id);
            Error::refused(Kind::Usage, "no profile is known for this login", entry.id.clone(), &[&how])
        })
    }
}

fn refuse(snapshot: &Snapshot, entry: &Entry, name: &str) -> Result<(), Error> {
    let refuse = |kind, what: String, next: &[&str]| Err(Error::refused(kind, what, entry.id.clone(), next));
    let token = entry.token();
    if token.as_ref().is_some_and(|token| snapshot.spent.has(token)) {
        return refuse(Kind::DeadLogin, "this login is used up: a newer one replaced it".into(), &["clauth custody"]);
    }
    let live = snapshot.live.object.as_ref().map(clauth_claude::Credentials::account);
    let same = |part: &AccountPart| part.login_token().is_some() && part.login_token() == token;
    if live.as_ref().is_some_and(same) {
        return refuse(Kind::Protected, "this very login is live".into(), &["clauth capture NAME"]);
    }
    if let Some(holder) = snapshot.records.iter().find(|record| record.part().is_some_and(same)) {
        return refuse(
            Kind::Protected,
            format!("the profile '{}' holds this very login", holder.name),
            &["clauth list"],
        );
    }
    if snapshot.record(name).is_some_and(|record| record.loan.get().is_some()) {
        return refuse(
            Kind::Protected,
            format!("the login of '{name}' is live"),
            &["clauth switch ANOTHER-NAME", "restore it --as ANOTHER-NAME"],
        );
    }
    Ok(())
}

/// The token that tells a login from others.
trait LoginToken {
    fn login_token(&self) -> Option<clauth_host::Fingerprint>;
}

impl LoginToken for AccountPart {
    fn login_token(&self) -> Option<clauth_host::Fingerprint> {
        match self.login() {
            clauth_claude::Found::Login(login) => Some(crate::profile::token_of(&login)),
            _ => None,
        }
    }
}
