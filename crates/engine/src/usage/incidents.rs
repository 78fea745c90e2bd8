//! What is wrong at Anthropic at present, by its status page: asked beside readings at most every 5 minutes, by one process for
//! all, and kept in `incidents.json` (facts §4.5).

use std::time::Duration;

use clauth_anthropic::Incident;
use clauth_durable::Mode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Engine;

/// No two requests are closer together.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// What is older tells nothing of the present.
const OLD: SignedDuration = SignedDuration::from_mins(30);

/// The longest that the request may take.
const DEADLINE: Duration = Duration::from_secs(4);

/// The file.
#[derive(Clone, Debug, Default, PartialEq)]
struct File {
    /// The last request, answered or not.
    asked_at: Option<Timestamp>,
    /// The last answer.
    as_of: Option<Timestamp>,
    incidents: Vec<Incident>,
}

impl File {
    /// A file that cannot be understood is none: it is only a cache.
    fn parse(bytes: &[u8]) -> Self {
        let file: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(crate::text::shown);
        let time = |value: &Value, key: &str| value.get(key)?.as_str()?.parse().ok();
        let incident = |value: &Value| {
            let components = value.get("components").and_then(Value::as_array).into_iter().flatten();
            Some(Incident {
                name: text(value, "name")?,
                impact: text(value, "impact"),
                status: text(value, "status"),
                since: time(value, "since"),
                components: components.filter_map(Value::as_str).map(crate::text::shown).collect(),
            })
        };
        let incidents = file.get("incidents").and_then(Value::as_array).into_iter().flatten();
        Self {
            asked_at: time(&file, "asked_at"),
            as_of: time(&file, "as_of"),
            incidents: incidents.filter_map(incident).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let stamp = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let incident = |incident: &Incident| {
            json!({"name": incident.name, "impact": incident.impact, "status": incident.status,
                "since": stamp(incident.since), "components": incident.components})
        };
        let incidents: Vec<Value> = self.incidents.iter().map(incident).collect();
        crate::json::bytes(&json!({
            "schema": 1, "asked_at": stamp(self.asked_at), "as_of": stamp(self.as_of), "incidents": incidents,
        }))
    }

    /// A clock that was put back blocks nobody for longer than the time between two requests.
    fn is_due(&self, now: Timestamp) -> bool {
        self.asked_at.is_none_or(|at| now.duration_since(at).abs() >= EVERY)
    }

    fn at_present(self, now: Timestamp) -> Option<Vec<Incident>> {
        self.as_of.filter(|at| now.duration_since(*at).abs() <= OLD).map(|_| self.incidents)
    }
}

impl Engine {
    /// What is wrong at present; `None` where nobody has asked of late.
    pub(crate) fn incidents(&self) -> Option<Vec<Incident>> {
        self.incidents_file().at_present(self.host.clock.now())
    }

    /// Asks the status page, unless it was asked a moment ago. That it does not answer is nobody's trouble.
    pub(crate) fn ask_incidents(&self) {
        if !self.incidents_file().is_due(self.host.clock.now()) || !self.may_ask_incidents().unwrap_or(false) {
            return;
        }
        let Ok(incidents) = self.client(true).incidents(DEADLINE) else { return };
        let now = self.host.clock.now();
        let file = File { asked_at: Some(now), as_of: Some(now), incidents };
        let _ = self.disk.replace(&self.root.incidents(), &file.bytes(), Mode::Private);
    }

    /// Writes a request down before it is made; only one of many processes is told that it may.
    fn may_ask_incidents(&self) -> Result<bool, crate::Error> {
        self.disk.ensure_dir(&self.root.locks())?;
        let held = self.lock_poll("incidents")?;
        let (file, now) = (self.incidents_file(), self.host.clock.now());
        let due = file.is_due(now);
        if due {
            held.check()?;
            let asked = File { asked_at: Some(now), ..file };
            self.disk.replace(&self.root.incidents(), &asked.bytes(), Mode::Private)?;
        }
        Ok(due)
    }

    fn incidents_file(&self) -> File {
        let bytes = self.disk.read(&self.root.incidents()).ok().flatten();
        bytes.map_or_else(File::default, |bytes| File::parse(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    fn file() -> File {
        let incident = Incident {
            name: "Elevated errors".into(),
            impact: Some("minor".into()),
            status: None,
            since: Some(at(-60)),
            components: vec!["claude.ai".into()],
        };
        File { asked_at: Some(at(5)), as_of: Some(at(0)), incidents: vec![incident] }
    }

    #[test]
    fn incidents_survive_the_file() {
        for file in [file(), File::default()] {
            assert_eq!(File::parse(&file.bytes()), file);
        }
        for (name, bytes) in [("nothing", &b""[..]), ("a list", b"[]"), ("odd", b"{\"incidents\":[7,{}],\"as_of\":1}")]
        {
            assert_eq!(File::parse(bytes), File::default(), "{name}");
        }
    }

    #[test]
    fn when_it_is_asked_and_shown_row_by_row() {
        for (name, now, due, shown) in [
            ("just now", 5, false, true),
            ("within five minutes", 304, false, true),
            ("after five minutes", 305, true, true),
            ("after half an hour", 1800, true, true),
            ("later", 1801, true, false),
            ("a clock put back a little", -200, false, true),
            ("a clock put back a day", -86_400, true, false),
        ] {
            assert_eq!(file().is_due(at(now)), due, "{name}");
            assert_eq!(file().at_present(at(now)).is_some(), shown, "{name}");
        }
        assert!(File::default().is_due(at(0)));
        assert_eq!(
            File::default().at_present(at(0)),
            None,
            "that nothing is known does not mean that nothing is wrong"
        );
    }
}
