//! What the status page says is wrong at present (facts §4.5). It is asked without any token.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::http::With;
use crate::text::clean;
use crate::usage::time;
use crate::{Client, LookupError};

/// More than anybody would read.
const MOST: usize = 8;

/// Something that is wrong and not yet put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What, in the page's own words.
    pub name: String,
    /// `none`, `minor`, `major`, `critical`: open-ended.
    pub impact: Option<String>,
    /// `investigating`, `identified`, `monitoring`: open-ended.
    pub status: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Of what: `Claude Code`, `claude.ai`, ….
    pub components: Vec<String>,
}

impl Client<'_> {
    /// What is wrong at present.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub fn incidents(&self, deadline: Duration) -> Result<Vec<Incident>, LookupError> {
        let url = format!("{}/api/v2/incidents/unresolved.json", self.endpoints().status);
        parse(&self.get(&url, With::default(), deadline)?).ok_or(LookupError::Unparsable)
    }
}

fn parse(body: &[u8]) -> Option<Vec<Incident>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let incidents = body.get("incidents")?.as_array()?;
    Some(incidents.iter().filter_map(incident).take(MOST).collect())
}

/// One that has a name and is not over.
fn incident(value: &Value) -> Option<Incident> {
    let text = |value: &Value, key: &str| value.get(key)?.as_str().map(clean).filter(|text| !text.is_empty());
    let status = text(value, "status");
    let is_over = matches!(status.as_deref(), Some("resolved" | "postmortem" | "completed"));
    let components = value.get("components").and_then(Value::as_array).into_iter().flatten();
    (!is_over).then_some(())?;
    Some(Incident {
        name: text(value, "name")?,
        impact: text(value, "impact"),
        since: ["started_at", "created_at"].iter().find_map(|key| value.get(key).and_then(time)),
        components: components.filter_map(|component| text(component, "name")).take(MOST).collect(),
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts §8.12.
    const BODY: &str = r#"{ "page": { "id": "FAKEPAGE", "name": "Claude", "url": "https://status.claude.com" },
      "incidents": [ { "id": "FAKEINC1", "name": "Elevated errors", "status": "identified", "impact": "minor",
        "created_at": "2026-11-20T18:37:44.139Z", "started_at": "2026-11-20T18:37:44.116Z", "monitoring_at": null, "resolved_at": null,
        "updated_at": "2026-11-20T18:40:00.000Z", "shortlink": "https://stspg.io/FAKE",
        "incident_updates": [ { "status": "identified", "body": "We are working on a fix.", "display_at": "2026-11-20T18:40:00.000Z",
          "affected_components": [ { "code": "FAKECOMP", "name": "claude.ai", "old_status": "operational", "new_status": "degraded_performance" } ] } ],
        "components": [ { "name": "claude.ai", "status": "degraded_performance" } ] } ] }"#;

    #[test]
    fn an_incident_is_read_whole() {
        let expected = Incident {
            name: "Elevated errors".into(),
            impact: Some("minor".into()),
            status: Some("identified".into()),
            since: "2026-11-20T18:37:44.116Z".parse().ok(),
            components: vec!["claude.ai".into()],
        };
        assert_eq!(parse(BODY.as_bytes()), Some(vec![expected]));
    }

    #[test]
    fn each_body_row_by_row() {
        let rows: [(&str, &str, Option<&[&str]>); 10] = [
            ("nothing is wrong", r#"{"incidents":[]}"#, Some(&[])),
            ("one is over", r#"{"incidents":[{"name":"a","status":"resolved"},{"name":"b"}]}"#, Some(&["b"])),
            ("nameless", r#"{"incidents":[{"status":"identified"},null,7,{"name":""},{"name":3}]}"#, Some(&[])),
            ("odd fields", r#"{"incidents":[{"name":"a","impact":1,"started_at":{},"components":"x"}]}"#, Some(&["a"])),
            ("control characters", r#"{"incidents":[{"name":"\u001b[2Ja\u202eb\n"}]}"#, Some(&["[2Jab"])),
            ("no list", r#"{"incidents":{}}"#, None),
            ("nothing of incidents", r#"{"page":{}}"#, None),
            ("null", "null", None),
            ("a page", "<html></html>", None),
            ("nothing", "", None),
        ];
        for (name, body, expected) in rows {
            let names = parse(body.as_bytes())
                .map(|incidents| incidents.into_iter().map(|incident| incident.name).collect::<Vec<_>>());
            assert_eq!(names, expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect()), "{name}");
        }
        let many = format!(r#"{{"incidents":[{}]}}"#, vec![r#"{"name":"a"}"#; 100].join(","));
        assert_eq!(parse(many.as_bytes()).map(|incidents| incidents.len()), Some(MOST), "more than anybody reads");
    }
}
