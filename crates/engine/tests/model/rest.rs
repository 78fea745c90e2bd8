//! The end of a program: everything comes to rest, and what is owed still works.

use clauth_engine::State;

use crate::laws::{self, Lawful, breach};
use crate::play::{Counts, Game};
use crate::step::{Act, Other, Step};

/// Minutes.
const LONG: u32 = 600;

impl Game {
    /// Everything comes to rest: whatever was interrupted is finished, and every login that is owed still works.
    pub(crate) fn finish(&mut self) -> Lawful {
        self.stage.network = true;
        // From here on time passes.
        self.stage.program = None;
        for at in 0..2 {
            let step = Step::Do(Act::End(at));
            self.step(&step, &mut Counts::new())?;
        }
        self.step(&Step::By(Other::Stop), &mut Counts::new())?;
        // A clock that is behind would have an access token work for longer than the server thinks.
        self.step(&Step::Jump(-self.wrong), &mut Counts::new())?;
        // What is stale by then is known to be.
        self.step(&Step::Idle(20), &mut Counts::new())?;
        let engine = self.stage.engine();
        let Some(name) = engine.names().ok().and_then(|names| names.first().cloned()) else { return Ok(()) };
        drop(engine);
        let name: &'static str = Box::leak(name.into_boxed_str());
        for _ in 0..2 {
            let step = Step::Do(Act::Order(name));
            let lawful = self.step(&step, &mut Counts::new());
            self.log.push(format!("end {step:?}: {}; {}", self.outcome, self.seen()));
            lawful?;
        }
        if self.outcome != "done" && self.outcome != "NotFound" {
            return breach("the next command works", format!("{}: {:?}", self.outcome, self.log.iter().rev().nth(1)));
        }
        laws::tidy(&self.picture)?;
        self.all_work()
    }

    /// Every login that a profile holds and that nobody gave away can be renewed, once its access token has ended.
    fn all_work(&mut self) -> Lawful {
        if self.scripted > 0 {
            return Ok(());
        }
        // What was dated by a clock that was ahead seems to work for as much longer; months are too long to wait.
        let ahead = self.ahead.unsigned_abs();
        self.step(&Step::Idle(9 * 60 + ahead.min(LONG)), &mut Counts::new())?;
        let accounts = self.stage.engine().list().map(|listing| listing.accounts);
        let Ok(accounts) = accounts else { return breach("the next command works", "list") };
        for account in accounts {
            let slot = self.stage.home().join(".clauth/profiles").join(&account.name).join("credentials.json");
            let held = self.copies.iter().find(|copy| copy.path == slot);
            let Some(family) = held.map(|copy| copy.pair.family.clone()) else { continue };
            if self.ledger().is_forgiven(&family) || account.state == State::Lapsed {
                continue;
            }
            let name: &'static str = Box::leak(account.name.clone().into_boxed_str());
            // A login that another one displaced in the home comes back with the next switch (L3).
            for act in [Act::Force(name), Act::Refresh(name)] {
                let step = Step::Do(act);
                let lawful = self.step(&step, &mut Counts::new());
                self.log.push(format!("end {step:?}: {}; {}", self.outcome, self.seen()));
                lawful?;
                let doubted = ahead > LONG && self.outcome == "Protected";
                if self.outcome != "done" && !doubted {
                    let told = format!("{name} holds {family}, {:?}, {}", account.state, self.outcome);
                    return breach("nobody is logged out", told);
                }
            }
        }
        Ok(())
    }
}
