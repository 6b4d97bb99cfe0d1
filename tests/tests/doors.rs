//! The way in: options, policy files, grants, scripts, kernels. What is wrong is said in a sentence, and nothing is
//! run.

use casebook::harness;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(|binaries| harness::of_topic("doors", binaries))
}
