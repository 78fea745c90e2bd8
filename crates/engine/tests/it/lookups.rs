//! Look-ups of identities: counted with everything else that is asked about an account (design §5), and what they prove (O2).

use clauth_engine::{Asking, Options, Target};
use clauth_sandbox::{Account as Person, Reply, Route};

use crate::house::House;

fn asked(house: &House) -> usize {
    [Route::Usage, Route::Profile].iter().map(|route| house.fake().requests_to(*route).len()).sum()
}

fn proven(house: &House, name: &str) -> bool {
    let listing = house.engine().list().expect("a list");
    listing.accounts.iter().find(|account| account.name == name).expect("an account").proven
}

/// a captured while nobody answered, so that only the state file says whose it is.
fn unproven(name: &str) -> House {
    let house = House::with_server(name);
    house.sign_in(&Person::a());
    house.fake().script(Route::Profile, vec![Reply::DropBefore]);
    assert!(!house.capture("a").proven);
    house
}

#[test]
fn look_ups_and_readings_have_one_budget() {
    let house = House::with_server("l-one");
    house.sign_in(&Person::a());
    for _ in 0..7 {
        house.capture("a");
        house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    }
    assert_eq!(asked(&house), 7 + 7 + 1, "captures, readings, and the plan once");
    for _ in 0..10 {
        assert!(house.capture("a").proven, "what is known stays known");
    }
    assert_eq!(asked(&house), 20, "no twenty-first within the hour, whoever asks");
    let said = house.said.lock().expect("not poisoned").join("\n");
    assert!(said.contains("the server is not asked whose this login is"), "{said}");
    let budget = house.engine().usage(Some("a"), Asking::Everybody).expect("usage").listing.accounts[0].budget;
    assert_eq!(budget.map(|budget| budget.used), Some(20));
    assert_eq!(asked(&house), 20);
}

#[test]
fn when_no_more_may_be_asked_commands_go_on_as_with_the_network_off() {
    let house = House::two_with_server("l-spent");
    for _ in 0..25 {
        house.engine().usage(None, Asking::Everybody).expect("usage");
    }
    house.fake().forget_requests();
    // A newer pair of the live account, which nobody but the server and its state file can tell.
    house.sign_in(&Person::b());
    house.capture("b");
    house.switch("a");
    house.switch("b");
    assert_eq!(house.fake().requests_to(Route::Profile).len(), 0);
    assert_eq!(house.world.identity(), "B", "and the account is named all the same");
}

#[test]
fn a_login_that_nobody_names_is_counted_too_and_for_its_account_once_that_is_known() {
    let house = House::with_server("l-nobody");
    house.sign_in(&Person::a());
    house.world.edit_json(&house.world.state_path(), |state| drop(state.remove("oauthAccount")));
    house.fake().script(Route::Profile, vec![Reply::status(500), Reply::status(500)]);
    for _ in 0..3 {
        house.capture("a");
    }
    assert_eq!(asked(&house), 3);
    assert!(proven(&house, "a"), "the third was answered");
    let usage = house.engine().usage(Some("a"), Asking::Nobody).expect("usage");
    assert!(usage.listing.accounts[0].usage.is_none());
    for _ in 0..30 {
        house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    }
    assert_eq!(asked(&house), 20, "the three are taken along");
}

#[test]
fn a_dry_run_asks_nobody_and_writes_nothing() {
    let house = House::two_with_server("l-dry");
    house.sign_in(&Person::c());
    house.fake().forget_requests();
    let before = house.world.snapshot();
    let options = Options { dry_run: true, ..Options::default() };
    let report = house.engine().switch(Target::Named("a"), options).expect("a plan");
    assert_eq!(house.fake().requests().len(), 0);
    assert_eq!(clauth_sandbox::world::changes(&before, &house.world.snapshot()), Vec::<String>::new());
    assert!(report.warnings.iter().any(|warning| warning.contains("a dry run asks nobody")), "{:?}", report.warnings);
}

#[test]
fn the_hourly_look_up_proves_whose_a_profile_is() {
    let house = unproven("l-prove");
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert!(usage.listing.accounts[0].proven, "the server said so for this very token");
    assert_eq!(house.world.read_json(&house.world.root().join("profiles/a/identity.json"))["by"], "endpoint");
    assert!(usage.listing.accounts[0].usage.is_some());
    house.fake().assert_clean();
}

#[test]
fn a_profile_without_an_identity_gets_one_and_keeps_its_reading_and_its_count() {
    let house = unproven("l-none");
    std::fs::remove_file(house.world.root().join("profiles/a/identity.json")).expect("removed");
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    let account = &usage.listing.accounts[0];
    assert!(account.proven && account.email.is_some());
    assert!(account.usage.as_ref().is_some_and(|reading| reading.window("5h").is_some()), "{:?}", account.usage);
    // What was captured under the state file's name, and what was asked under the profile's, is one account's.
    assert_eq!((account.budget.map(|budget| budget.used), asked(&house)), (Some(3), 3));
}

#[test]
fn what_the_server_says_of_another_account_or_of_an_earlier_login_proves_nothing() {
    let house = unproven("l-other");
    house.fake().set_profile(&Person::a(), Person::c().profile());
    house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert!(!proven(&house, "a"), "it is somebody else by the server's word");
}

#[test]
fn what_a_killed_count_leaves_goes_by_age() {
    let house = House::two("l-temps");
    let poll = house.world.root().join("poll");
    let (old, young) = (poll.join(".0123456789abcdef.json.clauth-1"), poll.join(".0123456789abcdef.json.clauth-2"));
    for (path, minutes) in [(&old, 30), (&young, 1)] {
        let file = std::fs::File::create(path).expect("a file");
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(minutes * 60)).expect("a date");
    }
    house.switch("a");
    assert_eq!((old.exists(), young.exists()), (false, true));
}
