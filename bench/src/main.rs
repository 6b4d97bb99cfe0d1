//! Compares hlua with the plain interpreter and with other sandboxes: medians of interleaved
//! runs, as a table. It reports and does not judge: the status says only whether all could be run.

mod process;
mod row;
mod suite;
mod table;

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process::Line;
use crate::row::Row;
use crate::suite::{Bench, on_path};

const HELP: &str = "\
usage: bench [--hlua FILE] [--lua FILE] [--runs N] [--only TEXT]

  --hlua FILE  the binary under test (default: hlua beside this program)
  --lua FILE   the plain interpreter (default: lua5.4)
  --runs N     runs of each command (default 31; short commands run more often)
  --only TEXT  only rows whose name contains TEXT
";

/// What was typed.
#[derive(Debug)]
struct Options {
    hlua: PathBuf,
    lua: PathBuf,
    lock: PathBuf,
    runs: usize,
    only: String,
}

fn main() -> ExitCode {
    match parse().and_then(|options| options.map_or(Ok(true), |options| run(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// None when only help was asked for.
fn parse() -> Result<Option<Options>, Box<dyn Error>> {
    let beside = env::current_exe()?;
    let mut options = Options {
        hlua: beside.with_file_name("hlua"),
        lua: on_path("lua5.4").ok_or("lua5.4 is not installed")?,
        lock: beside.with_file_name("lock"),
        runs: 31,
        only: String::new(),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("hlua") => options.hlua = parser.value()?.into(),
            lexopt::Arg::Long("lua") => options.lua = parser.value()?.into(),
            lexopt::Arg::Long("runs") => options.runs = parser.value()?.to_string_lossy().parse()?,
            lexopt::Arg::Long("only") => options.only = parser.value()?.to_string_lossy().into_owned(),
            lexopt::Arg::Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

/// Measures and prints row by row; false if a row could not be run.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let scratch = Scratch::new()?;
    let bench = Bench {
        hlua: &options.hlua,
        lua: &options.lua,
        lock: &options.lock,
        programs: &programs()?,
        scratch: &scratch.0,
    };
    bench.furnish()?;
    let (mut rows, absent) = bench.rows();
    rows.retain(|row| row.what.contains(&options.only));
    println!("{}\n", machine(options)?);
    println!("{}", table::HEADING);
    let mut failed = Vec::new();
    for row in &rows {
        match row.measure(options.runs) {
            Ok(figure) => println!("{}", table::line(row, &figure)),
            Err(error) => failed.push(format!("{}: {error}", row.what)),
        }
    }
    println!("\nThe commands:\n");
    rows.iter().for_each(print_commands);
    absent.iter().for_each(|line| println!("- {line}"));
    failed.iter().for_each(|line| eprintln!("bench: cannot run {line}"));
    Ok(failed.is_empty())
}

/// The Lua programs, by a short name when this is run from the checkout.
fn programs() -> io::Result<PathBuf> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua");
    let short = programs.strip_prefix(env::current_dir()?).map(Path::to_owned);
    Ok(short.unwrap_or(programs))
}

fn print_commands(row: &Row) {
    let theirs = row.theirs.as_ref().map(|line| format!(" against `{}`", line.typed())).unwrap_or_default();
    println!("- {}: `{}`{theirs}", row.what, row.ours.typed());
}

/// What was measured, and where.
fn machine(options: &Options) -> io::Result<String> {
    let version = |program: &Path, flag: &str| -> io::Result<String> {
        let said = Line::new([program.as_os_str(), flag.as_ref()]).output()?;
        Ok(String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned())
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "{} against {}; Linux {}, {cores} cores; medians of at least {} runs in turns.",
        version(&options.hlua, "--version")?,
        version(&options.lua, "-v")?,
        kernel.trim(),
        options.runs
    ))
}

/// A directory of our own, removed at the end.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("bench-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it; at worst a directory stays behind in the temporary one.
        let _ = fs::remove_dir_all(&self.0);
    }
}
