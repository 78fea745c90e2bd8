//! The table of facts §4.2, row by row.

use super::*;

fn profile(kind: Option<&str>, tier: Option<&str>, display: Option<&str>) -> ProfileAnswer {
    ProfileAnswer {
        account_uuid: "a".into(),
        email: None,
        organization_uuid: None,
        organization_name: None,
        organization_type: kind.map(str::to_owned),
        rate_limit_tier: tier.map(str::to_owned),
        plan_display_name: display.map(str::to_owned),
        subscription_status: None,
        has_max: None,
        has_pro: None,
    }
}

#[test]
fn a_plan_is_named_by_the_kind_of_organization() {
    const X5: Option<&str> = Some("default_claude_max_5x");
    for (name, kind, tier, expected) in [
        ("max 5x", Some("claude_max"), X5, Some("Max 5x")),
        ("max 20x", Some("claude_max"), Some("default_claude_max_20x"), Some("Max 20x")),
        ("max of tomorrow", Some("claude_max"), Some("later_max_100x"), Some("Max 100x")),
        ("max without a tier", Some("claude_max"), None, Some("Max")),
        ("max with another tier", Some("claude_max"), Some("default_claude_ai"), Some("Max")),
        ("a tier without digits", Some("claude_max"), Some("default_claude_max_x"), Some("Max")),
        ("a tier with more after it", Some("claude_max"), Some("default_claude_max_5x_b"), Some("Max")),
        ("a tier of odd digits", Some("claude_max"), Some("default_claude_max_-5x"), Some("Max")),
        ("pro", Some("claude_pro"), Some("default_claude_ai"), Some("Pro")),
        ("a team, whatever its tier says", Some("claude_team"), X5, Some("Team")),
        ("an enterprise", Some("claude_enterprise"), X5, Some("Enterprise")),
        ("free", Some("claude_free"), X5, Some("Free")),
        ("free, in short", Some("free"), None, Some("Free")),
        ("ultra", Some("claude_ultra"), X5, Some("Ultra")),
        ("ultra, in other words", Some("ultra_2026"), None, Some("Ultra")),
        ("not known", Some("claude_tomorrow"), X5, None),
        ("nothing", None, X5, None),
    ] {
        assert_eq!(plan_label(&profile(kind, tier, None)).as_deref(), expected, "{name}");
    }
}

#[test]
fn without_a_kind_the_account_tells() {
    let tier = Some("default_claude_max_20x");
    for (name, kind, has_max, has_pro, expected) in [
        ("max", None, Some(true), Some(false), Some("Max 20x")),
        ("pro", None, Some(false), Some(true), Some("Pro")),
        ("both", None, Some(true), Some(true), Some("Max 20x")),
        ("pro alone", None, None, Some(true), Some("Pro")),
        ("neither", None, Some(false), Some(false), None),
        ("the kind is stronger", Some("claude_pro"), Some(true), None, Some("Pro")),
        ("an unknown kind is no missing one", Some("claude_tomorrow"), Some(true), None, None),
    ] {
        let answer = ProfileAnswer { has_max, has_pro, ..profile(kind, tier, None) };
        assert_eq!(plan_label(&answer).as_deref(), expected, "{name}");
    }
}

#[test]
fn the_servers_own_name_is_taken_when_it_is_sane_and_paid_for() {
    let forty = "M".repeat(40);
    let longer = "M".repeat(41);
    for (name, kind, display, expected) in [
        ("sane", Some("claude_max"), "Max 20x", "Max 20x"),
        ("every character that is allowed", Some("claude_max"), "Az 0.9+-", "Az 0.9+-"),
        ("forty", Some("claude_max"), &forty, &forty),
        ("for a kind that is not known", Some("claude_tomorrow"), "Tomorrow", "Tomorrow"),
        ("without a kind", None, "Max 5x", "Max 5x"),
        ("one more than forty", Some("claude_max"), &longer, "Max"),
        ("empty", Some("claude_max"), "", "Max"),
        ("markup", Some("claude_max"), "<b>Max</b>", "Max"),
        ("an underscore", Some("claude_max"), "max_20x", "Max"),
        ("a line end", Some("claude_max"), "Max\n20x", "Max"),
        ("never on a free tier", Some("claude_free"), "Max 20x", "Free"),
        ("nor on its short name", Some("free"), "Pro", "Free"),
    ] {
        assert_eq!(plan_label(&profile(kind, None, Some(display))).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_login_tells_the_plan_that_it_was_signed_in_with() {
    let tier = Some("default_claude_max_20x");
    for (subscription, tier, expected) in [
        (Some("max"), tier, Some("Max 20x")),
        (Some("max"), None, Some("Max")),
        (Some("pro"), tier, Some("Pro")),
        (Some("team"), tier, Some("Team")),
        (Some("enterprise"), tier, Some("Enterprise")),
        (Some("free"), tier, Some("Free")),
        (Some("tomorrow"), tier, None),
        (Some(""), tier, None),
        (None, tier, None),
    ] {
        assert_eq!(plan_of_login(subscription, tier).as_deref(), expected, "{subscription:?} {tier:?}");
    }
}
