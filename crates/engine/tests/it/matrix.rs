//! Each answer of each endpoint, as `docs/answers.md` has it: the table is read, and every cell is brought about.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clauth_engine::{Account, Asking, Engine, Need};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account as Person, Login, Pair, Reply, Route};
use jiff::Timestamp;
use serde_json::json;

use crate::house::House;

const TABLE: &str = include_str!("../../../../docs/answers.md");

/// Far beyond every test.
const FAR: u64 = 4_000_000_000_000;

/// What is in the body of an answer is in nothing that is told.
const SECRET: &str = "SECRET-OF-A-BODY";

/// The rows of the table: what the server answers, and the cells.
fn rows() -> Vec<(&'static str, [&'static str; 3])> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        (cells[0], [cells[1], cells[2], cells[3]])
    };
    lines.map(cells).collect()
}

/// What the server does, by the name of the row.
fn reply(row: &str) -> Reply {
    known(row).expect("docs/answers.md has only rows that can be brought about here")
}

fn known(row: &str) -> Option<Reply> {
    let refusal = |message: &str| json!({"type": "error", "error": {"type": SECRET, "message": message}});
    Some(match row {
        "401" => Reply::status(401),
        "403 for a missing scope" => {
            Reply::json(403, &refusal("OAuth token does not meet scope requirement: user:profile"))
        }
        "403 as a page" => Reply::Html,
        "400 `invalid_grant`" => Reply::json(400, &json!({"error": "invalid_grant", "error_description": SECRET})),
        "400 of another kind" => Reply::json(400, &refusal("Invalid request format")),
        "429 for 12 minutes" => Reply::throttled(Some("720")),
        "500" => Reply::status(500),
        "503" => Reply::status(503),
        "nothing in time" => Reply::Wait(Gate::new()),
        "nothing, the connection breaks" => Reply::Drop,
        "200 as a page" => {
            let kind = vec![("content-type".to_owned(), "text/html".to_owned())];
            Reply::Status(200, kind, format!("<!DOCTYPE html><html>{SECRET}</html>"))
        }
        _ => return None,
    })
}

/// One that soon gives up where nothing comes.
fn asking(house: &House, row: &str) -> Engine {
    let mut engine = house.engine();
    if row == "nothing in time" {
        engine.patience.reading = Duration::from_millis(300);
        engine.patience.renewal = Duration::from_millis(300);
    }
    engine
}

fn count(house: &House, route: Route) -> usize {
    house.fake().requests_to(route).len()
}

fn account(house: &House, name: &str) -> Account {
    let accounts = house.engine().list().expect("a list").accounts;
    accounts.into_iter().find(|account| account.name == name).expect("an account")
}

/// How long nobody asks: the first of these moments at which `asks` is true, in words. Before each there is one at which it
/// must not be.
fn again(name: &str, asks: &dyn Fn(i64) -> bool) -> &'static str {
    const MOMENTS: [(i64, i64, &str); 5] = [
        (90, 140, "again in 2 min"),
        (280, 340, "again in 5 min"),
        (690, 730, "again in 12 min"),
        (800, 900, "again in 14 min"),
        (86_300, 86_500, "again in 1 day"),
    ];
    for (early, late, words) in MOMENTS {
        assert!(!asks(early), "{name}: asked again after {early} s, too early for `{words}`");
        if asks(late) {
            return words;
        }
    }
    "never again"
}

#[test]
fn each_answer_to_a_reading_is_as_the_table_has_it() {
    for (row, [expected, ..]) in rows() {
        let house = House::with_server("m-usage");
        let login = Login::new(&Person::a(), Pair::new("A", 1)).expiring_at(FAR).ending_at(None);
        house.world.store_login(&login);
        house.fake().know(&login);
        house.capture("a");
        let good = house.engine().usage(None, Asking::Everybody).expect("usage").listing.accounts.remove(0).usage;
        let good = good.expect("a reading");
        // A token that is still refused after its renewal is refused for good.
        let replies = if row == "401" { vec![reply(row); 2] } else { vec![reply(row)] };
        house.fake().script(Route::Usage, replies);
        asking(&house, row).usage(None, Asking::Everybody).expect("usage");
        let reading = account(&house, "a").usage.expect("a reading");
        assert_eq!((reading.as_of, &reading.windows), (good.as_of, &good.windows), "{row}: the last good figures stay");
        let renewals = count(&house, Route::Token);
        house.world.edit_json(&house.world.credentials_path(), |object| {
            object["claudeAiOauth"]["expiresAt"] = FAR.into();
        });
        let asked = AtomicUsize::new(count(&house, Route::Usage));
        let asks = |seconds| {
            house.later(seconds).poll_once(false).expect("a poll");
            let now = count(&house, Route::Usage);
            asked.swap(now, Ordering::SeqCst) < now
        };
        let word = reading.error.expect("a reason").word();
        let spent = if renewals == 0 { String::new() } else { format!("{renewals} renewal, ") };
        assert_eq!(format!("`{word}`, {spent}{}", again(row, &asks)), expected, "{row}");
        assert_eq!(account(&house, "a").usage.expect("a reading").error, None, "{row}: and all is well again");
        house.fake().assert_clean();
        assert_untold(&house, row);
    }
}

#[test]
fn each_answer_to_a_look_up_is_as_the_table_has_it() {
    for (row, [_, expected, _]) in rows() {
        let house = House::with_server("m-profile");
        house.sign_in(&Person::b());
        house.fake().script(Route::Profile, vec![reply(row); 3]);
        let captured = asking(&house, row).capture(Some("b"), false).expect("a capture");
        assert!(captured.created && !captured.proven, "{row}: nobody confirmed whose it is");
        assert_eq!((account(&house, "b").state.word(), house.world.live()), ("ok", "B1".into()), "{row}");
        // The plan, beside a reading: what was known stays.
        let house = House::with_server("m-profile");
        house.sign_in(&Person::b());
        house.capture("b");
        house.engine().usage(None, Asking::Everybody).expect("usage");
        let plan = account(&house, "b").plan;
        house.fake().script(Route::Profile, vec![reply(row); 3]);
        let mut engine = house.later(2 * 3600);
        engine.patience = asking(&house, row).patience;
        let usage = engine.usage(None, Asking::Everybody).expect("usage").listing.accounts.remove(0);
        assert!(plan.is_some() && usage.plan == plan, "{row}: {plan:?}, {:?}", usage.plan);
        assert_eq!(usage.usage.expect("a reading").error, None, "{row}: the figures came all the same");
        let asked = count(&house, Route::Profile);
        house.later(3 * 3600 - 60).usage(None, Asking::Everybody).expect("usage");
        assert_eq!(count(&house, Route::Profile), asked, "{row}: at most hourly, whatever came");
        house.later(3 * 3600 + 60).usage(None, Asking::Everybody).expect("usage");
        assert!(count(&house, Route::Profile) > asked, "{row}: asked again");
        assert_eq!("nothing new, again in 1 hour", expected, "{row}");
        assert_eq!(count(&house, Route::Token), 0, "{row}: no renewal for a look-up");
        house.fake().assert_clean();
        assert_untold(&house, row);
    }
}

/// a parked, its access token ending in so many seconds; b live.
fn parked(seconds: i64) -> House {
    let house = House::with_server("m-token");
    let end = u64::try_from(Timestamp::now().as_millisecond() + seconds * 1000).expect("a time");
    let login = Login::new(&Person::a(), Pair::new("A", 1)).expiring_at(end);
    house.world.store_login(&login);
    house.fake().know(&login);
    house.capture("a");
    house.sign_in(&Person::b());
    house.capture("b");
    house
}

/// Whether a renewal at that moment is sent.
fn sends(house: &House) -> impl Fn(i64) -> bool {
    move |seconds| {
        let asked = count(house, Route::Token);
        let _ = house.later(seconds).refresh("a", &Need::default());
        count(house, Route::Token) > asked
    }
}

#[test]
fn each_answer_to_a_renewal_is_as_the_table_has_it() {
    for (row, [_, _, expected]) in rows() {
        let house = parked(-1);
        house.fake().script(Route::Token, vec![reply(row)]);
        let error = asking(&house, row).refresh("a", &Need::default()).expect_err("a refusal");
        let told = format!("{error} {:?}", house.said.lock().expect("not poisoned"));
        assert!(!told.contains("SECRET") && !told.contains("FAKE"), "{row}: {told}");
        assert_eq!(house.slot("a"), "A1", "{row}: nothing stored is touched");
        let (kind, state) = (error.kind().word(), account(&house, "a").state.word());
        let when = again(row, &sends(&house));
        // The same while the access token works for another two hours.
        let house = parked(2 * 3600);
        house.fake().script(Route::Token, vec![reply(row)]);
        asking(&house, row).refresh("a", &Need::default()).expect_err("a refusal");
        let sends = sends(&house);
        let waits = match when {
            "never again" => "",
            _ if sends(2 * 3600 - 60) => "",
            _ => {
                assert!(sends(2 * 3600 + 60), "{row}: not even when the access token has ended");
                ", not before the access token ends"
            }
        };
        assert_eq!(format!("`{kind}`, state `{state}`, {when}{waits}"), expected, "{row}");
        assert_untold(&house, row);
    }
}

/// What is in doubt says what came, or that nothing did.
#[test]
fn a_login_in_doubt_says_what_came() {
    for (row, words) in [
        ("500", "answered with status 500"),
        ("403 as a page", "answered with status 403"),
        ("200 as a page", "something that cannot be understood"),
        ("nothing, the connection breaks", "its answer never came"),
    ] {
        let house = parked(2 * 3600);
        house.fake().script(Route::Token, vec![reply(row)]);
        house.engine().refresh("a", &Need::default()).expect_err("a refusal");
        let reason = account(&house, "a").reason.expect("a reason");
        let again = house.engine().refresh("a", &Need::default()).expect_err("a refusal").to_string();
        let refused = house.try_switch("a").map(drop).expect_err("a refusal").to_string();
        for (told, by) in [(&reason, "list"), (&again, "refresh"), (&refused, "switch")] {
            assert!(told.contains(words), "{row}, {by}: {told}");
        }
        assert!(again.contains("its access token still works"), "{row}: {again}");
    }
}

/// A server that answers nothing but 500 for hours ends no login, and is asked ever more rarely.
#[test]
fn an_afternoon_of_errors_ends_no_login() {
    let house = parked(-1);
    let minutes = 8 * 60;
    house.fake().script(Route::Token, vec![Reply::status(500); 20]);
    for minute in 0..minutes {
        let _ = house.later(minute * 60).refresh("a", &Need::default());
    }
    let asked = count(&house, Route::Token);
    assert!((4..=8).contains(&asked), "{asked}: after 0, 5, 15, 35, 75, 155, 315 minutes");
    let mut hours = 9;
    while house.later(hours * 3600).refresh("a", &Need::default()).is_err() {
        hours += 7;
        assert!(hours < 24 * 7, "it never comes back");
    }
    assert_eq!((account(&house, "a").state.word(), house.slot("a")), ("ok", "A2".into()));
    house.fake().assert_clean();
}

/// No text of a body is in what was said, or on the disk.
fn assert_untold(house: &House, row: &str) {
    let said = format!("{:?}", house.said.lock().expect("not poisoned"));
    assert!(!said.contains(SECRET), "{row}: {said}");
    let held = clauth_sandbox::world::holders(&house.world.snapshot(), SECRET);
    assert!(held.is_empty(), "{row}: {held:?}");
}
