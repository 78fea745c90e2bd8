//! Random programs, the same for the same seed.

use clauth_host::Random;

use crate::step::{Act, Other, Seat, Step};

/// Profiles that are talked of; the fifth is for a second profile of somebody.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

const CODES: [char; 4] = ['A', 'B', 'C', 'D'];

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Vec<Step> {
    let mut dice = Dice(Random::seeded(seed));
    let mut steps = Vec::new();
    if dice.one_in(2) {
        // The way that everybody begins.
        for at in 0..dice.below(3) + 2 {
            steps.push(Step::By(Other::SignIn(Seat::Home, CODES[at])));
            steps.push(Step::Do(Act::Capture(NAMES[at])));
        }
    }
    let length = 5 + if dice.one_in(4) { dice.below(196) } else { dice.below(40) };
    while steps.len() < length {
        let step = dice.step();
        steps.push(step);
    }
    steps.truncate(200);
    steps
}

struct Dice(Random);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.between(0, bound as u64)).unwrap_or(0)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn step(&mut self) -> Step {
        match self.below(100) {
            0..42 => Step::Do(self.act()),
            42..52 => Step::Killed(self.effect(), self.act()),
            52..54 => Step::Full(self.effect(), self.act()),
            54..56 => Step::ReadOnly(self.effect(), self.act()),
            56..59 => Step::Fails(self.effect(), self.act()),
            59..65 => Step::During(self.effect(), self.act(), self.other()),
            65..86 => Step::By(self.other()),
            86..88 => Step::Crash(self.below(2), self.one_in(2)),
            88..94 => Step::Idle(self.of(&[1, 10, 240, 470, 480, 600, 3000])),
            94..95 => Step::Jump(self.of(&[-600, -60, -1, 1, 60, 600, 100_000])),
            95..98 => Step::Network(self.one_in(2)),
            98..99 => Step::Lose,
            _ => Step::Trouble(self.of(&[400, 401, 403, 429, 500, 503])),
        }
    }

    /// Most commands have between 20 and 150 effects.
    fn effect(&mut self) -> usize {
        1 + if self.one_in(3) { self.below(20) } else { self.below(150) }
    }

    fn act(&mut self) -> Act {
        let name = self.of(&NAMES);
        match self.below(100) {
            0..11 => Act::Capture(name),
            11..14 => Act::CaptureAgain,
            14..16 => Act::CaptureOver(name),
            16..36 => Act::Switch(name),
            36..39 => Act::Force(name),
            39..41 => Act::Back,
            41..46 => Act::Undo,
            46..55 => Act::Start(name),
            55..62 => Act::Look(self.below(2)),
            62..67 => Act::End(self.below(2)),
            67..77 => Act::Refresh(name),
            77..79 => Act::RefreshAll,
            79..83 => Act::Login(name, self.of(&CODES)),
            83..86 => Act::Remove(name),
            86..87 => Act::RemoveForced(name),
            87..90 => Act::Restore(self.below(4)),
            90..92 => Act::RestoreAs(self.below(4), name),
            92..94 => Act::Rename(name, self.of(&NAMES)),
            94..95 => Act::Bind(name),
            95..98 => Act::Order(name),
            _ => Act::List,
        }
    }

    fn other(&mut self) -> Other {
        let seat = match self.below(5) {
            0..3 => Seat::Home,
            at => Seat::In(at - 3),
        };
        match self.below(20) {
            0..5 => Other::SignIn(seat, self.of(&CODES)),
            5 => Other::SignOut(seat),
            6..10 => Other::Turn(seat),
            10..16 => Other::Renew(seat),
            16..17 => Other::Rewrite(seat),
            17..19 => Other::Run,
            _ => Other::Stop,
        }
    }
}
