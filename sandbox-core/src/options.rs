//! What was typed: the sandbox's own options told apart from the interpreter's. No look-ups here.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use crate::failure::Failure;
use crate::flags::{FLAGS, Flag, Meaning, Takes};
use crate::invocation::{Given, Invocation, Program, UsageError};
use crate::limits::Budget;
use crate::net::Net;
use crate::profile::{Profile, Switch};
use crate::units::Limit;

/// A command line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What to do.
    pub action: Action,
    /// The file named by `--policy`.
    pub policy: Option<PathBuf>,
    /// The grants and limits typed.
    pub rules: Rules,
    /// The rest, as the interpreter sees it.
    pub invocation: Invocation,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run the program.
    Run,
    /// Print the policy.
    Explain,
    /// Print the options.
    Help,
    /// Print the version.
    Version,
    /// Say that an option of the language is wrong.
    Usage(UsageError),
}

/// Grants and limits, whether typed or read from a policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Paths that may be read.
    pub read: Vec<PathBuf>,
    /// Paths beneath which may be written.
    pub write: Vec<PathBuf>,
    /// Programs that may be started.
    pub run: Option<Run>,
    /// TCP ports that may be used.
    pub net: Net,
    /// Environment variables let in.
    pub env: Vec<OsString>,
    /// The host's own grants.
    pub extras: Vec<&'static str>,
    /// Budgets, the last of a kind counts.
    pub limits: Vec<(Budget, Limit)>,
    /// Resource limits by the kernel's names.
    pub rlimits: Vec<(rlimit::Resource, u64)>,
    /// What to go without.
    pub without: Vec<Without>,
    /// Whether the run is to have a directory of its own for temporary files.
    pub private_tmp: bool,
}

/// Which programs may be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Those of the system's own directories; nothing where only programs were named.
    pub system: Option<bool>,
    /// These.
    pub programs: Vec<PathBuf>,
}

impl Run {
    /// Those of the system, or none of them.
    #[must_use]
    pub fn system(granted: bool) -> Self {
        Run { system: Some(granted), programs: Vec::new() }
    }

    /// These.
    #[must_use]
    pub fn programs(programs: Vec<PathBuf>) -> Self {
        Run { system: None, programs }
    }

    /// Both grants together: naming programs does not narrow a grant of all.
    #[must_use]
    pub fn and(mut self, other: Run) -> Run {
        self.system = match (self.system, other.system) {
            (Some(one), Some(other)) => Some(one || other),
            (one, other) => one.or(other),
        };
        self.programs.extend(other.programs);
        self
    }
}

/// A part of the sandbox that can be left out, if somebody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// No rules for files.
    Landlock,
    /// No filter of system calls.
    Seccomp,
    /// Dangerous builtins stay as they are; the kernel refuses them.
    Neutering,
    /// What a run with programs leaves behind is looked for in `/proc` when it ends, and may get away.
    Scopes,
}

impl Without {
    /// Every part.
    pub const ALL: [Without; 4] = [Without::Landlock, Without::Seccomp, Without::Neutering, Without::Scopes];

    /// Looks a part up.
    ///
    /// # Errors
    /// A sentence with the names there are.
    pub fn parse(name: &str) -> Result<Without, &'static str> {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == name)
            .ok_or("landlock, seccomp, neutering or scopes is expected")
    }

    /// The name as typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Without::Landlock => "landlock",
            Without::Seccomp => "seccomp",
            Without::Neutering => "neutering",
            Without::Scopes => "scopes",
        }
    }
}

impl Options {
    /// Takes a command line apart.
    ///
    /// # Errors
    /// A [`Failure`] for a wrong option of the sandbox; a wrong option of the language becomes
    /// [`Action::Usage`].
    pub fn parse(profile: &Profile, argv: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut argv = argv.into_iter();
        let argv0 = argv.next().unwrap_or_else(|| profile.name.into());
        let mut options = Options {
            action: Action::Run,
            policy: None,
            rules: Rules::default(),
            invocation: Invocation {
                argv0,
                switches: Vec::new(),
                raw: Vec::new(),
                program: Program::None,
                args: Vec::new(),
            },
        };
        let mut parser = Parser::from_args(argv);
        while options.step(profile, &mut parser)? {}
        Ok(options)
    }

    /// Reads one option; false when there is none left.
    fn step(&mut self, profile: &Profile, parser: &mut Parser) -> Result<bool, Failure> {
        let Some(next) = peek(parser) else {
            return Ok(false);
        };
        match next.as_bytes() {
            b"-" if profile.grammar.dash_ends => Ok(self.program(profile, parser, Program::None, true)),
            b"-" if !self.is_scriptless(profile) => Ok(self.program(profile, parser, Program::Stdin, true)),
            b"--" => Ok(self.program(profile, parser, Program::None, true)),
            long if long.starts_with(b"--") && whole_switch(profile, &next).is_none() => {
                self.ours(profile, parser)
            }
            [b'-', _, ..] => Ok(self.native(profile, parser, &next)),
            [b'+', _, ..] if profile.grammar.plus => Ok(self.native(profile, parser, &next)),
            _ => Ok(self.program(profile, parser, Program::None, false)),
        }
    }

    /// The end of the options: what follows is the script, unless it stands on standard input, and
    /// its arguments. `marker` says that `-` or `--` comes first.
    fn program(
        &mut self,
        profile: &Profile,
        parser: &mut Parser,
        mut program: Program,
        marker: bool,
    ) -> bool {
        let Some(mut rest) = parser.try_raw_args() else {
            return false;
        };
        if marker {
            self.invocation.raw.extend(rest.next());
        }
        if program == Program::None && !self.is_scriptless(profile) {
            program = rest.next().map_or(Program::None, Program::File);
        }
        self.invocation.program = program;
        self.invocation.args = rest.collect();
        false
    }

    /// Whether an option was given with which there is no script.
    fn is_scriptless(&self, profile: &Profile) -> bool {
        profile.grammar.scriptless.iter().any(|name| self.invocation.has(name))
    }

    /// One of the interpreter's own options; false ends the parsing.
    fn native(&mut self, profile: &Profile, parser: &mut Parser, typed: &OsStr) -> bool {
        let Some(mut rest) = parser.try_raw_args() else {
            return false;
        };
        self.invocation.raw.extend(rest.next());
        let grammar = profile.grammar;
        let mut ahead = native_switches(profile, typed);
        let error = loop {
            let Some(found) = ahead.next() else { return true };
            let Some((switch, attached)) = found else { break UsageError::Unknown(typed.to_owned()) };
            let value = match attached {
                None if switch.value => {
                    let fits = |next: &OsStr| grammar.dashed_values || !next.as_bytes().starts_with(b"-");
                    let Some(value) = rest.next_if(fits) else {
                        break UsageError::NeedsValue(typed.to_owned());
                    };
                    self.invocation.raw.push(value.clone());
                    Some(value)
                }
                attached => attached,
            };
            self.invocation.switches.push(Given { name: switch.name, value });
            if grammar.programs.contains(&switch.name) {
                self.invocation.args = rest.collect();
                return false;
            }
        };
        if grammar.explains_itself {
            self.invocation.args = rest.collect();
        } else {
            self.action = Action::Usage(error);
        }
        false
    }

    /// One of the sandbox's options.
    fn ours(&mut self, profile: &Profile, parser: &mut Parser) -> Result<bool, Failure> {
        let name = match parser.next() {
            Ok(Some(Arg::Long(name))) => name.to_owned(),
            // Bytes that are no text cannot be one of our names.
            _ => return Err(Failure::UnknownFlag { name: "--?".into(), suggestion: None }),
        };
        if let Some(extra) = extra_named(profile, &name) {
            no_value(parser, &name)?;
            self.rules.extras.push(extra);
            return Ok(true);
        }
        let flag = FLAGS.iter().find(|flag| flag.name == name).ok_or_else(|| unknown(profile, &name))?;
        if flag.meaning == Meaning::Net && !profile.sockets {
            return Err(Failure::NoNetwork);
        }
        let value = take_value(parser, flag)?;
        self.apply(flag, value)?;
        Ok(matches!(self.action, Action::Run | Action::Explain))
    }

    fn apply(&mut self, flag: &Flag, value: Option<OsString>) -> Result<(), Failure> {
        let given = value.clone().unwrap_or_default();
        let rules = &mut self.rules;
        match flag.meaning {
            Meaning::Read => rules.read.push(path(flag, given)?),
            Meaning::Write => rules.write.push(path(flag, given)?),
            Meaning::Run => {
                let run = match value {
                    None => Run::system(true),
                    Some(none) if none == "none" => Run::system(false),
                    Some(program) => Run::programs(vec![path(flag, program)?]),
                };
                rules.run = Some(match rules.run.take() {
                    None => run,
                    Some(before) => before.and(run),
                });
            }
            Meaning::Net => {
                let net = Net::parse(text(flag, &given)?);
                rules.net.extend(net.map_err(|cause| bad(flag, &given, &cause.to_string()))?);
            }
            Meaning::Env => rules.env.push(variable(flag, given)?),
            Meaning::Limit(budget) => {
                let text = text(flag, &given)?;
                let limit = budget.unit().parse(text).map_err(|cause| bad(flag, &given, cause))?;
                rules.limits.push((budget, limit));
            }
            Meaning::Rlimit => {
                let text = text(flag, &given)?;
                rules.rlimits.push(rlimit_of(text).map_err(|cause| bad(flag, &given, cause))?);
            }
            Meaning::Policy if self.policy.is_some() => {
                return Err(bad(flag, &given, "one policy file is enough"));
            }
            Meaning::Policy => self.policy = Some(path(flag, given)?),
            Meaning::Without => {
                let text = text(flag, &given)?;
                rules.without.push(Without::parse(text).map_err(|cause| bad(flag, &given, cause))?);
            }
            Meaning::PrivateTmp => rules.private_tmp = true,
            Meaning::Explain => self.action = Action::Explain,
            Meaning::Help => self.action = Action::Help,
            Meaning::Version => self.action = Action::Version,
        }
        Ok(())
    }
}

fn peek(parser: &mut Parser) -> Option<OsString> {
    parser.try_raw_args()?.peek().map(OsStr::to_owned)
}

/// The interpreter's long option that an argument is, with what stands behind an equals sign if it takes a value.
fn long_switch<'a>(switches: &'a [Switch], typed: &OsStr) -> Option<(&'a Switch, Option<OsString>)> {
    let of = |switch: &'a Switch| {
        let rest = typed.as_bytes().strip_prefix(switch.name.as_bytes())?;
        match rest.split_first() {
            None => Some((switch, None)),
            Some((b'=', value)) if switch.value && switch.name.starts_with("--") => {
                Some((switch, Some(OsString::from_vec(value.to_vec()))))
            }
            Some(_) => None,
        }
    };
    switches.iter().find_map(of)
}

/// The interpreter's options that stand in an argument, the last with its attached value; `None` is one that
/// there is not.
fn native_switches<'a>(
    profile: &'a Profile,
    typed: &'a OsStr,
) -> impl Iterator<Item = Option<(&'a Switch, Option<OsString>)>> {
    let (switches, grammar) = (profile.switches, profile.grammar);
    let mut whole = whole_switch(profile, typed);
    let mut letters = typed.as_bytes().get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (letter, rest) = letters.split_first()?;
        letters = &[];
        if let Some(whole) = whole.take() {
            return Some(Some(whole));
        }
        let named = |switch: &&Switch| switch.name.as_bytes() == [b'-', *letter];
        let found = switches.iter().find(named).and_then(|switch| match switch.value {
            _ if rest.is_empty() => Some((switch, None)),
            true if !grammar.detached => Some((switch, Some(OsString::from_vec(rest.to_vec())))),
            _ if grammar.clusters => {
                letters = rest;
                Some((switch, None))
            }
            _ => None,
        });
        Some(found)
    })
}

/// The interpreter's option that a whole argument is, with the value that it holds.
fn whole_switch<'a>(profile: &'a Profile, typed: &OsStr) -> Option<(&'a Switch, Option<OsString>)> {
    long_switch(profile.switches, typed).or_else(|| long(profile, typed))
}

/// A long option of the interpreter's as it may be typed beside its name.
fn long<'a>(profile: &'a Profile, typed: &OsStr) -> Option<(&'a Switch, Option<OsString>)> {
    let typed = typed.as_bytes().strip_prefix(b"--").filter(|_| profile.grammar.long)?;
    let end = typed.iter().position(|byte| *byte == b'=').unwrap_or(typed.len());
    let name: Vec<u8> = typed[..end].iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect();
    let value = typed.get(end + 1..).map(|value| OsString::from_vec(value.to_vec()));
    let named =
        |name: &[u8]| profile.switches.iter().find(|theirs| theirs.name.as_bytes() == [b"--", name].concat());
    if let Some(switch) = named(&name) {
        return (switch.value || value.is_none()).then_some((switch, value));
    }
    let switch = named(name.strip_prefix(b"no-")?)?;
    (!switch.value && value.is_none()).then_some((switch, None))
}

fn extra_named(profile: &Profile, name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("allow-")?;
    let extra = profile.extras.iter().find(|extra| extra.name == name)?;
    Some(extra.name)
}

fn unknown(profile: &Profile, name: &str) -> Failure {
    let extras = profile.extras.iter().map(|extra| format!("allow-{}", extra.name));
    let names = FLAGS.iter().map(|flag| flag.name.to_owned()).chain(extras);
    Failure::UnknownFlag { name: format!("--{name}"), suggestion: nearest(name, names) }
}

/// What was probably meant.
pub(crate) fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    known
        .map(|known| (strsim::damerau_levenshtein(&known, name), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .map(|(_, known)| known)
}

fn take_value(parser: &mut Parser, flag: &Flag) -> Result<Option<OsString>, Failure> {
    match flag.takes {
        Takes::Nothing => no_value(parser, flag.name).map(|()| None),
        Takes::Optional(_) => Ok(parser.optional_value()),
        Takes::Value(expected) => {
            parser.value().map(Some).map_err(|_| Failure::NoValue { flag: flag.name.to_owned(), expected })
        }
    }
}

fn no_value(parser: &mut Parser, name: &str) -> Result<(), Failure> {
    match parser.optional_value() {
        None => Ok(()),
        Some(value) => {
            Err(Failure::BadValue { flag: name.to_owned(), value, cause: "no value is expected".into() })
        }
    }
}

fn bad(flag: &Flag, value: &OsStr, cause: &str) -> Failure {
    Failure::BadValue { flag: flag.name.to_owned(), value: value.to_owned(), cause: cause.to_owned() }
}

fn path(flag: &Flag, value: OsString) -> Result<PathBuf, Failure> {
    if value.is_empty() {
        return Err(bad(flag, &value, "a path is expected"));
    }
    Ok(value.into())
}

fn variable(flag: &Flag, value: OsString) -> Result<OsString, Failure> {
    if value.is_empty() || value.as_bytes().contains(&b'=') {
        return Err(bad(flag, &value, "a variable's name is expected"));
    }
    Ok(value)
}

fn text<'a>(flag: &Flag, value: &'a OsStr) -> Result<&'a str, Failure> {
    value.to_str().ok_or_else(|| bad(flag, value, "text is expected"))
}

/// Reads `NAME=N`, a resource and its size.
pub(crate) fn rlimit_of(text: &str) -> Result<(rlimit::Resource, u64), &'static str> {
    const EXPECTED: &str = "NAME=N is expected, such as nofile=64";
    let (name, amount) = text.split_once('=').ok_or(EXPECTED)?;
    let resource = crate::limits::resource(name).ok_or("no such resource; see getrlimit(2)")?;
    Ok((resource, amount.parse().map_err(|_| EXPECTED)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Grammar;

    static PROFILE: Profile = PLAIN;

    const PLAIN: Profile = Profile {
        name: "hx",
        synopsis: "[script]",
        version: "X 1",
        switches: &[
            Switch { name: "-e", value: true, help: "run a statement" },
            Switch { name: "-i", value: false, help: "interactive" },
        ],
        grammar: Grammar::PLAIN,
        environment: &[],
        library: &[],
        launchers: &[],
        sockets: true,
        messages: false,
        extras: &[crate::profile::Extra { name: "bytecode", help: "" }],
        neutered: &[],
        filters: &[],
        threads: false,
        counts_memory: true,
        memory: 1 << 30,
        jit: None,
        memory_overhead: 0,
        least_memory: 0,
        launches: false,
    };

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(&PROFILE, line.split_whitespace().map(OsString::from))
    }

    fn error(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn ours_and_theirs_are_told_apart() {
        let options =
            parse("hx --allow-read=a -e x --allow-write b -i --allow-run s.x --allow-run=no -i").unwrap();
        assert_eq!(options.rules.read, [PathBuf::from("a")]);
        assert_eq!(options.rules.write, [PathBuf::from("b")]);
        assert_eq!(options.rules.run, Some(Run::system(true)));
        let invocation = options.invocation;
        assert_eq!(invocation.raw, ["-e", "x", "-i"]);
        assert_eq!(invocation.program, Program::File("s.x".into()));
        assert_eq!(invocation.args, ["--allow-run=no", "-i"]);
    }

    #[test]
    fn the_end_of_options() {
        assert_eq!(parse("hx -- --x y").unwrap().invocation.program, Program::File("--x".into()));
        let stdin = parse("hx -i - a").unwrap().invocation;
        assert_eq!((stdin.program, stdin.raw.len(), stdin.args.len()), (Program::Stdin, 2, 1));
        assert_eq!(parse("hx --").unwrap().invocation.program, Program::None);
    }

    #[test]
    fn attached_values() {
        let given = parse("hx -ex=1").unwrap().invocation.switches;
        assert_eq!(given, [Given { name: "-e", value: Some("x=1".into()) }]);
        assert_eq!(parse("hx -ix").unwrap().action, Action::Usage(UsageError::Unknown("-ix".into())));
        for line in ["hx -e", "hx -e -i"] {
            assert_eq!(parse(line).unwrap().action, Action::Usage(UsageError::NeedsValue("-e".into())));
        }
    }

    #[test]
    fn options_in_one_argument() {
        static CLUSTERS: Grammar = Grammar {
            dashed_values: true,
            clusters: true,
            programs: &["-e"],
            explains_itself: true,
            ..Grammar::PLAIN
        };
        static OTHER: Profile = Profile { grammar: CLUSTERS, switches: PROFILE.switches, ..PLAIN };
        let parse =
            |line: &str| Options::parse(&OTHER, line.split(' ').map(OsString::from)).unwrap().invocation;
        let given = parse("hx -iie -x --y -i");
        assert_eq!(given.switches.iter().map(|given| given.name).collect::<Vec<_>>(), ["-i", "-i", "-e"]);
        assert_eq!(given.switches[2].value.as_deref(), Some(OsStr::new("-x")));
        assert_eq!((given.raw.len(), given.program, given.args.len()), (2, Program::None, 2));
        for wrong in ["hx -iq --allow-what", "hx -e"] {
            let given = parse(wrong);
            assert_eq!(given.raw.len() + given.args.len(), wrong.split(' ').count() - 1);
        }
    }

    #[test]
    fn options_as_shells_have_them() {
        static SHELL: Grammar = Grammar {
            dashed_values: true,
            clusters: true,
            explains_itself: true,
            plus: true,
            detached: true,
            dash_ends: true,
            scriptless: &["-i"],
            ..Grammar::PLAIN
        };
        static OTHER: Profile = Profile { grammar: SHELL, switches: PROFILE.switches, ..PLAIN };
        let parse =
            |line: &str| Options::parse(&OTHER, line.split(' ').map(OsString::from)).unwrap().invocation;
        let given = parse("hx -ei value +e other - -x y");
        assert_eq!(given.switches[0].value.as_deref(), Some(OsStr::new("value")));
        assert_eq!((given.raw.len(), given.program, given.args.len()), (5, Program::None, 2));
        assert_eq!(parse("hx +e x script y").program, Program::File("script".into()));
        assert_eq!(parse("hx - script").program, Program::File("script".into()));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(error("hx --allow-reed x s"), "unknown option '--allow-reed'");
        assert_eq!(
            error("hx --limit-memory=7X s"),
            "--limit-memory=7X: bytes are expected, such as 4096, 512M, 1GiB, or none"
        );
        assert_eq!(error("hx --explain=1"), "--explain=1: no value is expected");
        assert_eq!(error("hx --policy"), "--policy needs a value: FILE");
        assert_eq!(error("hx --rlimit=x=1"), "--rlimit=x=1: no such resource; see getrlimit(2)");
        let Err(Failure::UnknownFlag { suggestion, .. }) = parse("hx --allow-bytcode") else {
            panic!("a misspelt option was taken");
        };
        assert_eq!(suggestion.as_deref(), Some("allow-bytecode"));
    }

    #[test]
    fn only_hosts_with_sockets_take_ports() {
        let rules = parse("hx --allow-net=80 --allow-net connect:443 s.x").unwrap().rules;
        assert_eq!(Vec::from_iter(rules.net.connect), [80, 443]);
        assert_eq!(
            error("hx --allow-net=[::1]:443 s"),
            "--allow-net=[::1]:443: a port can be held, a host cannot: the kernel compares no addresses; \
             connect:443 would allow the port at every address"
        );
        static WITHOUT: Profile = Profile { sockets: false, ..PROFILE };
        for line in ["hx --allow-net", "hx --allow-net=80", "hx --allow-net=nonsense"] {
            let refused = Options::parse(&WITHOUT, line.split_whitespace().map(OsString::from));
            assert!(matches!(refused, Err(Failure::NoNetwork)), "{line}");
        }
    }

    #[test]
    fn grants_add_up_and_limits_replace() {
        let rules = parse("hx --allow-run=a --allow-run=b --limit-files=3 --limit-files=none").unwrap().rules;
        assert_eq!(rules.run, Some(Run::programs(vec!["a".into(), "b".into()])));
        assert_eq!(rules.limits.last(), Some(&(Budget::Files, Limit::None)));
    }
}
