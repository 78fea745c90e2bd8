//! The one request, between a raised mark and a staged answer (R4, R6).

use clauth_anthropic::{TokenError, TokenRequest, Trouble};
use clauth_claude::{AccountPart, Login};
use clauth_durable::{Held, Reserve};
use clauth_host::{Fingerprint, Secret};

use super::Mark;
use super::mark::Came;
use super::policy::{doubted, pause};
use super::run::Seat;
use super::staged::{ROOM, Staged};
use crate::custody::{Applied, Desk, Operation};
use crate::error::Kind;
use crate::history::Event;
use crate::profile::{Record, State};
use crate::{Engine, Error};

/// What is sent, and on whose behalf.
pub(super) struct Sending<'a> {
    pub(super) seat: &'a Seat,
    pub(super) part: &'a AccountPart,
    pub(super) login: &'a Login,
    pub(super) refresh: &'a Secret,
    pub(super) network: bool,
}

/// How a sending ended.
pub(super) enum Ended {
    /// The new pair is kept; what the user should know.
    Renewed(Vec<String>),
    /// The login was another one by the time of the answer: look again.
    Moved,
}

impl Sending<'_> {
    fn name(&self) -> &str {
        &self.seat.name
    }

    fn token(&self) -> Fingerprint {
        self.refresh.fingerprint()
    }
}

impl Engine {
    /// Sends the refresh token and keeps what comes back.
    pub(super) fn send(&self, sending: &Sending<'_>, mark: Option<Mark>, held: Held) -> Result<Ended, Error> {
        let (name, now) = (sending.name(), self.host.clock.now());
        let mark = mark.unwrap_or_else(|| Mark::of(sending.token(), now));
        self.disk.ensure_dir(&self.root.refresh(name))?;
        let room = Reserve::make(&self.disk, &self.stage(name), ROOM)?;
        let raised = mark.raise(now);
        if let Err(error) = held.check().map_err(Error::from).and_then(|()| raised.write(&self.disk, &self.root, name))
        {
            self.clear(name, &mark);
            return Err(error);
        }
        let request = TokenRequest {
            refresh: sending.refresh,
            client_id: sending.login.client_id.as_deref(),
            scopes: &sending.login.scopes,
        };
        let error = match self.client(sending.network).refresh(&request, self.patience.renewal) {
            Ok(pair) => {
                let now = self.host.clock.now();
                match Staged::of(name, sending.part, &pair, raised.sends, now) {
                    Some(staged) => {
                        let home = sending.seat.home.as_ref();
                        return self.keep(&staged, home, (room, held)).map(Ended::Renewed);
                    }
                    None => TokenError::Unknown { trouble: Trouble::Unparsable, retry_after: None, declined: false },
                }
            }
            Err(error) => error,
        };
        drop(room);
        self.without_pair(sending, (mark, raised), error, &held)
    }

    /// Takes the empty stage file away and leaves what `mark` says.
    fn clear(&self, name: &str, mark: &Mark) {
        // Best effort: a mark that stays raised costs one of two attempts, so a disk that refuses once is asked again; an empty
        // stage file is taken away by the next command.
        let write = || mark.write(&self.disk, &self.root, name);
        let _ = write().or_else(|_| write());
        let _ = self.disk.remove_file(&self.stage(name));
    }

    /// What no pair means for the mark, and for the profile (R6).
    fn without_pair(
        &self,
        sending: &Sending<'_>,
        (before, raised): (Mark, Mark),
        error: TokenError,
        held: &Held,
    ) -> Result<Ended, Error> {
        let (name, now) = (sending.name(), self.host.clock.now());
        match error {
            TokenError::Refused | TokenError::NotSent(_) => {
                self.clear(name, &before);
                Err(failed(name, error, &["try again when the network is back"]))
            }
            TokenError::Unknown { declined: true, retry_after, .. } => {
                let failures = before.failures + 1;
                let retry_at = now + pause(failures, retry_after);
                self.clear(name, &Mark { failures, retry_at: Some(retry_at), ..before });
                let next = format!("not before {}: clauth refresh {name}", crate::text::seconds(retry_at));
                Err(failed(name, error, &[&next]))
            }
            TokenError::Unknown { trouble, retry_after, .. } => {
                let mark = doubted(&before, &raised, came(trouble), (retry_after, now));
                self.note(sending, (State::Unknown, &mark.doubt()), held)?;
                self.clear(name, &mark);
                let due = super::policy::due(&mark, sending.login.expires_at);
                let again = due.map(|due| format!("not before {}: clauth refresh {name}", crate::text::seconds(due)));
                let next: Vec<String> = again.into_iter().chain([super::run::sign_in(name)]).collect();
                Err(failed(name, error, &next.iter().map(String::as_str).collect::<Vec<_>>()))
            }
            TokenError::Dead => {
                let why = crate::profile::end::refused(sending.login.refresh_expires_at, now);
                if !self.note(sending, (State::Dead, &why), held)? {
                    self.clear(name, &Mark { sends: 0, lost: 0, failures: 0, ..before });
                    return Ok(Ended::Moved);
                }
                self.clear(name, &Mark { sends: 0, lost: 0, failures: 0, ..before });
                let what = format!("the login of '{name}' is dead: {why}");
                Err(Error::refused(Kind::DeadLogin, what, name, &[&super::run::sign_in(name)]))
            }
        }
    }

    /// Writes a verdict on the login that was sent; answers whether that login is still the stored one. About an older one
    /// nothing is proven.
    fn note(&self, sending: &Sending<'_>, (state, reason): (State, &str), held: &Held) -> Result<bool, Error> {
        let inner = self.lock_landing(None)?;
        let snapshot = self.snapshot()?;
        let name = sending.name();
        let token = Some(sending.token());
        let stored = snapshot.record(name).and_then(Record::login).and_then(|login| login.refresh_print());
        let live = match &snapshot.live.found {
            clauth_claude::Found::Login(login) => login.refresh_print(),
            _ => None,
        };
        let lent = snapshot.record(name).is_some_and(|record| record.lent_to(&snapshot.home_id));
        if stored != token || (lent && live != token) {
            return Ok(false);
        }
        // An interrupted change is finished first; then the mark tells.
        if snapshot.unfinished.is_some() {
            return Ok(true);
        }
        let mut desk = Desk::new(self, &snapshot)?;
        desk.judge(name, state, reason)?;
        if state == State::Dead {
            let mut event = Event::new(desk.now, "dead", reason).about(name).by("settle");
            event.tokens.from = token.map(|token| token.short().to_owned());
            desk.record_event(&event);
        }
        let operation = Operation { done: "refresh", to: Some(name.to_owned()), ..Operation::default() };
        let check = || held.check().and_then(|()| inner.check());
        let applied = self.apply_under(&operation, desk.finish()?.changes, &check)?;
        Ok(matches!(applied, Applied::Done))
    }
}

/// What came, if anything did.
fn came(trouble: Trouble) -> Option<Came> {
    match trouble {
        Trouble::Status(status) => Some(Came::Status(status)),
        Trouble::Unparsable => Some(Came::Unparsable),
        Trouble::Offline | Trouble::Timeout | Trouble::Proxy | Trouble::Untrusted => None,
    }
}

fn failed(name: &str, error: TokenError, next: &[&str]) -> Error {
    let trouble = match error {
        TokenError::NotSent(trouble) | TokenError::Unknown { trouble, .. } => Some(trouble),
        TokenError::Refused | TokenError::Dead => None,
    };
    let kind = match trouble {
        Some(Trouble::Status(_) | Trouble::Unparsable) => Kind::Server,
        Some(Trouble::Offline | Trouble::Timeout | Trouble::Proxy | Trouble::Untrusted) | None => Kind::Offline,
    };
    Error::refused(kind, format!("the login of '{name}' was not renewed: {error}"), name, next)
}
