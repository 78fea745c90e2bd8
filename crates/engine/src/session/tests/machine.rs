//! The machine's logins that Claude Code keeps beside the account's (W4): what a session changes of them lasts.

use clauth_sandbox::{Account, Login, Pair, now_ms};
use serde_json::{Value, json};

use super::credential::Flat;
use super::stage::{modes, usual};
use crate::session::{LinkMode, Tended};
use crate::{Options, Target};

impl Flat {
    /// Writes the credential anew with this under `mcpOAuth`, as Claude Code does: null takes the key away.
    fn set_mcp(&self, value: &Value) {
        self.world.edit_json(&self.place.credential(), |object| {
            object.remove("mcpOAuth");
            if !value.is_null() {
                object.insert("mcpOAuth".into(), value.clone());
            }
        });
    }

    fn mcp_in_tree(&self) -> Value {
        self.world.read_json(&self.place.credential())["mcpOAuth"].clone()
    }

    fn mcp_in_slot(&self) -> Value {
        self.world.read_json(&self.place.slot)["mcpOAuth"].clone()
    }
}

#[test]
fn a_login_to_an_mcp_server_outlives_the_restored_link() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        flat.set_mcp(&json!({"server": "FAKE-MCP-1"}));
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}: nothing to tell about the account");
        assert_eq!(flat.is_link(), mode == LinkMode::Real, "{mode:?}");
        assert_eq!(flat.mcp_in_tree(), json!({"server": "FAKE-MCP-1"}), "{mode:?}: read through the link");
        assert_eq!(flat.mcp_in_slot(), json!({"server": "FAKE-MCP-1"}), "{mode:?}");
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A1", "A1"), "{mode:?}");
        flat.set_mcp(&Value::Null);
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}");
        assert_eq!(flat.mcp_in_slot(), Value::Null, "{mode:?}: and what is gone there is gone");
        assert_eq!(flat.vault(), 0, "{mode:?}");
    }
}

#[test]
fn a_renewal_brings_the_machines_logins_home_with_it() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        flat.claude().rotate_offline();
        flat.set_mcp(&json!({"server": "FAKE-MCP-2"}));
        assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
        assert_eq!((flat.slot().as_str(), flat.mcp_in_slot()), ("A2", json!({"server": "FAKE-MCP-2"})), "{mode:?}");
        assert_eq!(flat.mcp_in_tree(), json!({"server": "FAKE-MCP-2"}), "{mode:?}");
    }
}

#[test]
fn what_the_slot_has_of_the_machine_survives_an_earlier_copy_and_a_sign_out() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        let early = flat.world.read_json(&flat.place.slot);
        flat.claude().rotate_offline();
        flat.set_mcp(&json!({"server": "FAKE-MCP-3"}));
        assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
        flat.world.edit_json(&flat.place.credential(), |object| {
            object.clear();
            object.extend(early.as_object().expect("an object").clone());
            object.insert("pluginSecrets".into(), json!({"plugin": "FAKE-SECRET"}));
        });
        assert_eq!(flat.tend(), Tended::Replaced, "{mode:?}: a used-up generation");
        assert_eq!(flat.mcp_in_slot(), json!({"server": "FAKE-MCP-3"}), "{mode:?}");
        assert_eq!(flat.mcp_in_tree(), json!({"server": "FAKE-MCP-3"}), "{mode:?}: both sides say the same");
        assert_eq!(flat.world.read_json(&flat.place.slot)["pluginSecrets"]["plugin"], "FAKE-SECRET", "{mode:?}");
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}");
        flat.claude().sign_out().expect("signed out");
        flat.set_mcp(&Value::Null);
        assert_eq!(flat.tend(), Tended::Later, "{mode:?}");
        assert_eq!(flat.mcp_in_slot(), json!({"server": "FAKE-MCP-3"}), "{mode:?}");
    }
}

#[test]
fn a_switch_leaves_the_machines_logins_where_they_are() {
    let flat = Flat::parked(usual());
    flat.set_mcp(&json!({"server": "FAKE-OF-THE-SESSION"}));
    assert_eq!(flat.tend(), Tended::Quiet);
    flat.world.seed_mcp();
    let live = flat.world.read_json(&flat.world.credentials_path())["mcpOAuth"].clone();
    flat.engine().switch(Target::Named("a"), Options::default()).expect("a switch");
    assert_eq!(flat.world.live(), "A1");
    assert_eq!(flat.world.read_json(&flat.world.credentials_path())["mcpOAuth"], live, "live stays as live");
    assert_eq!(flat.mcp_in_slot(), json!({"server": "FAKE-OF-THE-SESSION"}), "the session's stay its own");
    flat.engine().switch(Target::Named("b"), Options::default()).expect("a switch");
    assert_eq!((flat.slot().as_str(), flat.mcp_in_slot()), ("A1", json!({"server": "FAKE-OF-THE-SESSION"})));
    assert_eq!(flat.world.read_json(&flat.world.credentials_path())["mcpOAuth"], live);
}

#[test]
fn a_login_without_a_refresh_token_is_kept_unless_it_is_the_profiles_own() {
    let own = Login::new(&Account::a(), Pair::new("A", 9)).ending_at(None);
    let other = Login::new(&Account::c(), Pair::new("C", 9)).ending_at(Some(now_ms() + 99 * 24 * 3_600_000));
    let rows = [
        ("by the state file", own, true, Tended::Replaced),
        ("another account's, by the state file", other.clone(), true, Tended::Later),
        ("nobody's word", other, false, Tended::Later),
    ];
    for (name, login, named, expected) in rows {
        let flat = Flat::parked(usual());
        flat.sign_in(&login);
        flat.world.edit_json(&flat.place.credential(), |object| {
            let oauth = object["claudeAiOauth"].as_object_mut().expect("a login");
            oauth.shift_remove("refreshToken");
        });
        if !named {
            flat.world.edit_json(&flat.place.tree.join(".claude.json"), |state| drop(state.remove("oauthAccount")));
        }
        let tended = flat.tend();
        let foreign = matches!(tended, Tended::Foreign { new: true, .. });
        assert!(foreign || tended == expected, "{name}: {tended:?}");
        assert_eq!((foreign, flat.vault()), (expected == Tended::Later, usize::from(foreign)), "{name}");
        assert_eq!(flat.slot(), "A1", "{name}");
    }
}
