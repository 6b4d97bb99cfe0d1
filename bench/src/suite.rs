//! The rows of the table: what hlua promises, and what its peers take for the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::Line;
use crate::row::{Row, Yardstick};

/// What is compared: the programs, and the files they work on.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The binary under test.
    pub hlua: &'a Path,
    /// The plain interpreter.
    pub lua: &'a Path,
    /// Prints how long the lock takes.
    pub lock: &'a Path,
    /// The Lua programs.
    pub programs: &'a Path,
    /// A directory for the programs to work in.
    pub scratch: &'a Path,
}

/// Another sandbox, and how it is told to run a program with no more than reading.
#[derive(Debug)]
struct Peer {
    name: &'static str,
    words: &'static [&'static str],
    target: Option<f64>,
}

const PEERS: [Peer; 3] = [
    Peer { name: "bwrap", words: &["bwrap", "--unshare-all", "--ro-bind", "/", "/"], target: Some(0.25) },
    Peer { name: "landrun", words: &["landrun", "--rox", "/usr", "--ro", "/"], target: None },
    Peer { name: "firejail --noprofile", words: &["firejail", "--quiet", "--noprofile"], target: None },
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
        let peers = present.iter().map(|peer| self.around(peer)).collect();
        let mut rows = vec![Row { beside: peers, target: Some(0.75), ..self.hello("among peers") }];
        rows.push(self.hello("back to back"));
        rows.extend(present.into_iter().map(|peer| self.peer(peer)));
        rows.push(self.lock());
        rows.extend(self.processor());
        rows.push(self.small_io());
        rows.push(self.opens());
        rows.push(self.grants());
        rows.push(self.memory());
        let absent =
            absent.iter().map(|peer| format!("{} is not installed here: no such row", peer.name)).collect();
        (rows, absent)
    }

    /// What ran before decides much of what a start costs, through the caches: so it is measured in two
    /// ways, and both are shown.
    fn hello(&self, how: &str) -> Row {
        let script = self.program("hello.lua");
        let what = format!("hello world / lua5.4, {how}");
        Row { weight: 10, ..self.ratio(&what, self.ours(&[], &script, &[]), self.theirs(&script, &[])) }
    }

    /// The plain interpreter inside a peer.
    fn around(&self, peer: &Peer) -> Line {
        let words = peer.words.iter().map(PathBuf::from);
        Line::new(words.chain([self.lua.to_owned(), self.program("hello.lua")]))
    }

    fn peer(&self, peer: &Peer) -> Row {
        let script = self.program("hello.lua");
        let what = format!("hello world / {} around lua5.4", peer.name);
        Row {
            weight: 2,
            target: peer.target,
            ..self.ratio(&what, self.ours(&[], &script, &[]), self.around(peer))
        }
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
        }
    }

    fn processor(&self) -> [Row; 3] {
        [("fannkuch", "fannkuch.lua"), ("n-body", "nbody.lua"), ("spectral norm", "spectral.lua")].map(
            |(name, file)| {
                let script = self.program(file);
                let what = format!("{name} / lua5.4");
                Row {
                    target: Some(1.02),
                    ..self.ratio(&what, self.ours(&[], &script, &[]), self.theirs(&script, &[]))
                }
            },
        )
    }

    fn small_io(&self) -> Row {
        let script = self.program("small_io.lua");
        let grants = [flag("--allow-read", self.scratch), flag("--allow-write", self.scratch)];
        Row {
            target: Some(1.05),
            ..self.ratio(
                "100k small reads and writes / lua5.4",
                self.ours(&grants, &script, &[self.scratch]),
                self.theirs(&script, &[self.scratch]),
            )
        }
    }

    fn opens(&self) -> Row {
        let script = self.program("opens.lua");
        let grants = [flag("--allow-read", self.scratch)];
        Row {
            target: Some(1.25),
            ..self.ratio(
                "20k opens in a granted directory / lua5.4",
                self.ours(&grants, &script, &[self.scratch]),
                self.theirs(&script, &[self.scratch]),
            )
        }
    }

    fn grants(&self) -> Row {
        let script = self.program("hello.lua");
        let granted: Vec<_> = (1..=MANY).map(|number| flag("--allow-read", &self.granted(number))).collect();
        let (many, one) = (self.ours(&granted, &script, &[]), self.ours(&granted[..1], &script, &[]));
        Row {
            yardstick: Yardstick::Milliseconds,
            target: Some(5.0),
            weight: 2,
            ..self.ratio("start with 1,000 granted paths - with 1", many, one)
        }
    }

    fn memory(&self) -> Row {
        Row {
            what: "peak memory of hello world - lua5.4's".to_owned(),
            yardstick: Yardstick::Mebibytes,
            target: Some(2.0),
            weight: 1,
            ..self.hello("")
        }
    }

    fn ratio(&self, what: &str, ours: Line, theirs: Line) -> Row {
        Row {
            what: what.to_owned(),
            ours,
            theirs: Some(theirs),
            beside: Vec::new(),
            yardstick: Yardstick::Ratio,
            target: None,
            weight: 1,
            same_output: true,
        }
    }

    fn ours(&self, flags: &[PathBuf], script: &Path, args: &[&Path]) -> Line {
        let flags = flags.iter().map(PathBuf::as_path);
        Line::new([self.hlua].into_iter().chain(flags).chain([script]).chain(args.iter().copied()))
    }

    fn theirs(&self, script: &Path, args: &[&Path]) -> Line {
        Line::new([self.lua, script].into_iter().chain(args.iter().copied()))
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
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
pub fn on_path(name: &str) -> Option<PathBuf> {
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
        let bench = Bench {
            hlua: Path::new("hlua"),
            lua: Path::new("lua"),
            lock: Path::new("lock"),
            programs: Path::new("lua"),
            scratch: Path::new("scratch"),
        };
        let (rows, absent) = bench.rows();
        let mut names: Vec<_> = rows.iter().map(|row| row.what.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len());
        assert_eq!(rows.len() + absent.len(), 10 + PEERS.len());
    }
}
