//! `login` (S9): a sign-in of the unmodified `claude` in a private directory, taken over into a profile. The live login is
//! not touched.

mod place;
mod take;
mod token;

pub use take::LoggedIn;
pub(crate) use token::setup_login;
