//! The kernel's script execution control: what each securebit makes of each way in which code enters hlua.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use casebook::fixture::Scratch;

/// A command line, its standard input (a file, or `|` for a pipe), and what it comes to with no bit, `--restrict-file`,
/// `--deny-interactive`, and both: whether `ran` is printed.
const MATRIX: &[(&[&str], &str, [bool; 4])] = &[
    (&["with.lua"], "", [true, true, true, true]),
    (&["without.lua"], "", [true, false, true, false]),
    (&["-"], "with.lua", [true, true, true, true]),
    (&["-"], "without.lua", [true, true, false, false]),
    (&[], "with.lua", [true, true, true, true]),
    (&[], "without.lua", [true, true, false, false]),
    (&[], "|", [true, true, false, false]),
    (&["-"], "|", [true, true, false, false]),
    (&["-e", "print 'ran'"], "", [true, true, false, false]),
    (&["-e", "print 'ran'", "silent.lua"], "", [true, true, false, false]),
    (&["-i", "with.lua"], "", [true, true, false, false]),
    (&["--allow-env=LUA_INIT", "silent.lua"], "", [true, true, false, false]),
    // A variable that is not let in is no code.
    (&["with.lua"], "init", [true, true, true, true]),
    // What is loaded cannot be checked behind the doors, x or not.
    (&["--allow-read=.", "requires.lua"], "", [true, false, true, false]),
    (&["--allow-read=.", "loads.lua"], "", [true, false, true, false]),
    (&["--allow-read=.", "-l", "without", "silent.lua"], "", [true, false, true, false]),
    // Standard input that is not the program is code as well.
    (&["reads.lua"], "|", [true, true, false, false]),
    (&["reads.lua"], "without.lua", [true, true, false, false]),
];

const BITS: [&[&str]; 4] = [
    &[],
    &["--restrict-file", "--lock"],
    &["--deny-interactive", "--lock"],
    &["--restrict-file", "--deny-interactive", "--lock"],
];

#[test]
fn what_each_bit_makes_of_each_way_in() {
    let scratch = Scratch::new("exec-control").unwrap();
    for (name, text, mode) in [
        ("with.lua", "print 'ran'\n", 0o755),
        ("without.lua", "print 'ran'\n", 0o644),
        ("silent.lua", "\n", 0o755),
        ("requires.lua", "require 'without'\n", 0o755),
        ("loads.lua", "assert(loadfile 'without.lua')()\n", 0o755),
        ("reads.lua", "assert(loadfile())()\n", 0o755),
    ] {
        fs::write(scratch.path().join(name), text).unwrap();
        fs::set_permissions(scratch.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut wrong = Vec::new();
    for (arguments, input, expected) in MATRIX {
        for (bits, expected) in BITS.iter().zip(expected) {
            let (output, status) = run(scratch.path(), bits, arguments, input);
            let refused = status == Some(126) || output.contains("refused: securebits");
            let ran = output.starts_with("ran") || output.contains("\nran");
            if ran != *expected || !expected && !refused {
                wrong.push(format!("{bits:?} {arguments:?} <{input}: {status:?} {output}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn run(directory: &Path, bits: &[&str], arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let bin =
        PathBuf::from(std::env::var_os("H_BIN_DIR").expect("H_BIN_DIR names the directory of the binaries"));
    let mut command = Command::new(bin.join("hexec"));
    command.args(bits).arg("--").arg(bin.join("hlua")).args(arguments).current_dir(directory);
    if arguments.iter().any(|argument| argument.contains("LUA_INIT")) || input == "init" {
        command.env("LUA_INIT", "print 'ran'");
    }
    let mut echo = None;
    match input {
        "" | "init" => command.stdin(Stdio::null()),
        "|" => {
            let child = Command::new("echo").arg("print 'ran'").stdout(Stdio::piped()).spawn().unwrap();
            let child = echo.insert(child);
            command.stdin(child.stdout.take().unwrap())
        }
        file => command.stdin(File::open(directory.join(file)).unwrap()),
    };
    let output = command.output().unwrap();
    if let Some(mut echo) = echo {
        echo.wait().unwrap();
    }
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.code())
}
