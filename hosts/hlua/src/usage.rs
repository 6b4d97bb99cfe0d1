//! The answer to an option that `lua` does not know, in its words.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use sandbox_core::{Usage, UsageError};

use crate::report::NAME;

const OPTIONS: &str = "\
Available options are:
  -e stat   execute string 'stat'
  -i        enter interactive mode after executing 'script'
  -l mod    require library 'mod' into global 'mod'
  -l g=mod  require library 'mod' into global 'g'
  -v        show version information
  -E        ignore environment variables
  -W        turn warnings on
  --        stop handling options
  -         stop handling options and execute stdin
";

/// Message, usage and status.
pub fn answer(error: &UsageError) -> Usage {
    let mut text = format!("{NAME}: ").into_bytes();
    match error {
        UsageError::Unknown(option) => quote(&mut text, "unrecognized option ", option, ""),
        UsageError::NeedsValue(option) => quote(&mut text, "", option, " needs argument"),
    }
    let rest = format!("\nusage: {NAME} [options] [script [args]]\n{OPTIONS}");
    text.extend_from_slice(rest.as_bytes());
    Usage { text, status: 1 }
}

fn quote(text: &mut Vec<u8>, before: &str, option: &OsStr, after: &str) {
    for part in [before.as_bytes(), b"'", option.as_bytes(), b"'", after.as_bytes()] {
        text.extend_from_slice(part);
    }
}
