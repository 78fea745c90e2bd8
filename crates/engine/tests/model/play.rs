//! Plays a program, step by step, and checks the laws after each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clauth_sandbox::world::Snapshot;
use clauth_sandbox::{Account, Pair, Route};

use crate::laws::{self, Breach, Lawful, breach};
use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::state_file;
use crate::step::{Act, Step};
use crate::witness::{Copy, Place, copies, newest};

/// How often what was done, by outcome.
pub(crate) type Counts = BTreeMap<String, usize>;

/// A program that broke a law.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) breach: Breach,
    /// How many steps were played, the breaking one included.
    pub(crate) steps: usize,
    /// What the commands answered.
    pub(crate) log: Vec<String>,
}

/// Plays a program. One at a time in a process: the sandbox has one clock.
pub(crate) fn play(seed: u64, program: &[Step], counts: &mut Counts) -> Result<(), Failure> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut game = Game::new(seed);
    let failed = |game: &mut Game, breach: Breach, steps: usize| {
        Err(Failure { breach, steps, log: std::mem::take(&mut game.log) })
    };
    for (at, step) in program.iter().enumerate() {
        let lawful = game.step(step, counts);
        game.log.push(format!("{:3} {step:?}: {}; {}", at + 1, game.outcome, game.seen()));
        if let Err(breach) = lawful {
            return failed(&mut game, breach, at + 1);
        }
    }
    match game.finish() {
        Ok(()) => Ok(()),
        Err(breach) => failed(&mut game, breach, program.len()),
    }
}

pub(crate) struct Game {
    pub(crate) stage: Stage,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) log: Vec<String>,
    pub(crate) outcome: String,
    /// The answer to the next renewal will be lost.
    pub(crate) losing: bool,
    /// Answers that were scripted and not given yet.
    pub(crate) scripted: usize,
    /// When an account was signed in last, in milliseconds.
    pub(crate) signed_in: BTreeMap<char, u64>,
    /// What stood after the last step, and which logins are in it.
    pub(crate) picture: Snapshot,
    pub(crate) copies: Vec<Copy>,
    /// By how many minutes this computer's clock is wrong.
    pub(crate) wrong: i32,
    /// A process of the system's was killed, whose request the server may answer in a later step.
    pub(crate) killed_late: bool,
    /// It was set at all.
    pub(crate) jumped: bool,
    /// By how many minutes it was ahead at most.
    pub(crate) ahead: i32,
    /// A process panicked, or did not end.
    pub(crate) panicked: bool,
}

/// Whether a renewed pair has not reached the place yet where the one before it was sent from.
fn is_staged(copies: &[Copy], sent: &Pair) -> bool {
    let newest = newest(copies, |_| true).get(&sent.family).copied();
    let of = |copy: &&Copy| copy.pair.family == sent.family && Some(copy.pair.generation) == newest;
    let mut there = copies.iter().filter(of);
    newest == Some(sent.generation + 1) && there.all(|copy| matches!(copy.place, Place::Stage(_) | Place::Temp))
}

impl Game {
    fn new(seed: u64) -> Self {
        let stage = Stage::new(seed);
        furnish(&stage);
        let picture = stage.world.snapshot();
        Self {
            stage,
            ledger: Arc::default(),
            log: Vec::new(),
            outcome: String::new(),
            losing: false,
            scripted: 0,
            signed_in: BTreeMap::new(),
            picture,
            copies: Vec::new(),
            wrong: 0,
            killed_late: false,
            jumped: false,
            ahead: 0,
            panicked: false,
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everything is, in words.
    pub(crate) fn seen(&self) -> String {
        let word = |copy: &Copy| {
            let bearer = if copy.full { "" } else { "°" };
            match &copy.place {
                Place::Slot(name) => format!("{name}={}{bearer}", copy.pair),
                place => format!("{place:?}={}{bearer}", copy.pair),
            }
        };
        self.copies.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn step(&mut self, step: &Step, counts: &mut Counts) -> Lawful {
        let since = std::time::SystemTime::now();
        let times = self.stage.times();
        let before = std::mem::take(&mut self.picture);
        let known = std::mem::take(&mut self.copies);
        self.stage.server.forget_requests();
        self.outcome = String::new();
        let issued = self.issued();
        let fired = self.perform(step, &known);
        self.killed_late |= self.stage.program.is_some() && matches!(step, Step::Killed(..));
        self.picture = self.stage.world.snapshot();
        self.copies = copies(self.stage.home(), &self.picture);
        self.note_requests(&issued, &known, fired);
        *counts.entry(format!("{} {}", word(step), self.outcome)).or_default() += 1;
        if step.act().is_some() || matches!(step, Step::By(_)) {
            self.stage.stamp(since, &times);
        }
        self.check(step, &before)
    }

    /// The newest generation of each family by the server's books.
    fn issued(&self) -> BTreeMap<String, u32> {
        let ledger = self.ledger();
        ledger.families.keys().map(|name| (name.clone(), self.stage.server.generation(name))).collect()
    }

    /// What was sent in this step, and what that means.
    fn note_requests(&mut self, issued: &BTreeMap<String, u32>, before: &[Copy], fired: bool) {
        let sent = self.stage.server.requests_to(Route::Token);
        let mut issued = issued.clone();
        let now = newest(&self.copies, |_| true);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        for request in sent {
            // A sign-in takes what was scripted as a renewal does.
            let scripted = std::mem::take(&mut self.scripted) > 0;
            let losing = std::mem::take(&mut self.losing);
            let pair = request.refresh.as_ref().and_then(|label| Pair::of(&format!("FAKE-{label}")));
            let Some(pair) = pair else { continue };
            let newest_known = issued.entry(pair.family.clone()).or_insert(pair.generation);
            if scripted && !losing {
                continue;
            }
            if request.user_agent.starts_with("clauth/") {
                let family = ledger.families.entry(pair.family.clone()).or_default();
                *family.sends.entry(pair.generation).or_default() += 1;
            }
            // O5: without a name, a login that ends at another time is another login.
            if self.jumped && state_file::names_nobody(&self.picture) {
                ledger.forgive(&pair.family, "renewed by another clock while nobody was named");
            }
            if pair.generation < *newest_known {
                let by_claude = !request.user_agent.starts_with("clauth/");
                // While the next command runs it may not have come to it yet.
                if by_claude && (is_staged(&self.copies, &pair) || is_staged(before, &pair)) {
                    ledger
                        .forgive(&pair.family, "Claude Code renewed before the next command landed what is kept aside");
                }
                continue;
            }
            *newest_known = pair.generation + 1;
            if losing {
                ledger.forgive(&pair.family, "the answer was lost");
            } else if (fired || self.killed_late) && now.get(&pair.family).is_none_or(|there| *there < *newest_known) {
                ledger.forgive(&pair.family, "killed with the answer in hand");
            }
        }
    }

    fn check(&self, step: &Step, before: &Snapshot) -> Lawful {
        let (home, after, all) = (self.stage.home(), &self.picture, &self.copies);
        if self.panicked {
            return breach("every command ends in order", format!("{step:?}"));
        }
        self.learn_accounts(step, all, before);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        laws::signed_in(&self.stage, &ledger)?;
        laws::one_holder(all)?;
        laws::nothing_lost(after, all, &ledger)?;
        laws::kept(&self.stage, all, &ledger)?;
        laws::apart((home, after), all, &ledger)?;
        laws::parses(after)?;
        ledger.owe(&newest(all, |_| true));
        drop(ledger);
        if step.act() == Some(&Act::List) && before != after && matches!(step, Step::Do(_)) {
            return breach("W8: looking writes nothing", clauth_sandbox::world::changes(before, after).join(", "));
        }
        if step.act().is_some() && !matches!(step, Step::During(..)) {
            let trees = |picture: &Snapshot| picture.keys().any(|path| path.contains("/runtime"));
            let started = matches!(step.act(), Some(Act::Start(_)));
            laws::untouched(before, after, started || trees(before) || trees(after))?;
        }
        Ok(())
    }

    /// Whose login a profile holds is settled by the first that it holds.
    fn learn_accounts(&self, step: &Step, all: &[Copy], before: &Snapshot) {
        let mut ledger = self.ledger();
        // A profile may become another account's; until that is finished it is neither's.
        if self.picture.contains_key(".clauth/journal/open.json") {
            return ledger.accounts.clear();
        }
        if let Some(Act::Rename(from, to)) = step.act() {
            let there = |name: &str| all.iter().any(|copy| copy.place == Place::Slot(name.to_owned()));
            let was = before.contains_key(&format!(".clauth/profiles/{from}/credentials.json"));
            if was
                && !there(from)
                && there(to)
                && let Some(account) = ledger.accounts.remove(*from)
            {
                ledger.accounts.insert((*to).to_owned(), account);
            }
        }
        ledger.accounts.retain(|name, _| {
            all.iter().any(|copy| matches!(&copy.place, Place::Slot(of) | Place::Loan(of) if of == name))
        });
        for copy in all {
            if let (Place::Slot(name), Some(account)) = (&copy.place, Account::of_family(&copy.pair.family)) {
                ledger.accounts.entry(name.clone()).or_insert(account.code);
            }
        }
    }
}

/// What a user of Claude Code has, and wants to keep.
fn furnish(stage: &Stage) {
    let put = |path: &str, text: &str| {
        let path = stage.home().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
    };
    put(".claude/CLAUDE.md", "# mine\r\n");
    put(".claude/projects/p/one.jsonl", "{\"n\": 1.10}\n");
    put(".claude/keybindings.json", "{ \"a\" : 1e5 }");
    put("notes.txt", "mine");
    stage.world.sign_in(&Account::a());
    stage.world.seed_mcp();
    let _ = stage.world.claude().sign_out();
    let _ = std::fs::remove_dir_all(stage.home().join(".claude/backups"));
}

/// The first word of a step, with what was asked in it.
fn word(step: &Step) -> String {
    let text = format!("{step:?}");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words
        .iter()
        .filter(|word| word.starts_with(char::is_uppercase) && word.len() > 1)
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}
