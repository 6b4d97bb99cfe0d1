//! The casebook: tables of attacks, and what runs them.
//!
//! A row says what is tried, with which flags, what must happen inside the sandbox, and a **control** that shows the
//! same thing succeeding elsewhere: granted by a flag, in the bare interpreter, or in the probe outside the sandbox. A
//! denial without a control does not load, because a test that cannot fail proves nothing.

pub mod binaries;
pub mod expect;
pub mod fixture;
pub mod harness;
pub mod host;
pub mod identity;
pub mod inspect;
pub mod job;
pub mod machine;
pub mod outcomes;
pub mod parity;
pub mod row;
pub mod runner;
pub mod sys;
pub mod transcript;

/// An error is a sentence for the person who reads the test's output.
pub type Result<T> = std::result::Result<T, String>;
