//! What is wrong at Anthropic at present, in words and as a document.

use clauth_engine::Incident;
use serde_json::{Value, json};

use crate::commands::time;
use crate::readings::Clockwork;

/// `status.claude.com: Elevated errors (minor, identified, since 18:37; claude.ai)`, one line each.
pub(crate) fn lines(incidents: Option<&[Incident]>, clock: &Clockwork) -> Vec<String> {
    let line = |incident: &Incident| {
        let since = incident.since.map(|at| format!("since {}", clock.local(at)));
        let known = [incident.impact.clone(), incident.status.clone(), since];
        let known: Vec<String> = known.into_iter().flatten().collect();
        let mut facts = vec![known.join(", "), incident.components.join(", ")];
        facts.retain(|fact| !fact.is_empty());
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
        format!("status.claude.com: {}{facts}", incident.name)
    };
    incidents.unwrap_or_default().iter().map(line).collect()
}

/// The same for programs; `null` where it is not known.
pub(crate) fn document(incidents: Option<&[Incident]>) -> Value {
    let of = |incident: &Incident| {
        json!({"name": incident.name, "impact": incident.impact, "status": incident.status,
            "since": time(incident.since), "components": incident.components})
    };
    incidents.map_or(Value::Null, |incidents| incidents.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn an_incident_is_one_line() {
        let now = "2026-11-20T19:00:00Z".parse().expect("a time");
        let clock = Clockwork { now, zone: TimeZone::UTC };
        let bare = Incident { name: "Down".into(), impact: None, status: None, since: None, components: vec![] };
        let whole = Incident {
            name: "Elevated errors".into(),
            impact: Some("minor".into()),
            status: Some("identified".into()),
            since: "2026-11-20T18:37:44Z".parse().ok(),
            components: vec!["claude.ai".into(), "Claude Code".into()],
        };
        let expected = [
            "status.claude.com: Elevated errors (minor, identified, since 18:37; claude.ai, Claude Code)",
            "status.claude.com: Down",
        ];
        assert_eq!(lines(Some(&[whole, bare]), &clock), expected);
        assert_eq!(lines(None, &clock), Vec::<String>::new());
        assert_eq!((document(None), document(Some(&[]))), (Value::Null, json!([])), "unknown is not nothing");
    }
}
