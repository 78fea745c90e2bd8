//! `usage_cache.json`: the last answer of the usage endpoint. The keys of version 0.4.0 are written too, so that both read
//! one file; what 0.4.0 does not know lies under one key of our own, and a file without it has figures without an age.

use std::path::Path;
use std::time::Duration;

use clauth_anthropic::{ProfileAnswer, Spend, UsageAnswer, UsageWindow};
use clauth_durable::{Disk, Mode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::carried::is_same;
use super::{Balance, Source, Trouble};

/// How often plan and subscription are looked up.
const HOURLY: SignedDuration = SignedDuration::from_hours(1);

/// Two ends this near are one login's (O1).
const SAME: SignedDuration = SignedDuration::from_mins(2);

/// Our own key.
const OURS: &str = "clauth";

/// The windows of 0.4.0, with our ids for them.
const FLAT: [(&str, &str, &str); 4] = [
    ("five_hour", "5h", "5h"),
    ("seven_day", "7d", "7d"),
    ("seven_day_opus", "7d:opus", "7d Opus"),
    ("seven_day_sonnet", "7d:sonnet", "7d Sonnet"),
];

/// A request that failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) error: Trouble,
    pub(crate) at: Timestamp,
    /// Nobody asks before.
    pub(crate) retry_at: Option<Timestamp>,
    /// When the login ends that was asked with, which no renewal changes: it tells whether there was a sign-in since (O1).
    pub(crate) login_ends: Option<Timestamp>,
}

impl Failed {
    /// Whether it is about a sign-in before the one that ends then: what its token lacked, that of another may have.
    pub(crate) fn is_over(&self, login_ends: Option<Timestamp>) -> bool {
        let ends = self.login_ends.zip(login_ends);
        self.error == Trouble::Scope && ends.is_some_and(|(one, other)| one.duration_since(other).abs() > SAME)
    }
}

/// What the profile endpoint said, and when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LookedUp {
    pub(crate) at: Timestamp,
    pub(crate) plan: Option<String>,
    pub(crate) subscription: Option<String>,
}

/// Whether there are new figures to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Answer,
    Nothing,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cache {
    /// Whose figures these are: a profile may come to hold another account.
    pub(crate) account: Option<String>,
    /// When the answer came.
    pub(crate) as_of: Option<Timestamp>,
    /// The interval in force then.
    pub(crate) every: Duration,
    /// What it said.
    pub(crate) answer: UsageAnswer,
    /// What a provider holds.
    pub(crate) balances: Vec<Balance>,
    /// Who said it.
    pub(crate) source: Source,
    /// The last request that failed, if it came after that answer.
    pub(crate) failed: Option<Failed>,
    /// The last look-up of the plan that succeeded.
    pub(crate) looked_up: Option<LookedUp>,
    /// When the plan was asked for last, whatever came.
    pub(crate) plan_asked: Option<Timestamp>,
    /// The figures moved since the answer before: somebody uses the account.
    pub(crate) moving: bool,
    /// 0.4.0's `plan`, carried along.
    plan_fields: Option<Value>,
}

impl Cache {
    /// The file of a profile. One that is missing, or cannot be understood, is none: it is only a cache.
    pub(crate) fn read(disk: &Disk, path: &Path) -> Option<Self> {
        let bytes = disk.read(path).ok().flatten()?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file: Value = serde_json::from_slice(bytes).ok()?;
        let plan_fields = file.get("plan").filter(|plan| plan.is_object()).cloned();
        let Some(own) = file.get(OURS) else {
            let windows = FLAT.iter().filter_map(|(key, id, label)| flat(file.get(key)?, (id, label))).collect();
            let answer = UsageAnswer { windows, spend: None };
            return file.is_object().then(|| Self { answer, plan_fields, ..Self::default() });
        };
        let windows = own.get("windows").and_then(Value::as_array).into_iter().flatten().filter_map(window).collect();
        Some(Self {
            account: text(own, "account"),
            as_of: time(own, "as_of"),
            every: Duration::from_secs(own.get("every_s").and_then(Value::as_u64).unwrap_or_default()),
            answer: UsageAnswer { windows, spend: own.get("spend").and_then(spend) },
            balances: own.get("balances").and_then(Value::as_array).into_iter().flatten().filter_map(balance).collect(),
            source: if text(own, "source").as_deref() == Some("provider") { Source::Provider } else { Source::Api },
            failed: own.get("failed").and_then(|failed| {
                let error = Trouble::parse(failed.get("error")?.as_str()?)?;
                let (retry_at, login_ends) = (time(failed, "retry_at"), time(failed, "login_ends"));
                Some(Failed { error, at: time(failed, "at")?, retry_at, login_ends })
            }),
            looked_up: own.get("looked_up").and_then(|looked| {
                let (plan, subscription) = (text(looked, "plan"), text(looked, "subscription"));
                Some(LookedUp { at: time(looked, "at")?, plan, subscription })
            }),
            plan_asked: time(own, "plan_asked"),
            moving: own.get("moving").and_then(Value::as_bool) == Some(true),
            plan_fields,
        })
    }

    /// Whether the plan may be asked for: at most hourly, whatever came (facts §4.2).
    pub(crate) fn is_plan_due(&self, now: Timestamp) -> bool {
        let last = self.plan_asked.max(self.looked_up.as_ref().map(|looked| looked.at));
        last.is_none_or(|at| now.duration_since(at).abs() >= HOURLY)
    }

    /// Takes what the profile endpoint said.
    pub(crate) fn look_up(&mut self, answer: &ProfileAnswer, at: Timestamp) {
        let plan = clauth_anthropic::plan_label(answer);
        self.looked_up = Some(LookedUp { at, plan, subscription: answer.subscription_status.clone() });
        self.plan_fields = Some(json!({
            "organization_type": answer.organization_type, "rate_limit_tier": answer.rate_limit_tier,
            "has_max": answer.has_max == Some(true), "has_pro": answer.has_pro == Some(true),
        }));
    }

    /// Lets stand what `other`, which is on the disk, has since it was read as `before`: somebody asked at the same time. Whoever
    /// stores last need not know the latest, but within a window nothing is given back: the higher figure is the later one.
    pub(crate) fn meet(&mut self, other: Self, before: &Self, came: Came) {
        if self.failed.as_ref().is_some_and(|failed| failed.error == Trouble::Account) {
            // Whoever stored figures meanwhile did not know whose they are.
            return;
        }
        let looked_up = |cache: &Self| cache.looked_up.as_ref().map(|looked| looked.at);
        if looked_up(&other) > looked_up(self) {
            (self.looked_up, self.plan_fields) = (other.looked_up, other.plan_fields);
        }
        if other.plan_asked != before.plan_asked {
            self.plan_asked = self.plan_asked.max(other.plan_asked);
        }
        let pause = |failed: Option<&Failed>| failed.and_then(|failed| failed.retry_at);
        let answered = other.as_of != before.as_of;
        let untold = came == Came::Nothing && answered && pause(self.failed.as_ref()).is_none();
        let longer = pause(other.failed.as_ref()) > pause(self.failed.as_ref());
        if untold || (longer && other.failed != before.failed) {
            self.failed = other.failed;
        }
        match came {
            Came::Nothing if answered => {
                (self.as_of, self.every, self.moving) = (other.as_of, other.every, other.moving);
                (self.answer, self.balances, self.source) = (other.answer, other.balances, other.source);
            }
            Came::Answer if answered && self.source == Source::Api => {
                self.answer.windows.iter_mut().for_each(|window| catch_up(window, &other.answer.windows));
            }
            _ => {}
        }
    }

    /// Writes the file. A profile that was removed meanwhile has no directory any more, and is not made anew.
    pub(crate) fn write(&self, disk: &Disk, path: &Path) -> Result<(), clauth_durable::Error> {
        disk.replace(path, self.text().as_bytes(), Mode::Private)
    }

    fn text(&self) -> String {
        let mut file = Map::new();
        if let Some(plan) = &self.plan_fields {
            file.insert("plan".into(), plan.clone());
        }
        for (key, id, _) in FLAT.into_iter().filter(|_| self.source == Source::Api) {
            if let Some(window) = self.answer.windows.iter().find(|window| window.id == id) {
                let resets_at = window.resets_at.map(|at| at.to_string());
                file.insert(key.into(), json!({"utilization": window.percent, "resets_at": resets_at}));
            }
        }
        let windows: Vec<Value> = self.answer.windows.iter().map(of_window).collect();
        let failed = self.failed.as_ref().map(|failed| {
            json!({"error": failed.error.word(), "at": stamp(Some(failed.at)), "retry_at": stamp(failed.retry_at),
                "login_ends": stamp(failed.login_ends)})
        });
        let looked_up = self.looked_up.as_ref().map(
            |looked| json!({"at": stamp(Some(looked.at)), "plan": looked.plan, "subscription": looked.subscription}),
        );
        let own = json!({
            "schema": 1, "account": self.account, "as_of": stamp(self.as_of), "every_s": self.every.as_secs(),
            "windows": windows, "spend": self.answer.spend.as_ref().map(of_spend), "failed": failed,
            "looked_up": looked_up, "plan_asked": stamp(self.plan_asked), "moving": self.moving,
            "source": self.source.word(), "balances": self.balances.iter().map(of_balance).collect::<Vec<_>>(),
        });
        file.insert(OURS.into(), own);
        format!("{}\n", Value::Object(file))
    }
}

/// Takes the later figure of a window, if another answer has it.
fn catch_up(window: &mut UsageWindow, others: &[UsageWindow]) {
    let Some(other) = others.iter().find(|other| other.id == window.id) else { return };
    let later = match window.resets_at.zip(other.resets_at) {
        Some((own, theirs)) if !is_same(own, theirs) => theirs > own,
        _ => other.percent > window.percent,
    };
    if later {
        (window.percent, window.resets_at) = (other.percent, other.resets_at);
    }
}

fn flat(value: &Value, (id, label): (&str, &str)) -> Option<UsageWindow> {
    let percent = value.get("utilization")?.as_f64().filter(|percent| percent.is_finite())?;
    Some(UsageWindow {
        id: id.to_owned(),
        label: label.to_owned(),
        percent: percent.clamp(0.0, 100.0),
        resets_at: time(value, "resets_at"),
        binding: false,
    })
}

fn window(value: &Value) -> Option<UsageWindow> {
    Some(UsageWindow {
        id: text(value, "id")?,
        label: text(value, "label")?,
        percent: value.get("percent")?.as_f64()?,
        resets_at: time(value, "resets_at"),
        binding: value.get("binding").and_then(Value::as_bool) == Some(true),
    })
}

fn of_window(window: &UsageWindow) -> Value {
    json!({
        "id": window.id, "label": window.label, "percent": window.percent, "resets_at": stamp(window.resets_at),
        "binding": window.binding,
    })
}

fn spend(value: &Value) -> Option<Spend> {
    let number = |key: &str| value.get(key).and_then(Value::as_f64);
    Some(Spend {
        used: number("used"),
        limit: number("limit"),
        currency: text(value, "currency"),
        percent: number("percent"),
        enabled: value.get("enabled")?.as_bool()?,
    })
}

fn of_spend(spend: &Spend) -> Value {
    json!({
        "used": spend.used, "limit": spend.limit, "currency": spend.currency, "percent": spend.percent,
        "enabled": spend.enabled,
    })
}

fn balance(value: &Value) -> Option<Balance> {
    let amount = value.get("amount")?.as_f64()?;
    Some(Balance { label: text(value, "label")?, amount, currency: text(value, "currency") })
}

fn of_balance(balance: &Balance) -> Value {
    json!({"label": balance.label, "amount": balance.amount, "currency": balance.currency})
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(crate::text::shown)
}

fn time(value: &Value, key: &str) -> Option<Timestamp> {
    value.get(key)?.as_str()?.parse().ok()
}

fn stamp(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    fn cache() -> Cache {
        let window = |id: &str, label: &str, percent| UsageWindow {
            id: id.into(),
            label: label.into(),
            percent,
            resets_at: Some(at(99)),
            binding: id == "5h",
        };
        Cache {
            account: Some("ab12".into()),
            as_of: Some(at(0)),
            every: Duration::from_secs(300),
            answer: UsageAnswer {
                windows: vec![window("5h", "5h", 42.5), window("7d:fable", "7d Fable", 88.0)],
                spend: Some(Spend {
                    used: Some(3.05),
                    currency: Some("EUR".into()),
                    enabled: true,
                    ..Spend::default()
                }),
            },
            failed: Some(Failed {
                error: Trouble::Throttled,
                at: at(5),
                retry_at: Some(at(305)),
                login_ends: Some(at(9)),
            }),
            looked_up: Some(LookedUp { at: at(-9), plan: Some("Max 5x".into()), subscription: None }),
            plan_asked: Some(at(-4)),
            balances: vec![Balance { label: "credits".into(), amount: -1.5, currency: Some("USD".into()) }],
            source: Source::Api,
            moving: true,
            plan_fields: Some(json!({"has_max": true, "has_pro": false})),
        }
    }

    #[test]
    fn a_reading_survives_the_file() {
        for cache in [cache(), Cache::default(), Cache { source: Source::Provider, ..cache() }] {
            assert_eq!(Cache::parse(cache.text().as_bytes()), Some(cache));
        }
    }

    #[test]
    fn version_0_4_0_finds_its_own_keys() {
        let file: Value = serde_json::from_str(&cache().text()).expect("JSON");
        assert_eq!(file["five_hour"]["utilization"], 42.5);
        assert_eq!(file["five_hour"]["resets_at"], at(99).to_string());
        assert_eq!(file["plan"]["has_max"], true);
        assert_eq!(file.get("seven_day"), None, "what was not reported is not there");
        let other = Cache { source: Source::Provider, ..cache() };
        let file: Value = serde_json::from_str(&other.text()).expect("JSON");
        assert_eq!(file.get("five_hour"), None, "a provider's windows are none of Claude's");
    }

    #[test]
    fn a_file_of_0_4_0_has_figures_without_an_age() {
        let text = br#"{"plan":{"has_max":true,"has_pro":false},"five_hour":{"utilization":12.5,"resets_at":"2025-12-25T12:00:00.000Z"},
            "seven_day_opus":{"utilization":3},"extra_usage":{"is_enabled":false}}"#;
        let cache = Cache::parse(text).expect("a cache");
        assert_eq!(cache.as_of, None);
        let shown: Vec<String> = cache.answer.windows.iter().map(|w| format!("{} {}", w.id, w.percent)).collect();
        assert_eq!(shown, ["5h 12.5", "7d:opus 3"]);
        assert_eq!(cache.plan_fields, Some(json!({"has_max": true, "has_pro": false})));
    }

    #[test]
    fn what_cannot_be_understood_is_no_reading() {
        for (name, text) in [("nothing", ""), ("torn", "{\"clauth\":{"), ("a list", "[]"), ("a page", "<html>")] {
            assert_eq!(Cache::parse(text.as_bytes()), None, "{name}");
        }
        let odd = br#"{"clauth":{"as_of":7,"windows":[{"id":"5h"},{"id":"7d","label":"7d","percent":1}],"failed":{"error":"new"}}}"#;
        let cache = Cache::parse(odd).expect("a cache");
        assert_eq!((cache.as_of, cache.answer.windows.len(), cache.failed), (None, 1, None));
    }
}
