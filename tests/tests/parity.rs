//! The same command lines under the real interpreters and under their hosts.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::harness;
use casebook::identity::Identity;
use casebook::parity;
use libtest_mimic::{Completion, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(trials)
}

fn trials(binaries: &'static Binaries) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for file in harness::table_files(&harness::tables().join("parity"))? {
        let topic = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for row in parity::load(&file)? {
            for identity in Identity::available() {
                let row = row.clone();
                let name = format!("parity-{topic}/{} {}", row.name, identity.suffix());
                trials.push(Trial::ignorable_test(name, move || {
                    if let Some((need, reason)) = binaries.lack(row.host) {
                        return harness::skip(need, &reason);
                    }
                    parity::run(&row, *identity, binaries)?;
                    Ok(Completion::Completed)
                }));
            }
        }
    }
    Ok(trials)
}
