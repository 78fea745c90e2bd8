//! Tests of the merges: the rule sentence by sentence, properties, a simulation, and real files.

mod bench;
mod bulk;
mod disk;
mod faults;
mod house;
mod properties;
mod rules;
mod seeding;
mod settings;
mod simulation;
mod step;
