//! `credentials.json.staged`: a pair that came back from a renewal and had not reached its place. It is landed only where the
//! token that it was made from still stands; its shape is not known beyond a login and that token's fingerprint.

use clauth_claude::{AccountPart, Credentials, Found};
use clauth_durable::Document;
use clauth_host::Fingerprint;
use serde_json::Value;

use super::spent::print;

/// A staged pair.
pub(super) struct StagedPair {
    pub(super) login: AccountPart,
    /// The refresh token that it was made from.
    pub(super) base: Option<Fingerprint>,
}

/// Where the login may stand in it: by itself, or as a member.
const LOGIN: [&[&str]; 5] = [&[], &["credentials"], &["login"], &["pair"], &["staged"]];

/// Under what name the fingerprint of the base may stand.
const BASE: [&str; 7] = ["base", "base_fingerprint", "baseFingerprint", "base_token", "sent", "from", "parent"];

/// Reads one; `None` when there is no login in it that can be used.
pub(super) fn read(bytes: &[u8]) -> Option<StagedPair> {
    let document = Document::parse(bytes.to_vec()).ok()?;
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let login = LOGIN.iter().find_map(|path| {
        let raw = if path.is_empty() { Some(std::str::from_utf8(bytes).ok()?) } else { document.raw(path) };
        let object = Credentials::parse(raw?.as_bytes().to_vec()).ok()?;
        let whole = matches!(object.login(), Found::Login(login) if login.refresh.is_some());
        whole.then(|| object.account())
    })?;
    Some(StagedPair { login: without_base(login), base: base(&value) })
}

fn base(value: &Value) -> Option<Fingerprint> {
    let named = BASE.iter().find_map(|key| value.get(key)?.as_str().and_then(print));
    named.or_else(|| value.as_object()?.values().filter(|value| value.is_object()).find_map(base))
}

/// The login without what the stage says about it, where both are members of one object.
fn without_base(login: AccountPart) -> AccountPart {
    let Ok(mut document) = Document::parse(login.bytes().to_vec()) else { return login };
    for key in BASE {
        let _ = document.remove(&[key]);
    }
    AccountPart::parse(document.into_bytes()).unwrap_or(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_and_its_base_are_found_in_any_of_the_shapes() {
        let login = r#"{"claudeAiOauth": {"accessToken": "sk-ant-oat01-FAKE", "refreshToken": "sk-ant-ort01-FAKE"}}"#;
        let base = Fingerprint::of(b"before");
        let inner = login.trim_start_matches('{');
        for (name, text, based) in [
            ("a login alone", login.to_owned(), false),
            ("beside its base", format!("{{\"base\": \"{}\", {inner}", base.full()), true),
            ("as a member", format!("{{\"credentials\": {login}, \"base_fingerprint\": \"{}\"}}", base.full()), true),
            ("with the hash's name", format!("{{\"login\": {login}, \"from\": \"sha256:{}\"}}", base.full()), true),
            ("a level down", format!("{{\"login\": {login}, \"meta\": {{\"sent\": \"{}\"}}}}", base.full()), true),
        ] {
            let staged = read(text.as_bytes()).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(staged.base, based.then(|| base.clone()), "{name}");
            assert!(!String::from_utf8_lossy(staged.login.bytes()).contains("base"), "{name}");
        }
        for (name, text) in [
            ("torn", "{\"claudeAiOauth\": {"),
            ("nothing", "{}"),
            ("half a pair", r#"{"claudeAiOauth": {"accessToken": "sk-ant-oat01-FAKE"}}"#),
            ("blank", r#"{"claudeAiOauth": {"accessToken": "", "refreshToken": ""}}"#),
        ] {
            assert!(read(text.as_bytes()).is_none(), "{name}");
        }
    }
}
