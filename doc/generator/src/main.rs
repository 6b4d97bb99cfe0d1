//! `make manual`: brings the option lists of the manual pages and the completions up to date.

use std::fs;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = doc_generator::files().and_then(|files| {
        files.into_iter().try_for_each(|(path, text)| {
            let failed = |error| io::Error::other(format!("{}: {error}", path.display()));
            fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
            fs::write(&path, text).map_err(failed)
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doc-generator: {error}");
            ExitCode::FAILURE
        }
    }
}
