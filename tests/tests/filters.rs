//! Every line of `filters/` is asked on the running kernel: the probe makes the call with arguments that the line
//! decides, and with their neighbours, and the answer is compared with what the rules say.
//!
//! All else about the arguments is bad on purpose, so that a call that is let through fails harmlessly (EBADF, EFAULT,
//! ...): what the kernel answers then cannot be taken for a refusal.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::expect;
use casebook::harness;
use casebook::host::Host;
use casebook::identity::Identity;
use casebook::job::{Event, Input, Job, Ran};
use casebook::sys;
use filter_compiler::{Action, Arch, Rule, Ruleset, SELF, errno_value, filters_directory, load};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// As a descriptor it is closed, as a pointer it leads nowhere, as a process it does not exist, as anything else it is
/// too much.
const BAD: u64 = 0x7fff_fffe;

const ARCH: Arch = if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 };

/// One filter as it is loaded, and the host and flags that load it.
struct Set {
    host: Host,
    flags: Vec<&'static str>,
    rules: Ruleset,
}

impl Set {
    /// Whoever loads a filter takes SELF's place in it, unless programs inherit it.
    fn argument(&self, value: u64) -> String {
        let (number, rest) = (value as u32, value & !u64::from(u32::MAX));
        if number == SELF && self.host != Host::Hsh && !self.flags.contains(&"--allow-run") {
            return format!("self|{rest:#x}");
        }
        format!("{value:#x}")
    }
}

fn main() -> ExitCode {
    harness::main(trials)
}

fn trials(binaries: &'static Binaries) -> Result<Vec<Trial>> {
    let sets: &'static [Set] = harness::shared(sets()?);
    let mut trials = Vec::new();
    for (line, asked) in lines(sets) {
        for identity in Identity::available() {
            let asked = asked.clone();
            let name = format!("{line} {}", identity.suffix());
            trials.push(Trial::test(name, move || {
                for (set, rules) in &asked {
                    ask_line(&sets[*set], rules, *identity, binaries)?;
                }
                Ok(())
            }));
        }
    }
    Ok(trials)
}

/// The filters that flags can load on this kernel: signals are let out only where Landlock keeps them in, TCP only
/// where Landlock holds its ports.
fn sets() -> Result<Vec<Set>> {
    let abi = sys::landlock_abi();
    let write = (vec!["write"], vec!["--allow-write=/tmp"]);
    // Programs are let run on older kernels only by who goes without scopes.
    let run = match abi {
        6.. => (vec!["run", "signal"], vec!["--allow-run", "--limit-processes=none"]),
        _ => (vec!["run"], vec!["--allow-run", "--limit-processes=none", "--without=scopes"]),
    };
    let terminal = (vec!["terminal"], vec!["-i"]);
    let connect = (vec!["connect"], vec!["--allow-net=connect:9"]);
    let listen = (vec!["listen"], vec!["--allow-net=listen:9"]);
    let mut wanted = vec![vec![], vec![&write], vec![&run], vec![&write, &run], vec![&terminal]];
    // Where there is a compiler it is not told to rest.
    let interpreted = (vec![], vec!["-J"]);
    wanted.push(vec![&interpreted]);
    if abi >= 4 {
        wanted.extend([vec![&connect], vec![&listen], vec![&write, &run, &connect, &listen]]);
    }
    let set = |host: Host, parts: &[&(Vec<&'static str>, Vec<&'static str>)]| {
        let mut granted: Vec<&str> = parts.iter().flat_map(|(granted, _)| granted.clone()).collect();
        if host == Host::Hnode && !parts.iter().any(|(_, flags)| flags.contains(&"-J")) {
            granted.push("jit");
        }
        if host == Host::Hsh && !granted.contains(&"run") {
            granted.extend(run.0.iter());
        }
        let flags = parts.iter().flat_map(|(_, flags)| flags.clone()).collect();
        let rules = load(filters_directory(), host.name(), &granted).map_err(|e| e.to_string())?;
        Ok(Set { host, flags, rules })
    };
    Host::ALL
        .into_iter()
        .flat_map(|host| wanted.iter().map(move |parts| (host, parts)))
        .map(|(host, parts)| set(host, parts))
        .collect()
}

/// For each line the sets in which its file is in force, with the indices of its rules.
fn lines(sets: &[Set]) -> BTreeMap<String, BTreeMap<usize, Vec<usize>>> {
    let mut lines: BTreeMap<String, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    for (number, set) in sets.iter().enumerate() {
        for (index, rule) in set.rules.rules().iter().enumerate() {
            if rule.call.number(ARCH).is_some() {
                let place = format!("{}:{:03}", rule.place.file, rule.place.line);
                let asked = lines.entry(place).or_default();
                asked.entry(number).or_default().push(index);
            }
        }
    }
    lines
}

/// One call as it will be made, and what the rules say about it.
struct Question {
    name: &'static str,
    action: String,
    wanted: Action,
}

fn ask_line(set: &Set, rules: &[usize], identity: Identity, binaries: &Binaries) -> Result<()> {
    let mut questions = Vec::new();
    for rule in rules.iter().map(|index| &set.rules.rules()[*index]) {
        let Some(number) = rule.call.number(ARCH) else {
            continue;
        };
        questions.extend(arguments(rule).iter().map(|arguments| Question {
            name: rule.call.name,
            action: words(set, rule.call.name, number, arguments),
            wanted: set.rules.decide(ARCH, number, arguments),
        }));
    }
    let answers = answers(set, &questions, identity, binaries)?;
    for (question, answer) in questions.iter().zip(answers) {
        check(set, question, &answer, identity, binaries).map_err(|e| {
            let Question { name, action, .. } = question;
            format!("{} {:?}: {name} `{action}`: {e}", set.host.name(), set.flags)
        })?;
    }
    Ok(())
}

/// Arguments that the rule decides; the same with high bits that the kernel ignores; the same with one bit changed that
/// it tests.
fn arguments(rule: &Rule) -> Vec<[u64; 6]> {
    let mut decided = [BAD; 6];
    for condition in &rule.when {
        let place = &mut decided[condition.argument()];
        let mask = condition.mask(ARCH);
        *place = (*place & !mask) | condition.value(ARCH);
    }
    let mut all = vec![decided];
    for condition in &rule.when {
        let (argument, mask) = (condition.argument(), condition.mask(ARCH));
        if mask <= u64::from(u32::MAX) {
            let mut high = decided;
            high[argument] |= 0x5_0000_0000;
            all.push(high);
        }
        for bit in [1 << mask.trailing_zeros(), 1 << (63 - mask.leading_zeros())] {
            let mut near = decided;
            near[argument] ^= bit;
            all.push(near);
        }
    }
    all
}

/// The probe's words for a call. What makes a second task needs care that a bare call cannot take.
fn words(set: &Set, name: &str, number: u32, arguments: &[u64; 6]) -> String {
    match name {
        "fork" => "raw-fork".to_owned(),
        "vfork" => "vfork".to_owned(),
        "pause" => format!("ready-call #{number}"),
        _ => {
            let arguments: Vec<String> = arguments.iter().map(|a| set.argument(*a)).collect();
            format!("call #{number} {}", arguments.join(" "))
        }
    }
}

/// Calls that end or double the process: each gets a process of its own.
const ALONE: &[&str] = &["fork", "vfork", "clone", "pause", "exit", "exit_group", "rt_sigreturn"];

/// The answers in order. Many calls share a process; one that dies of its call answers with that, and the rest goes on
/// in a new one.
fn answers(
    set: &Set,
    questions: &[Question],
    identity: Identity,
    binaries: &Binaries,
) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    while let Some(rest) = questions.get(answers.len()..).filter(|r| !r.is_empty()) {
        let alone = |q: &Question| ALONE.contains(&q.name);
        if alone(&rest[0]) {
            answers.push(answer(&inside(set, &["-e", &rest[0].action]), identity, binaries)?);
            continue;
        }
        let together = rest.iter().take_while(|q| !alone(q));
        let lines: Vec<&str> = together.map(|q| q.action.as_str()).collect();
        let ran = batch(set, &lines, identity, binaries)?;
        let stdout = String::from_utf8_lossy(&ran.stdout);
        answers.extend(stdout.lines().take(lines.len()).map(str::to_owned));
        if stdout.lines().count() < lines.len() {
            answers.push(expect::end(&ran).replace("died of ", ""));
        }
    }
    Ok(answers)
}

fn batch(set: &Set, lines: &[&str], identity: Identity, binaries: &Binaries) -> Result<Ran> {
    let mut job = job(&inside(set, &["-e", "batch"]), identity, binaries);
    job.input = Input::Bytes((lines.join("\n") + "\n").into_bytes());
    run(&job)
}

fn answer(words: &[&str], identity: Identity, binaries: &Binaries) -> Result<String> {
    let mut job = job(words, identity, binaries);
    // What waits for a signal gets one.
    let waits = words.iter().any(|a| a.starts_with("ready-call"));
    job.event = waits.then_some(Event::Signal(libc::SIGTERM));
    Ok(expect::outcome(&run(&job)?))
}

/// The words that make the probe act behind a filter.
fn inside<'a>(set: &Set, action: &[&'a str]) -> Vec<&'a str> {
    [&["-H", set.host.name()], set.flags.as_slice(), action].concat()
}

fn job(words: &[&str], identity: Identity, binaries: &Binaries) -> Job {
    Job {
        program: binaries.probe.clone(),
        args: words.iter().map(Into::into).collect(),
        directory: PathBuf::from("/"),
        identity: Some(identity),
        ..Job::default()
    }
}

fn run(job: &Job) -> Result<Ran> {
    let ran = job.run()?;
    if ran.status == Some(125) {
        return Err(String::from_utf8_lossy(&ran.stderr).into_owned());
    }
    Ok(ran)
}

/// The answers that filters give.
const REFUSALS: &[&str] = &["EPERM", "EACCES", "EINVAL", "ENOSYS", "EOPNOTSUPP"];

/// Linux 6.14 and later let these through every filter, because the kernel itself places them in programs that are
/// traced. From anywhere else the first dies and the second fails.
const PASSED_THROUGH: &[(&str, &str)] = &[("uretprobe", "SIGILL"), ("uprobe", "EPROTO")];

fn check(
    set: &Set,
    question: &Question,
    answer: &str,
    identity: Identity,
    binaries: &Binaries,
) -> Result<()> {
    if PASSED_THROUGH.contains(&(question.name, answer)) {
        return Ok(());
    }
    match question.wanted {
        Action::Kill if answer != "SIGSYS" => Err(format!("{answer}, but the rules kill")),
        Action::Errno(errno) if errno_value(answer) != Some(errno) => {
            Err(format!("{answer}, but the rules answer errno {errno}"))
        }
        Action::Allow if answer == "SIGSYS" => Err("killed, but the rules allow".to_owned()),
        // The kernel may say the same by itself: then it says so outside as well, or where all but the filter is in force.
        Action::Allow if REFUSALS.contains(&answer) => {
            let bare = self::answer(&["--bare", &question.action], identity, binaries)?;
            let unfiltered = inside(set, &["--without=seccomp", "-e", &question.action]);
            if bare == answer || self::answer(&unfiltered, identity, binaries)? == answer {
                return Ok(());
            }
            Err(format!("{answer}, but the rules allow; outside it is {bare}"))
        }
        _ => Ok(()),
    }
}
