//! Compares the hosts with the plain interpreters and with other sandboxes: medians of interleaved
//! runs, as a table. It reports and does not judge: the status says only whether all could be run.

mod chart;
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
use crate::suite::{Bench, LANGUAGES, Pair};

const HELP: &str = "\
usage: bench [--host FILE=PLAIN]... [--runs N] [--only TEXT] [--chart FILE]

  --host FILE=PLAIN  a binary under test and its plain interpreter (default: each host that lies beside this
                     program, with the interpreter of /usr/bin)
  --runs N           runs of each command (default 31; short commands run more often)
  --only TEXT        only rows whose name contains TEXT
  --chart FILE       draw the starts as SVG
";

/// What was typed.
#[derive(Debug)]
struct Options {
    pairs: Vec<Pair>,
    lock: PathBuf,
    runs: usize,
    only: String,
    chart: Option<PathBuf>,
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
    let lock = beside.with_file_name("lock");
    let mut options = Options { pairs: Vec::new(), lock, runs: 31, only: String::new(), chart: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("host") => options.pairs.push(pair(&parser.value()?.to_string_lossy())?),
            lexopt::Arg::Long("runs") => options.runs = parser.value()?.to_string_lossy().parse()?,
            lexopt::Arg::Long("only") => options.only = parser.value()?.to_string_lossy().into_owned(),
            lexopt::Arg::Long("chart") => options.chart = Some(parser.value()?.into()),
            lexopt::Arg::Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if options.pairs.is_empty() {
        options.pairs = pairs_beside(&beside);
    }
    Ok(Some(options))
}

/// A host named by hand; its file's name tells which it is.
fn pair(text: &str) -> Result<Pair, Box<dyn Error>> {
    let (ours, theirs) = text.split_once('=').ok_or("--host: FILE=PLAIN is expected")?;
    let name = Path::new(ours).file_name().unwrap_or_default();
    let language = LANGUAGES.iter().find(|language| name == language.host);
    let language =
        language.ok_or_else(|| format!("--host: there is no host called {}", name.to_string_lossy()))?;
    Ok(Pair { language, ours: ours.into(), theirs: theirs.into() })
}

/// The hosts that were built, and the distribution's interpreters: where another vendor's is installed, what `make deps` has
/// unpacked beside.
fn pairs_beside(program: &Path) -> Vec<Pair> {
    let plain = |name: &str| {
        let mut kept = program.ancestors().map(|place| place.join("libnode/usr/bin").join(name));
        kept.find(|file| file.is_file()).unwrap_or_else(|| Path::new("/usr/bin").join(name))
    };
    let found = LANGUAGES.iter().map(|language| Pair {
        language,
        ours: program.with_file_name(language.host),
        theirs: plain(language.plain),
    });
    found.filter(|pair| pair.ours.is_file()).collect()
}

/// Measures and prints row by row; false if a row could not be run.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let scratch = Scratch::new()?;
    let bench =
        Bench { pairs: &options.pairs, lock: &options.lock, programs: &programs()?, scratch: &scratch.0 };
    bench.furnish()?;
    let (mut rows, absent) = bench.rows();
    rows.retain(|row| row.what.contains(&options.only));
    println!("{}\n", machine(options)?);
    println!("{}", table::HEADING);
    let (mut measured, mut failed) = (Vec::new(), Vec::new());
    for row in &rows {
        match row.measure(options.runs) {
            Ok(figure) => {
                println!("{}", table::line(row, &figure));
                measured.push((row, figure));
            }
            Err(error) => failed.push(format!("{}: {error}", row.what)),
        }
    }
    println!("\nThe commands:\n");
    rows.iter().for_each(print_commands);
    absent.iter().for_each(|line| println!("- {line}"));
    failed.iter().for_each(|line| eprintln!("bench: cannot run {line}"));
    if let Some(file) = &options.chart {
        fs::write(file, chart::svg(&chart::panels(&measured))?)?;
        println!("\nThe starts as a chart: {}", file.display());
    }
    Ok(failed.is_empty())
}

/// Where the programs are, by a short name when this is run from the checkout.
fn programs() -> io::Result<PathBuf> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let short = programs.strip_prefix(env::current_dir()?).map(Path::to_owned);
    Ok(short.unwrap_or_else(|_| programs.to_owned()))
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
    let mut pairs = Vec::new();
    for Pair { language, ours, theirs } in &options.pairs {
        pairs.push(format!("{} against {}", version(ours, "--version")?, version(theirs, language.version)?));
    }
    Ok(format!(
        "{}; Linux {}, {cores} cores; medians of at least {} runs in turns.",
        pairs.join(", "),
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
