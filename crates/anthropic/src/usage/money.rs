//! What is paid beyond the plan: in the right unit and the right currency.

use serde_json::{Map, Value};

use super::{field, number, percent};

/// Currencies without a smaller unit (ISO 4217).
const WHOLE: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Currencies with a thousand smaller units.
const THOUSAND: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Paid use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spend {
    /// How much was paid, in units of the currency.
    pub used: Option<f64>,
    /// How much may be paid; `None` while it is enabled means that there is no cap.
    pub limit: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// How much of the limit is used: 0 to 100.
    pub percent: Option<f64>,
    /// It may be used.
    pub enabled: bool,
}

impl Spend {
    /// How many digits an amount of its currency has behind the point.
    #[must_use]
    pub fn digits(&self) -> usize {
        match self.currency.as_deref() {
            Some(currency) if WHOLE.contains(&currency) => 0,
            Some(currency) if THOUSAND.contains(&currency) => 3,
            _ => 2,
        }
    }
}

/// What a body says of it: `spend`, which is newer, before `extra_usage`.
pub(super) fn of(body: &Map<String, Value>) -> Option<Spend> {
    let object = |key: &str| field(body, key).and_then(Value::as_object);
    let (newer, older) = (object("spend").map(of_spend), object("extra_usage").map(of_extra));
    // One that says nothing hides nothing.
    newer.clone().filter(|spend| *spend != Spend::default()).or(older).or(newer)
}

fn of_spend(spend: &Map<String, Value>) -> Spend {
    let amount = |key: &str| field(spend, key).and_then(Value::as_object);
    let (used, limit) = (amount("used"), amount("limit"));
    let money = |amount: &Map<String, Value>| {
        let currency = currency(amount);
        major(field(amount, "amount_minor")?, digits(field(amount, "exponent"), currency.as_deref()))
    };
    Spend {
        used: used.and_then(money),
        limit: limit.and_then(money),
        currency: used.and_then(currency).or_else(|| limit.and_then(currency)),
        percent: field(spend, "percent").and_then(percent),
        enabled: field(spend, "enabled").and_then(Value::as_bool) == Some(true),
    }
}

fn of_extra(extra: &Map<String, Value>) -> Spend {
    let currency = currency(extra);
    let digits = digits(field(extra, "decimal_places"), currency.as_deref());
    let money = |key: &str| field(extra, key).and_then(|minor| major(minor, digits));
    Spend {
        used: money("used_credits"),
        limit: money("monthly_limit"),
        percent: field(extra, "utilization").and_then(percent),
        enabled: field(extra, "is_enabled").and_then(Value::as_bool) == Some(true),
        currency,
    }
}

/// Three letters, or nothing that is known.
fn currency(object: &Map<String, Value>) -> Option<String> {
    crate::text::currency(field(object, "currency")?.as_str()?)
}

/// How many digits the smaller unit has: as the server says, else as the currency has it.
fn digits(said: Option<&Value>, currency: Option<&str>) -> u32 {
    let said = said.and_then(number).and_then(|said| (0..=6).find(|digits| f64::from(*digits) == said));
    match (said, currency) {
        (Some(digits), _) => digits,
        (None, Some(currency)) if WHOLE.contains(&currency) => 0,
        (None, Some(currency)) if THOUSAND.contains(&currency) => 3,
        (None, _) => 2,
    }
}

/// An amount of smaller units in units.
fn major(minor: &Value, digits: u32) -> Option<f64> {
    number(minor).map(|minor| minor / f64::from(10_u32.pow(digits)))
}
