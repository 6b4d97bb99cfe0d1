//! The rows of the table: what hlua promises, and what its peers take for the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::Line;
use crate::row::{Row, Start, Yardstick};

/// What is compared: the hosts, and the files they work on.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The hosts, each beside its plain interpreter.
    pub pairs: &'a [Pair],
    /// Prints how long the lock takes.
    pub lock: &'a Path,
    /// The directories of programs, one for each language.
    pub programs: &'a Path,
    /// A directory for the programs to work in.
    pub scratch: &'a Path,
}

/// A host beside the plain interpreter.
#[derive(Debug)]
pub struct Pair {
    /// What is measured.
    pub language: &'static Language,
    /// The binary under test.
    pub ours: PathBuf,
    /// The plain interpreter.
    pub theirs: PathBuf,
}

/// What a host is measured with, and what it is to reach.
#[derive(Debug)]
pub struct Language {
    /// The host's name.
    pub host: &'static str,
    /// The plain interpreter's name.
    pub plain: &'static str,
    /// The flag with which the plain interpreter tells its version.
    pub version: &'static str,
    /// The directory of its programs.
    directory: &'static str,
    /// The ending of their names.
    ending: &'static str,
    /// What a short program begins with, if the language has such a thing.
    imports: Option<(&'static str, f64)>,
    /// What is counted in processor time: a name, and the program.
    computing: &'static [(&'static str, &'static str)],
    targets: Targets,
}

/// The most that each figure may be.
#[derive(Debug)]
struct Targets {
    hello: f64,
    /// Against bubblewrap around the plain interpreter.
    wrapped: f64,
    computing: f64,
    small_io: f64,
    opens: f64,
    /// MiB.
    memory: f64,
}

/// The hosts.
pub static LANGUAGES: [Language; 4] = [
    Language {
        host: "hlua",
        plain: "lua5.4",
        version: "-v",
        directory: "lua",
        ending: "lua",
        imports: None,
        computing: &[("fannkuch", "fannkuch"), ("n-body", "nbody"), ("spectral norm", "spectral")],
        targets: Targets {
            hello: 0.75,
            wrapped: 0.25,
            computing: 1.02,
            small_io: 1.05,
            opens: 1.25,
            memory: 2.0,
        },
    },
    Language {
        host: "hpython",
        plain: "python3",
        version: "-V",
        directory: "python",
        ending: "py",
        imports: Some(("import of json, re, datetime, asyncio", 1.03)),
        computing: &[("fannkuch", "fannkuch"), ("n-body", "nbody"), ("json", "json_round")],
        targets: Targets {
            hello: 0.90,
            wrapped: 0.70,
            computing: 1.03,
            small_io: 1.05,
            opens: 1.4,
            memory: 4.0,
        },
    },
    Language {
        host: "hsh",
        plain: "bash",
        version: "--version",
        directory: "shell",
        ending: "sh",
        imports: Some(("a script that starts 500 programs", 1.10)),
        computing: &[("sieve", "sieve")],
        targets: Targets {
            hello: 1.35,
            wrapped: 0.45,
            computing: 1.03,
            small_io: 1.05,
            opens: 1.4,
            memory: 4.0,
        },
    },
    Language {
        host: "hnode",
        plain: "node",
        version: "-v",
        directory: "node",
        ending: "js",
        imports: None,
        computing: &[("fannkuch", "fannkuch"), ("n-body", "nbody"), ("json", "json_round")],
        targets: Targets {
            hello: 0.60,
            wrapped: 0.55,
            computing: 1.02,
            small_io: 1.05,
            opens: 1.3,
            memory: 4.0,
        },
    },
];

/// Another sandbox, and how it is told to run a program with no more than reading.
#[derive(Debug)]
struct Peer {
    name: &'static str,
    words: &'static [&'static str],
}

/// The peer that hosts have a target against.
const WRAPPER: &str = "bwrap";

const PEERS: [Peer; 3] = [
    Peer { name: WRAPPER, words: &["bwrap", "--unshare-all", "--ro-bind", "/", "/"] },
    Peer { name: "landrun", words: &["landrun", "--rox", "/usr", "--ro", "/"] },
    Peer { name: "firejail --noprofile", words: &["firejail", "--quiet", "--noprofile"] },
];

/// How many paths a run with many grants has.
const MANY: usize = 1000;

impl Bench<'_> {
    /// Makes the files that the programs work on.
    pub fn furnish(&self) -> io::Result<()> {
        for number in 1..=MANY {
            fs::write(self.granted(number), "one line\n")?;
        }
        Ok(())
    }

    /// All rows whose programs are here, and a line for each that is not.
    pub fn rows(&self) -> (Vec<Row>, Vec<String>) {
        let (present, absent): (Vec<_>, Vec<_>) =
            PEERS.iter().partition(|peer| on_path(peer.words[0]).is_some());
        let mut rows = Vec::new();
        for pair in self.pairs {
            rows.extend(self.starts(pair, &present));
            rows.extend(self.runs(pair));
        }
        rows.push(self.lock());
        rows.extend(self.pairs.first().map(|pair| self.grants(pair)));
        let absent =
            absent.iter().map(|peer| format!("{} is not installed here: no such row", peer.name)).collect();
        (rows, absent)
    }

    /// What a start costs. What ran before decides much of that, through the caches: so it is measured
    /// in two ways, and both are shown.
    fn starts(&self, pair: &Pair, peers: &[&Peer]) -> Vec<Row> {
        let beside = peers.iter().map(|peer| self.around(pair, peer)).collect();
        let mut rows = vec![self.hello(pair, "back to back")];
        let start = self.start(pair, pair.language.plain.to_owned(), true);
        rows.push(Row { beside, start, ..self.hello(pair, "among peers") });
        rows.extend(peers.iter().map(|peer| self.peer(pair, peer)));
        rows.extend(pair.language.imports.map(|(what, target)| Row {
            target: Some(target),
            weight: 3,
            ..self.compare(pair, what, "imports", &[], &[])
        }));
        rows
    }

    /// What a longer run costs.
    fn runs(&self, pair: &Pair) -> Vec<Row> {
        let Language { computing, targets, .. } = pair.language;
        let reading = flag("--allow-read", self.scratch);
        let writing = flag("--allow-write", self.scratch);
        let computing = computing.iter().map(|(what, program)| {
            let target = Some(targets.computing);
            Row { target, ..self.compare(pair, what, program, &[], &[]) }
        });
        let mut rows: Vec<_> = computing.collect();
        rows.push(Row {
            target: Some(targets.small_io),
            ..self.compare(
                pair,
                "100k small reads and writes",
                "small_io",
                &[reading.clone(), writing],
                &[self.scratch],
            )
        });
        rows.push(Row {
            target: Some(targets.opens),
            ..self.compare(pair, "20k opens in a granted directory", "opens", &[reading], &[self.scratch])
        });
        rows.push(self.memory(pair));
        rows
    }

    fn hello(&self, pair: &Pair, how: &str) -> Row {
        let row = self.compare(pair, "hello world", "hello", &[], &[]);
        Row {
            what: format!("{}, {how}", row.what),
            target: Some(pair.language.targets.hello),
            weight: if pair.language.host == "hlua" { 10 } else { 3 },
            ..row
        }
    }

    /// The plain interpreter inside a peer.
    fn around(&self, pair: &Pair, peer: &Peer) -> Line {
        let words = peer.words.iter().map(PathBuf::from);
        Line::new(words.chain([pair.theirs.clone(), self.program(pair, "hello")]))
    }

    fn peer(&self, pair: &Pair, peer: &Peer) -> Row {
        let Language { host, plain, targets, .. } = pair.language;
        Row {
            what: format!("{host}: hello world / {} around {plain}", peer.name),
            theirs: Some(self.around(pair, peer)),
            weight: 2,
            target: (peer.name == WRAPPER).then_some(targets.wrapped),
            start: self.start(pair, format!("{} around {plain}", peer.name), false),
            ..self.hello(pair, "")
        }
    }

    fn start(&self, pair: &Pair, beside: String, counts: bool) -> Option<Start> {
        Some(Start { host: pair.language.host, beside, counts })
    }

    fn lock(&self) -> Row {
        Row {
            what: "lock (confine + seal)".to_owned(),
            ours: Line::new([self.lock]),
            theirs: None,
            beside: Vec::new(),
            yardstick: Yardstick::Printed,
            target: Some(200.0),
            weight: 10,
            same_output: false,
            start: None,
        }
    }

    fn grants(&self, pair: &Pair) -> Row {
        let granted: Vec<_> = (1..=MANY).map(|number| flag("--allow-read", &self.granted(number))).collect();
        Row {
            what: format!("{}: start with 1,000 granted paths - with 1", pair.language.host),
            theirs: Some(self.ours(pair, "hello", &granted[..1], &[])),
            yardstick: Yardstick::Milliseconds,
            target: Some(5.0),
            weight: 2,
            ..self.compare(pair, "", "hello", &granted, &[])
        }
    }

    fn memory(&self, pair: &Pair) -> Row {
        let Language { host, plain, targets, .. } = pair.language;
        Row {
            what: format!("{host}: peak memory of hello world - {plain}'s"),
            yardstick: Yardstick::Mebibytes,
            target: Some(targets.memory),
            weight: 1,
            ..self.hello(pair, "")
        }
    }

    /// The same program under the host and the plain interpreter.
    fn compare(&self, pair: &Pair, what: &str, program: &str, flags: &[PathBuf], args: &[&Path]) -> Row {
        let script = self.program(pair, program);
        let theirs = [pair.theirs.as_path(), &script].into_iter().chain(args.iter().copied());
        Row {
            what: format!("{}: {what} / {}", pair.language.host, pair.language.plain),
            ours: self.ours(pair, program, flags, args),
            theirs: Some(Line::new(theirs)),
            beside: Vec::new(),
            yardstick: Yardstick::Ratio,
            target: None,
            weight: 1,
            same_output: true,
            start: None,
        }
    }

    fn ours(&self, pair: &Pair, program: &str, flags: &[PathBuf], args: &[&Path]) -> Line {
        let script = self.program(pair, program);
        let flags = flags.iter().map(PathBuf::as_path);
        Line::new(
            [pair.ours.as_path()].into_iter().chain(flags).chain([&*script]).chain(args.iter().copied()),
        )
    }

    fn program(&self, pair: &Pair, name: &str) -> PathBuf {
        let Language { directory, ending, .. } = pair.language;
        self.programs.join(directory).join(format!("{name}.{ending}"))
    }

    fn granted(&self, number: usize) -> PathBuf {
        self.scratch.join(format!("{number:04}"))
    }
}

fn flag(name: &str, path: &Path) -> PathBuf {
    let mut flag = std::ffi::OsString::from(name);
    flag.push("=");
    flag.push(path);
    flag.into()
}

/// The program of that name, as a shell would find it.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program").is_none());
    }

    #[test]
    fn every_row_has_its_own_name() {
        let pairs = LANGUAGES.each_ref().map(|language| Pair {
            language,
            ours: language.host.into(),
            theirs: language.plain.into(),
        });
        let bench = Bench {
            pairs: &pairs,
            lock: Path::new("lock"),
            programs: Path::new("."),
            scratch: Path::new("scratch"),
        };
        let (rows, absent) = bench.rows();
        let mut names: Vec<_> = rows.iter().map(|row| row.what.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len());
        // The lock, many grants; imports; of each pair the rest and the peers.
        let imports = LANGUAGES.iter().filter(|language| language.imports.is_some()).count();
        let computing: usize = LANGUAGES.iter().map(|language| language.computing.len()).sum();
        let each = (5 + PEERS.len()) * pairs.len();
        assert_eq!(rows.len() + absent.len() * pairs.len(), 2 + imports + computing + each);
    }

    #[test]
    fn every_program_is_there() {
        for language in &LANGUAGES {
            let programs = language.computing.iter().map(|(_, program)| *program);
            let imports = language.imports.map(|_| "imports");
            for program in programs.chain(["hello", "small_io", "opens"]).chain(imports) {
                let file = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join(language.directory)
                    .join(format!("{program}.{}", language.ending));
                assert!(file.is_file(), "{}", file.display());
            }
        }
    }
}
