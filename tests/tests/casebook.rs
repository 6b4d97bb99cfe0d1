//! Every attack of the tables, each with its control.

use casebook::harness;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(|binaries| harness::of_topic("attacks", binaries))
}
