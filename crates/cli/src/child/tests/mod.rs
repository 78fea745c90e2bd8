//! Real processes: a program that runs a child, a script that is the child, and the signals between them.
//!
//! The parent is this test program, started once more for the one test [`parent::acts_as_the_parent`].

mod choice;
mod job;
mod parent;
mod plain;
mod pty;
mod signals;
