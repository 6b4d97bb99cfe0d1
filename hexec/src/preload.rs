//! `libhexec.so`: where it is, and the environment that has it loaded.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::options::Options;

const LIBRARY: &str = "libhexec.so";

/// This process's environment with the library first, and the programs that it is to leave alone.
///
/// # Errors
/// The library is not there, or `LD_PRELOAD` cannot name it.
pub fn environment(options: &Options) -> Result<Vec<CString>, Failure> {
    let mut preload = library()?.into_os_string();
    if let Some(more) = env::var_os("LD_PRELOAD").filter(|list| !list.is_empty()) {
        preload.push(":");
        preload.push(more);
    }
    let kept = env::vars_os().filter(|(name, _)| name != "LD_PRELOAD" && name != "HEXEC_SKIP");
    let skip = (!options.skip.is_empty()).then(|| ("HEXEC_SKIP".into(), options.skip.join(OsStr::new(":"))));
    let ours = [Some((OsString::from("LD_PRELOAD"), preload)), skip];
    Ok(kept.chain(ours.into_iter().flatten()).map(|(name, value)| variable(&name, &value)).collect())
}

/// Neither holds a zero: they come from the environment or the command line.
fn variable(name: &OsStr, value: &OsStr) -> CString {
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default()
}

/// The library as it is installed, in `lib/h` beside our `bin`, or else beside us, as it is built.
fn library() -> Result<PathBuf, Failure> {
    let ours = env::current_exe().unwrap_or_default();
    let bin = ours.parent().unwrap_or(&ours);
    let places = [bin.join("../lib/h").join(LIBRARY), bin.join(LIBRARY)];
    let Some(found) = places.iter().find_map(|place| place.canonicalize().ok()) else {
        return Err(Failure::NoLibrary(places));
    };
    match found.as_os_str().as_bytes().iter().any(|byte| matches!(byte, b':' | b' ')) {
        true => Err(Failure::UnusableLibrary(found)),
        false => Ok(found),
    }
}
