//! `adopt` of a tree: shown first, and done when the user says yes.

use crate::custody::{ATTEMPTS, Snapshot};
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::Record;
use crate::root::{Era, Settings};
use crate::trees::adoption::{Adoptee, Adoption, Fate};
use crate::trees::takeover::Due;
use crate::trees::twins;
use crate::{Engine, Error};

use super::Survey;

impl Engine {
    /// What [`Self::adopt`] would do. Writes nothing, and asks nobody.
    ///
    /// # Errors
    /// There is nothing to adopt, another version is at work there, or its files cannot be read.
    pub fn adoptable(&self) -> Result<Adoption, Error> {
        let later = self.era_to_adopt()?;
        if later {
            drop(self.lock_later()?);
        }
        let snapshot = self.snapshot()?;
        let survey = if later { self.survey()? } else { Survey::default() };
        let owner = self.keeper(&snapshot, self.own_link().as_ref(), self.owner(&snapshot, None)?);
        Ok(Adoption {
            from: "clauth",
            place: self.root.path().to_owned(),
            copy: later.then(|| self.copy_place()),
            adoptees: adoptees(self, &snapshot, &survey, &owner),
            left: survey.left,
            changed: false,
            warnings: snapshot.notice.into_iter().collect(),
        })
    }

    /// Takes over the tree that another version left: under its locks, after a copy of it was made.
    ///
    /// # Errors
    /// As [`Self::adoptable`]; a held lock, or a disk that refuses: then everything is as it was, but for the copy.
    pub fn adopt(&self) -> Result<Adoption, Error> {
        self.adopt_as(&self.adoptable()?)
    }

    /// The same, with the copy where a plan that the user has seen says.
    ///
    /// # Errors
    /// As [`Self::adopt`].
    pub fn adopt_as(&self, seen: &Adoption) -> Result<Adoption, Error> {
        let mut adoption = self.adoptable()?;
        adoption.changed = true;
        if let (Some(copy), Some(shown)) = (&mut adoption.copy, &seen.copy) {
            copy.clone_from(shown);
        }
        if adoption.copy.is_none() {
            self.recover()?;
            return Ok(adoption);
        }
        let theirs = self.lock_later()?;
        self.finish_interrupted()?;
        if let Some(copy) = &adoption.copy {
            self.copy_root(copy)?;
        }
        self.prepare()?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let answers = self.ask_around(&before)?;
            let held = self.lock_tree_of(&before)?;
            let survey = self.survey()?;
            let linked = self.linked_slots(&self.names()?);
            self.unlink_slots(&linked)?;
            let due =
                Due { whole: true, link: self.own_link(), linked, bare: false, twins: false, later: Some(survey) };
            let mut snapshot = self.snapshot()?;
            let same = snapshot.same_login(&before);
            answers.enter(&mut snapshot, same);
            if let Some((told, warnings)) = self.attempt_takeover(&snapshot, &due, &answers, &held)? {
                drop((held, theirs));
                told.iter().for_each(|line| (self.say)(line));
                adoption.warnings.extend(warnings);
                self.recover()?;
                return Ok(adoption);
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// Whether a later version's tree is there; an error where there is nothing to adopt.
    fn era_to_adopt(&self) -> Result<bool, Error> {
        match Settings::read(&self.disk, &self.root)?.era {
            Era::Later(_) => Ok(true),
            Era::Old => Ok(false),
            Era::Ours => {
                let place = self.root.path().display().to_string();
                let next = ["clauth adopt --from claude-swap, for the accounts of that tool"];
                Err(Error::refused(Kind::Nothing, "there is nothing of another version here", place, &next))
            }
        }
    }
}

fn adoptees(engine: &Engine, snapshot: &Snapshot, survey: &Survey, owner: &Owner) -> Vec<Adoptee> {
    let landing = survey.landing(snapshot);
    let twins = twins::of(snapshot, owner.profile());
    let one = |record: &Record| {
        let twin = twins.iter().find(|twin| twin.other == record.name);
        let (state, reason) = record.state(engine.host.clock.now());
        let (fate, note) = if record.broken().is_some() {
            (Fate::Unreadable, reason)
        } else if let Some(twin) = twin {
            (Fate::NoLogin, Some(format!("the same login as '{}'; the copy goes to the vault", twin.keeper)))
        } else if landing.contains(&record.name) {
            (Fate::Landed, Some("a renewed pair was on its way".to_owned()))
        } else if owner.profile() == Some(&record.name) {
            (Fate::Lent, Some("its login is live".to_owned()))
        } else if state == crate::profile::State::NoLogin {
            (Fate::NoLogin, None)
        } else {
            (Fate::Taken, survey.speaks_against(record).map(str::to_owned).or(reason))
        };
        let email = record.identity.as_ref().and_then(|known| known.email.clone());
        Adoptee { name: record.name.clone(), email, fate, note }
    };
    snapshot.records.iter().map(one).collect()
}
