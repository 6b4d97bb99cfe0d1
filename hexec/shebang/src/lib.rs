//! What Linux makes of a file that begins with `#!`, worked out in user space.
//!
//! - [`mod@line`]: the first bytes of a file -> an interpreter and at most one argument, exactly as the kernel's
//!   `binfmt_script` reads them. No file is touched.
//! - [`chain`]: a path -> what to start in its place, through as many levels of scripts as the kernel follows. How files
//!   are looked at is a [`chain::View`]: [`local::Local`] is this process's; a supervisor has that of another.
//! - [`credentials`]: whether the mode of a file lets somebody execute it.
//!
//! Nothing here allocates: the caller may stand between `vfork` and `exec`.
//!
//! Nothing here grants anything either. The answer is a command line that anybody could have typed; the kernel decides
//! about the interpreter as ever.
#![deny(missing_docs)]

pub mod chain;
pub mod credentials;
pub mod file;
pub mod line;
pub mod local;

pub use chain::{Chain, Verdict, View, resolve};
pub use credentials::Credentials;
pub use line::{Line, Malformed, parse};
pub use local::Local;
