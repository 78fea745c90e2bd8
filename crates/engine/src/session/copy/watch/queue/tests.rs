//! What is due when.

use super::super::super::Problem;
use super::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn changed(queue: &mut Queue, path: &str, deep: bool, now: u64) {
    queue.changed(Change { relative: path.into(), deep }, ms(now));
}

fn paths(paths: &[(&str, bool)]) -> Due {
    Due::Paths(paths.iter().map(|(path, deep)| (PathBuf::from(path), *deep)).collect())
}

#[test]
fn a_path_gathers_events_from_the_first_one_on() {
    let mut queue = Queue::default();
    assert_eq!(queue.due(ms(0)), Due::Later(None), "idle is for ever");
    for now in [0, 50, 90] {
        changed(&mut queue, "a", now == 50, now);
    }
    assert_eq!(queue.due(ms(99)), Due::Later(Some(ms(100))));
    assert_eq!(queue.due(ms(100)), paths(&[("a", true)]));
    assert_eq!(queue.due(ms(1000)), Due::Later(None));
}

#[test]
fn lost_events_and_too_many_cause_one_walk() {
    let mut queue = Queue::default();
    queue.lost(ms(0));
    queue.lost(ms(50));
    changed(&mut queue, "a", false, 60);
    assert_eq!(queue.due(ms(100)), Due::Walk);
    queue.walked(&Report::default(), ms(10), ms(110));
    assert_eq!(queue.due(ms(10_000)), Due::Later(None), "the walk saw that path too");
    for path in 0..=MANY {
        changed(&mut queue, &path.to_string(), false, 20_000);
    }
    assert_eq!(queue.due(ms(20_100)), Due::Walk);
}

#[test]
fn where_events_fail_walks_cost_a_fiftieth_of_a_core() {
    let mut queue = Queue::default();
    queue.go_blind(ms(0));
    assert_eq!(queue.due(ms(1000)), Due::Walk);
    for (cost, pause) in [(1, 1000), (20, 1000), (100, 5000), (2000, 100_000)] {
        queue.walked(&Report::default(), ms(cost), ms(0));
        assert_eq!(queue.due(ms(0)), Due::Later(Some(ms(pause))), "{cost} ms");
    }
}

#[test]
fn what_waits_and_what_was_refused_is_looked_at_again() {
    let mut queue = Queue::default();
    let mut report = Report { waiting: vec![("w".into(), ms(2000))], ..Report::default() };
    queue.looked(&[("w".into(), false)], &report, ms(0));
    assert_eq!(queue.due(ms(2000)), paths(&[("w", false)]));
    report.waiting.clear();
    report.refused = vec!["r".into()];
    let mut now = 0;
    for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
        queue.looked(&[("r".into(), true)], &report, ms(now));
        now += pause * 1000;
        assert_eq!(queue.due(ms(now - 1)), Due::Later(Some(ms(now))), "{pause} s");
        assert_eq!(queue.due(ms(now)), paths(&[("r", true)]));
    }
    queue.looked(&[("r".into(), true)], &Report::default(), ms(now));
    assert_eq!(queue.due(ms(now + 400_000)), Due::Later(None), "it went well");
    queue.looked(&[("r".into(), true)], &report, ms(0));
    assert_eq!(queue.due(ms(4999)), Due::Later(Some(ms(5000))), "and begins anew");
}

#[test]
fn a_problem_is_said_once_until_it_is_gone() {
    let problem = |path: &str| Problem { path: path.into(), what: super::super::super::Trouble::Kinds };
    let with =
        |paths: &[&str]| Report { problems: paths.iter().map(|path| problem(path)).collect(), ..Report::default() };
    let mut said = Said::default();
    assert_eq!(said.of_walk(&with(&["/h/a", "/h/b"])).len(), 2);
    assert_eq!(said.of_walk(&with(&["/h/a", "/h/b"])).len(), 0);
    assert_eq!(said.of_look(&with(&["/h/a"]), &[Path::new("a")]).len(), 0);
    assert_eq!(said.of_look(&with(&[]), &[Path::new("a")]).len(), 0);
    assert_eq!(said.of_look(&with(&["/h/a"]), &[Path::new("a")]).len(), 1, "it came back");
    assert_eq!(said.of_walk(&with(&["/h/b"])).len(), 0, "the other one lasted");
}
