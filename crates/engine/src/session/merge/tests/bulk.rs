//! Large files.

use super::bench::{Bench, value};
use crate::session::merge::subject::Subject;

/// A state file of some megabytes, as a year of work leaves it.
fn large(projects: usize) -> String {
    let projects: Vec<String> = (0..projects)
        .map(|at| {
            format!(
                "\"/home/u/work/project-{at}\": {{\"lastCost\": 1.10, \"history\": [{}]}}",
                "\"a line of history\", ".repeat(40) + "1"
            )
        })
        .collect();
    format!("{{\"userID\": \"u\", \"theme\": \"dark\", \"projects\": {{{}}}}}", projects.join(", "))
}

#[test]
fn thousands_of_projects_are_merged_and_added_in_one_walk() {
    let whole = large(if cfg!(debug_assertions) { 500 } else { 6_000 });
    assert!(cfg!(debug_assertions) || whole.len() > 5_000_000);
    let mut bench = Bench::settled(Subject::State, &whole, 2);
    bench.members[0] = whole.replace("dark", "light");
    bench.rest();
    assert_eq!(bench.hub_value()["theme"], "light");
    // All at once, into a home that is new.
    let mut bench = Bench::new(Subject::State, "{\"theme\": \"dark\"}", &[&whole]);
    bench.rest();
    assert_eq!(value(&bench.hub), value(&whole));
}
