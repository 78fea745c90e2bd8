//! JSON as JavaScript reads and prints it.

use serde_json::{Map, Number, Value};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The largest integer that JavaScript holds exactly.
const SAFE: u64 = 1 << 53;

/// Changes every number to what `JSON.parse` and `JSON.stringify` make of it: `9007199254740993` loses its last digit.
/// (`1.10` and `1E5` lose their spelling already when they are parsed.)
pub(crate) fn as_javascript(value: &mut Value) {
    match value {
        Value::Number(number) => *number = rounded(number),
        Value::Array(items) => items.iter_mut().for_each(as_javascript),
        Value::Object(object) => object.values_mut().for_each(as_javascript),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A number as a double, printed as an integer where it is one.
fn rounded(number: &Number) -> Number {
    if number.as_i64().is_some_and(|exact| exact.unsigned_abs() <= SAFE) {
        return number.clone();
    }
    let Some(double) = number.as_f64() else { return number.clone() };
    if double.fract() != 0.0 || double.abs() >= 9.2e18 {
        return Number::from_f64(double).unwrap_or_else(|| number.clone());
    }
    Number::from(double as i64)
}

/// `JSON.stringify(value)`.
pub(crate) fn line(object: &Object) -> Vec<u8> {
    let mut value = Value::Object(object.clone());
    as_javascript(&mut value);
    value.to_string().into_bytes()
}

/// `JSON.stringify(value, null, 2)`.
pub(crate) fn pretty(object: &Object) -> Vec<u8> {
    let mut value = Value::Object(object.clone());
    as_javascript(&mut value);
    format!("{value:#}").into_bytes()
}

/// The object in a text value position, or an empty one.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// A string entry that is not empty.
pub(crate) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_from_javascript() {
        for (name, before, after) in [
            ("trailing zero", r#"{"n":1.10}"#, r#"{"n":1.1}"#),
            ("beyond 2^53", r#"{"n":9007199254740993}"#, r#"{"n":9007199254740992}"#),
            ("exponent", r#"{"n":[1E5]}"#, r#"{"n":[100000]}"#),
            ("whole double", r#"{"n":3.0}"#, r#"{"n":3}"#),
            ("negative", r#"{"n":-7}"#, r#"{"n":-7}"#),
            ("milliseconds", r#"{"n":1795190400000}"#, r#"{"n":1795190400000}"#),
        ] {
            let object = object(serde_json::from_str(before).expect("valid"));
            assert_eq!(String::from_utf8_lossy(&line(&object)), after, "{name}");
        }
    }
}
