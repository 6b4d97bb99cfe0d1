//! What the options and the policy file mean: plain data, printable and comparable.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::exec_control::Control;
use crate::failure::Failure;
use crate::limits::{Budget, LEAST_FILES, Limits};
use crate::needs;
use crate::net::Net;
use crate::options::{Options, Rules, Run, Without};
use crate::policy_file;
use crate::profile::{Lift, Profile};
use crate::units::Limit;

/// Variables that reach the script without being named; `LC_*` does as well.
pub const ENVIRONMENT: [&str; 7] = ["PATH", "HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR"];

/// Readable by every script, as far as they exist: devices without content, time zones, locales.
const COMMON: [&str; 5] =
    ["/dev/zero", "/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo", "/usr/lib/locale"];

/// Readable and writable by every script: what goes there is gone.
const SINK: &str = "/dev/null";

/// The standard streams by name, and the most that is granted of what they lead to.
const STREAMS: [(i32, &str, Access); 3] =
    [(0, "/dev/stdin", Access::Read), (1, "/dev/stdout", Access::Use), (2, "/dev/stderr", Access::Use)];

/// Where the system keeps its programs and their libraries.
const PROGRAMS: [&str; 14] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
];

/// What programs of the system read when they start, beside their libraries.
const PROGRAMS_READ: [&str; 8] = [
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/usr/share",
    "/usr/include",
    "/dev/full",
];

/// What the C library reads to find a host or a service by its name.
const NETWORK_READ: [&str; 6] = [
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
];

/// The dynamic loaders: the kernel starts them together with a program.
const LOADERS: [&str; 2] = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/// What a path is granted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading files and listing directories.
    Read,
    /// Writing, creating and removing.
    Write,
    /// Reading and writing a file that is there.
    Use,
    /// Writing a file that is there.
    Fill,
    /// Starting programs, and reading them.
    Execute,
}

/// Who asked for a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user, by this flag: the path must exist.
    Asked(&'static str),
    /// The host's defaults: what does not exist is left out.
    Default,
    /// It is the script, granted by the descriptor through which it was read.
    Script,
    /// It is what a standard stream leads to, by the stream's number: for whom opens it again by the name `/dev/stdout`, and
    /// no more than the stream itself allows.
    Stream(i32),
    /// It is the run's own directory for temporary files, by `--private-tmp`.
    Private,
    /// A program that `--allow-run` names needs it.
    Needed,
}

/// One path and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A file, or a directory with everything beneath it.
    pub path: PathBuf,
    /// What for.
    pub access: Access,
    /// On whose word.
    pub origin: Origin,
}

/// Everything that a run may do. Nothing else is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Paths.
    pub grants: Vec<Grant>,
    /// Programs.
    pub run: Option<Run>,
    /// TCP ports.
    pub net: Net,
    /// Names of environment variables let in beside [`ENVIRONMENT`].
    pub env: Vec<OsString>,
    /// The host's own grants.
    pub extras: Vec<&'static str>,
    /// Budgets.
    pub limits: Limits,
    /// Resource limits by the kernel's names; they come after [`Self::limits`].
    pub rlimits: Vec<(rlimit::Resource, u64)>,
    /// What is left out.
    pub without: Vec<Without>,
    /// Whether the script is a dialogue on a terminal.
    pub interactive: bool,
    /// Whether links and FIFOs may be made where may be written, and modes and times changed there.
    pub links: bool,
    /// Whether the run has a directory of its own for temporary files.
    pub private_tmp: bool,
    /// Whether the interpreter may compile, which takes memory that becomes executable.
    pub jit: bool,
    /// Which code may be run at all.
    pub control: Control,
}

impl Policy {
    /// Works out what the options mean. Reads the policy file, if one is named.
    ///
    /// # Errors
    /// A [`Failure`] that names the flag, or the file and line.
    pub fn of(options: &Options, profile: &Profile, interactive: bool) -> Result<Self, Failure> {
        let mut rules = Rules::default();
        if let Some(path) = &options.policy {
            rules = policy_file::read(path, profile)?;
        }
        extend(&mut rules, options.rules.clone());
        let policy = Self::meant(rules, options, profile, interactive)?;
        if let Some(path) = &options.policy {
            policy.refuse_writable(path)?;
        }
        Ok(policy)
    }

    fn meant(rules: Rules, options: &Options, profile: &Profile, interactive: bool) -> Result<Self, Failure> {
        let mut limits = Limits::default();
        limits.set(Budget::Memory, Limit::At(profile.memory));
        for (budget, limit) in rules.limits {
            limits.set(budget, limit);
        }
        check_limits(&limits, profile)?;
        let run = started(rules.run, profile).map(found).transpose()?;
        let mut grants = defaults(profile, options);
        grants.extend(programs(run.as_ref(), profile));
        grants.extend(names_of_hosts(&rules.net));
        grants.extend(asked(rules.read, Access::Read, "allow-read"));
        grants.extend(asked(rules.write, Access::Write, "allow-write"));
        Ok(Policy {
            grants,
            run,
            net: rules.net,
            env: profile.environment.iter().map(Into::into).chain(rules.env).collect(),
            extras: rules.extras,
            limits,
            rlimits: rules.rlimits,
            without: rules.without,
            interactive,
            links: profile.launches,
            private_tmp: rules.private_tmp,
            jit: profile.jit.is_some_and(|stop| !options.invocation.has(stop)),
            control: Control::of_kernel().map_err(|error| Failure::step("read the securebits", &error))?,
        })
    }

    /// Grants the run's own directory for temporary files.
    pub(crate) fn grant_private(&mut self, directory: &Path) {
        for access in [Access::Read, Access::Write] {
            self.grants.push(Grant { path: directory.to_owned(), access, origin: Origin::Private });
        }
    }

    /// Whether the script may start programs.
    #[must_use]
    pub fn runs_programs(&self) -> bool {
        self.run.is_some()
    }

    /// Whether the script may write anywhere but to the sink.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.grants.iter().any(|grant| grant.access == Access::Write)
    }

    /// Where the files and directories really are that are granted in this way. What is not there is left out.
    #[must_use]
    pub fn roots(&self, access: Access) -> Vec<PathBuf> {
        let grants = self.grants.iter().filter(|grant| grant.access == access);
        grants.filter_map(|grant| fs::canonicalize(&grant.path).ok()).collect()
    }

    /// Whether a directory, named from the root, is granted for reading, as far as names tell: links are
    /// not followed.
    #[must_use]
    pub fn reads(&self, directory: &Path) -> bool {
        self.grants.iter().filter(|grant| matches!(grant.access, Access::Read | Access::Execute)).any(
            |grant| match grant.path.is_absolute() {
                true => directory.starts_with(&grant.path),
                false => directory.starts_with(directory.join(&grant.path)),
            },
        )
    }

    /// Where temporary files go instead of `named`, the value of `TMPDIR`: into a directory that the script may write,
    /// and read if there is one. Nothing where there is none, or `named` is such a place.
    #[must_use]
    pub fn temporary(&self, named: Option<&OsStr>) -> Option<PathBuf> {
        if let Some(own) = self.grants.iter().find(|grant| grant.origin == Origin::Private) {
            return Some(own.path.clone());
        }
        let granted = |access| self.roots(access).into_iter().filter(|path| path.is_dir());
        let written: Vec<PathBuf> = granted(Access::Write).collect();
        let named = named.and_then(|path| fs::canonicalize(path).ok());
        if named.is_some_and(|path| written.iter().any(|root| path.starts_with(root))) {
            return None;
        }
        let readable = |path: &&PathBuf| granted(Access::Read).any(|root| path.starts_with(root));
        written.iter().find(readable).or(written.first()).cloned()
    }

    /// Whether the host's own grant of this name is given.
    #[must_use]
    pub fn extra(&self, name: &str) -> bool {
        self.extras.contains(&name)
    }

    /// Whether dangerous builtins are to answer with an error of their own.
    #[must_use]
    pub fn neutering(&self) -> bool {
        !self.goes_without(Without::Neutering)
    }

    /// Whether something neutered stays as the language has it.
    #[must_use]
    pub fn lifts(&self, lift: Lift) -> bool {
        let granted = match lift {
            Lift::Run => self.runs_programs(),
            Lift::Net => !self.net.is_empty(),
            Lift::Extra(name) => self.extra(name),
            Lift::Plain | Lift::Nothing(_) => false,
        };
        granted || !self.neutering()
    }

    /// Whether a part of the sandbox is left out.
    #[must_use]
    pub fn goes_without(&self, part: Without) -> bool {
        self.without.contains(&part)
    }

    /// Whether a variable may reach the script.
    #[must_use]
    pub fn lets_in(&self, name: &[u8]) -> bool {
        name.starts_with(b"LC_")
            || ENVIRONMENT.iter().any(|known| known.as_bytes() == name)
            || self.env.iter().any(|known| known.as_bytes() == name)
    }

    /// A policy that the script may write, or put another in the place of, is one that it may widen.
    fn refuse_writable(&self, file: &Path) -> Result<(), Failure> {
        let names = names_of(file).map_err(|source| Failure::PolicyFile { path: file.to_owned(), source })?;
        for grant in self.grants.iter().filter(|grant| grant.access == Access::Write) {
            // A grant that cannot be resolved fails when it is opened.
            let root = fs::canonicalize(&grant.path);
            if root.is_ok_and(|root| names.iter().any(|name| name.starts_with(&root))) {
                return Err(Failure::PolicyWritable { path: file.to_owned(), grant: grant.path.clone() });
            }
        }
        Ok(())
    }
}

/// Where a file's name stands, and where each link on the way to it stands, among the directories
/// too: whoever can write to one of these places decides what the name means.
fn names_of(file: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    let mut place = PathBuf::from("/");
    let mut ahead: Vec<OsString> = reversed(&env::current_dir()?.join(file));
    while let Some(component) = ahead.pop() {
        if component == ".." {
            place.pop();
            continue;
        }
        let name = place.join(&component);
        let Ok(target) = fs::read_link(&name) else {
            place = name;
            continue;
        };
        if target.is_absolute() {
            place = PathBuf::from("/");
        }
        ahead.extend(reversed(&target));
        names.push(name);
        // The kernel follows no more than forty links (path_resolution(7)).
        if names.len() > 40 {
            return Err(io::Error::from_raw_os_error(libc::ELOOP));
        }
    }
    names.push(place);
    Ok(names)
}

/// A path's components, the last first, without the root.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    names.rev().map(|part| part.as_os_str().to_owned()).collect()
}

/// Adds what was typed to what the file says; typed limits come later and so count.
fn extend(rules: &mut Rules, typed: Rules) {
    rules.read.extend(typed.read);
    rules.write.extend(typed.write);
    rules.net.extend(typed.net);
    rules.env.extend(typed.env);
    rules.extras.extend(typed.extras);
    rules.limits.extend(typed.limits);
    rules.rlimits.extend(typed.rlimits);
    rules.without.extend(typed.without);
    rules.private_tmp |= typed.private_tmp;
    rules.run = match (rules.run.take(), typed.run) {
        (Some(file), Some(typed)) => Some(file.and(typed)),
        (file, typed) => file.or(typed),
    };
}

fn asked(paths: Vec<PathBuf>, access: Access, flag: &'static str) -> impl Iterator<Item = Grant> {
    let origin = Origin::Asked(flag);
    paths.into_iter().map(move |path| Grant { path, access, origin })
}

fn by_default(path: impl Into<PathBuf>, access: Access) -> Grant {
    Grant { path: path.into(), access, origin: Origin::Default }
}

fn defaults(profile: &Profile, options: &Options) -> Vec<Grant> {
    let mut grants = vec![by_default(SINK, Access::Use)];
    let paths = COMMON.iter().chain(profile.library);
    grants.extend(paths.map(|path| by_default(*path, Access::Read)));
    if let crate::invocation::Program::File(script) = &options.invocation.program {
        grants.push(Grant { path: script.into(), access: Access::Read, origin: Origin::Script });
    }
    if profile.launches {
        for (number, path, access) in STREAMS {
            grants.push(Grant { path: path.into(), access, origin: Origin::Stream(number) });
        }
    }
    grants
}

/// What starting programs needs.
fn programs(run: Option<&Run>, profile: &Profile) -> Vec<Grant> {
    let Some(run) = run else {
        return Vec::new();
    };
    let trusted = || PROGRAMS.iter().filter(|path| is_system(Path::new(path)));
    let mut grants: Vec<Grant> = Vec::new();
    if run.system == Some(true) {
        grants.extend(trusted().map(|path| by_default(*path, Access::Execute)));
    } else {
        grants.extend(trusted().map(|path| by_default(*path, Access::Read)));
    }
    grants.extend(PROGRAMS_READ.iter().map(|path| by_default(*path, Access::Read)));
    if !run.programs.is_empty() {
        let around = profile.launchers.iter().chain(&LOADERS);
        grants.extend(around.map(|path| by_default(*path, Access::Execute)));
    }
    let origin = Origin::Asked("allow-run");
    let system: Vec<_> = trusted().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let needs = run.programs.iter().flat_map(|program| needs::of(program, &system));
    grants.extend(needs.map(|need| Grant { path: need.path, access: need.access, origin: Origin::Needed }));
    let named = run.programs.iter();
    grants.extend(named.map(|path| Grant { path: path.clone(), access: Access::Execute, origin }));
    grants
}

/// What a script on the network needs to read.
fn names_of_hosts(net: &Net) -> impl Iterator<Item = Grant> {
    let paths = if net.is_empty() { &[][..] } else { &NETWORK_READ };
    paths.iter().map(|path| by_default(*path, Access::Read))
}

/// Whether a directory belongs to root and nobody else can write to it.
fn is_system(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0)
}

/// What is granted where the host's default fills what was not said; nothing where no program may be started.
fn started(run: Option<Run>, profile: &Profile) -> Option<Run> {
    let run = run.unwrap_or_default();
    let system = run.system.unwrap_or(profile.launches);
    (system || profile.launches || !run.programs.is_empty()).then_some(Run { system: Some(system), ..run })
}

/// Resolves the names of programs as a shell would.
fn found(run: Run) -> Result<Run, Failure> {
    let resolve = |name: PathBuf| {
        if name.as_os_str().as_bytes().contains(&b'/') || name == Path::new(".") {
            return Ok(name);
        }
        in_path(&name, &env::var_os("PATH").unwrap_or_default()).ok_or_else(|| Failure::Grant {
            flag: "allow-run",
            path: name.clone(),
            source: io::Error::from_raw_os_error(libc::ENOENT),
        })
    };
    let programs = run.programs.into_iter().map(resolve).collect::<Result<_, _>>()?;
    Ok(Run { system: run.system, programs })
}

fn in_path(name: &Path, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|directory| directory.join(name))
        .find(|file| fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0))
}

/// The least with which a process can live: a few descriptors, a second of CPU, a moment.
fn check_limits(limits: &Limits, profile: &Profile) -> Result<(), Failure> {
    let least = [
        (Budget::Memory, profile.least_memory),
        (Budget::Cpu, 1000),
        (Budget::Time, 1),
        (Budget::Files, LEAST_FILES),
    ];
    for (budget, least) in least {
        if matches!(limits.get(budget), Limit::At(amount) if amount < least) {
            return Err(Failure::TooSmall {
                limit: format!("--limit-{}={}", budget.key(), limits.show(budget)),
                least: budget.unit().show(Limit::At(least)),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Grammar;
    use std::ffi::OsString;

    static PROFILE: Profile = Profile {
        name: "hx",
        synopsis: "",
        version: "",
        switches: &[],
        grammar: Grammar::PLAIN,
        environment: &[],
        library: &["/usr/share/x"],
        launchers: &["/bin/sh"],
        launches: false,
        sockets: true,
        messages: false,
        extras: &[],
        neutered: &[],
        filters: &[],
        threads: false,
        counts_memory: true,
        memory: 1 << 30,
        jit: None,
        memory_overhead: 0,
        least_memory: 1 << 20,
    };

    fn policy(line: &str) -> Result<Policy, Failure> {
        let options = Options::parse(&PROFILE, line.split_whitespace().map(OsString::from))?;
        Policy::of(&options, &PROFILE, false)
    }

    fn granted(policy: &Policy, access: Access) -> Vec<&str> {
        let grants = policy.grants.iter().filter(|grant| grant.access == access);
        grants.map(|grant| grant.path.to_str().unwrap()).collect()
    }

    #[test]
    fn by_default_nothing_is_written_or_started() {
        let policy = policy("hx s.x").unwrap();
        assert!(granted(&policy, Access::Write).is_empty());
        assert!(granted(&policy, Access::Execute).is_empty());
        assert_eq!(granted(&policy, Access::Use), ["/dev/null"]);
        let read = granted(&policy, Access::Read);
        assert!(read.contains(&"s.x") && read.contains(&"/usr/share/x"));
        for closed in ["/", "/etc", "/etc/passwd", "/proc", "/home", "/tmp", ".", "/dev", "/usr"] {
            assert!(!read.contains(&closed), "{closed}");
        }
    }

    #[test]
    fn one_program_brings_its_launcher_but_not_the_system() {
        let policy = policy("hx --allow-run=/opt/p s.x").unwrap();
        let execute = granted(&policy, Access::Execute);
        assert!(execute.contains(&"/opt/p") && execute.contains(&"/bin/sh"));
        assert!(!execute.contains(&"/usr/bin") && !execute.contains(&"/bin"));
        assert!(super::found(Run::programs(vec!["no-such-program-anywhere".into()])).is_err());
    }

    #[test]
    fn a_directory_is_granted_by_itself_or_from_above() {
        let here = Path::new("/home/u/game");
        for (flags, granted) in [
            ("--allow-read=.", true),
            ("--allow-read=/home/u", true),
            ("--allow-read=/home/u/game/", true),
            ("--allow-read=data", false),
            ("--allow-read=/home/u/ga", false),
            ("--allow-write=.", false),
            ("", false),
        ] {
            assert_eq!(policy(&format!("hx {flags} s.x")).unwrap().reads(here), granted, "{flags}");
        }
    }

    #[test]
    fn variables_are_let_in_by_name() {
        let policy = policy("hx --allow-env=TOKEN s.x").unwrap();
        for (name, expected) in [
            ("PATH", true),
            ("LC_ALL", true),
            ("TOKEN", true),
            ("TOKENS", false),
            ("LD_PRELOAD", false),
            ("", false),
        ] {
            assert_eq!(policy.lets_in(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn temporary_files_go_where_they_may_be_written() {
        let named = Some(OsStr::new("/usr/bin"));
        assert_eq!(policy("hx s.x").unwrap().temporary(named), None);
        let policy = policy("hx --allow-write=/usr --allow-write=/dev --allow-read=/dev s.x").unwrap();
        assert_eq!(policy.temporary(None), Some("/dev".into()));
        assert_eq!(policy.temporary(Some(OsStr::new("/proc"))), Some("/dev".into()));
        assert_eq!(policy.temporary(named), None);
    }

    #[test]
    fn limits_below_what_is_needed_are_refused() {
        for (line, expected) in [
            ("hx --limit-memory=1K", "--limit-memory=1K is too small: at least 1M is needed"),
            ("hx --limit-files=3", "--limit-files=3 is too small: at least 4 is needed"),
            ("hx --limit-cpu=0", "--limit-cpu=0 is too small: at least 1s is needed"),
        ] {
            assert_eq!(policy(line).unwrap_err().to_string(), expected);
        }
        assert!(policy("hx --limit-memory=none --limit-cpu=none").is_ok());
    }

    #[test]
    fn a_file_and_flags_that_say_the_same_are_the_same() {
        let directory = std::env::temp_dir().join(format!("policy-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let file = directory.join("p.toml");
        let text = "[allow]\nread = [\"/etc\"]\nenv = [\"X\"]\nrun = true\nnet = [80, \"listen:9\"]\n[limits]\nfiles = 9\n";
        fs::write(&file, text).unwrap();
        let from_file = policy(&format!("hx --policy={} s.x", file.display())).unwrap();
        let typed = policy("hx --allow-read=/etc --allow-env=X --allow-run --allow-net=80 --allow-net=listen:9 --limit-files=9 s.x").unwrap();
        assert_eq!(from_file, typed);
        let writable =
            policy(&format!("hx --policy={} --allow-write={} s.x", file.display(), directory.display()));
        assert!(matches!(writable, Err(Failure::PolicyWritable { .. })));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn every_link_on_the_way_to_a_policy_counts() {
        let base =
            fs::canonicalize(std::env::temp_dir()).unwrap().join(format!("names-{}", std::process::id()));
        for directory in ["real", "writable"] {
            fs::create_dir_all(base.join(directory)).unwrap();
        }
        fs::write(base.join("real/p.toml"), "").unwrap();
        std::os::unix::fs::symlink("../real", base.join("writable/directory")).unwrap();
        std::os::unix::fs::symlink(base.join("real/p.toml"), base.join("writable/file")).unwrap();
        for (name, refused) in
            [("real/p.toml", false), ("writable/file", true), ("writable/directory/p.toml", true)]
        {
            let line = format!("hx --policy={0}/{name} --allow-write={0}/writable s.x", base.display());
            assert_eq!(policy(&line).is_err(), refused, "{name}");
        }
        fs::remove_dir_all(&base).unwrap();
    }
}
