//! The system call lists in `filters/`, compiled at build time to seccomp programs.
//!
//! `filters/README.md` is the grammar. The parts, in the order in which a line travels through them:
//!
//! - `grammar` reads lines to rules and finds every name;
//! - [`Ruleset`] checks the rules against each other and says what they decide: the specification;
//! - [`Program`] is the same decision as classic BPF, and a simulator of the machine that runs it;
//! - `tree` is its shape;
//! - [`embed()`] is what a host's build script calls.

mod arch;
mod calls;
mod constants;
mod embed;
mod grammar;
mod program;
mod ruleset;
mod tree;

pub use arch::Arch;
pub use calls::{CALLS, Call};
pub use constants::{SELF, constant_names, constant_value, errno_value};
pub use embed::{GRANTS, embed, embed_with_jit, embed_with_sockets, filters_directory, grants, load};
pub use grammar::{Error, Place, Role, Text};
pub use program::{Instruction, Program};
pub use ruleset::{Action, Condition, Rule, Ruleset};
