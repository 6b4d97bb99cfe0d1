//! The rules together: what they decide, and whether they may stand beside each other.

use crate::grammar::{Error, Place, Role, Statement, Text, statements};
use crate::program::{Case, Decision, Program, Test};
use crate::{Arch, CALLS, Call};

/// What happens to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It happens.
    Allow,
    /// It fails with this error number.
    Errno(u16),
    /// The process dies of SIGSYS.
    Kill,
}

/// A test of one argument: those of its bits that `mask` names must equal `value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    argument: usize,
    bits: [Bits; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bits {
    mask: u64,
    value: u64,
}

/// The kernel takes flags, commands and descriptors as 32 bits and ignores the rest of the register. A comparison of
/// 64 bits would let `TIOCSTI | 1 << 32` pass as something else.
const LOW_HALF: u64 = 0xffff_ffff;

impl Condition {
    /// `argN is VALUE`, with the value on each architecture of [`Arch::ALL`].
    pub(crate) fn is(argument: usize, values: [u32; 2]) -> Condition {
        Condition::new(argument, values, |value| (LOW_HALF, value))
    }

    /// `argN has BITS`.
    pub(crate) fn has(argument: usize, values: [u32; 2]) -> Condition {
        Condition::new(argument, values, |bits| (bits, bits))
    }

    /// `argN lacks BITS`.
    pub(crate) fn lacks(argument: usize, values: [u32; 2]) -> Condition {
        Condition::new(argument, values, |bits| (bits, 0))
    }

    /// `argN is NULL`: the only comparison of all 64 bits, because the argument is a pointer.
    pub(crate) fn null(argument: usize) -> Condition {
        let bits = Bits { mask: u64::MAX, value: 0 };
        Condition { argument, bits: [bits; 2] }
    }

    fn new(argument: usize, values: [u32; 2], meaning: fn(u64) -> (u64, u64)) -> Condition {
        let bits = values.map(|value| {
            let (mask, value) = meaning(u64::from(value));
            Bits { mask, value }
        });
        Condition { argument, bits }
    }

    /// The number of the argument that is tested.
    pub fn argument(&self) -> usize {
        self.argument
    }

    /// The bits that are compared on `arch`.
    pub fn mask(&self, arch: Arch) -> u64 {
        self.bits(arch).mask
    }

    /// What the compared bits must be on `arch`.
    pub fn value(&self, arch: Arch) -> u64 {
        self.bits(arch).value
    }

    fn bits(&self, arch: Arch) -> Bits {
        match arch {
            Arch::X86_64 => self.bits[0],
            Arch::Aarch64 => self.bits[1],
        }
    }

    fn holds(&self, arch: Arch, args: &[u64; 6]) -> bool {
        args[self.argument] & self.mask(arch) == self.value(arch)
    }

    /// As tests of 32-bit words, which is all that classic BPF has.
    fn tests(&self, arch: Arch) -> impl Iterator<Item = Test> {
        let argument = self.argument;
        let halves = [(0, false), (32, true)];
        let Bits { mask, value } = self.bits(arch);
        halves.into_iter().filter_map(move |(shift, high)| {
            let half = |bits: u64| (bits >> shift & LOW_HALF) as u32;
            (half(mask) != 0).then(|| Test { argument, high, mask: half(mask), value: half(value) })
        })
    }
}

/// One decision about one call.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What happens.
    pub action: Action,
    /// The call it is about.
    pub call: &'static Call,
    /// Conditions that must all hold; none: always.
    pub when: Vec<Condition>,
    /// Where it stands.
    pub place: Place,
    role: Role,
}

/// For each argument the bits that a rule fixes.
type Region = [Bits; 6];

impl Rule {
    pub(crate) fn new(
        action: Action,
        call: &'static Call,
        when: Vec<Condition>,
        place: Place,
        role: Role,
    ) -> Rule {
        Rule { action, call, when, place, role }
    }

    /// Whether it decides this call.
    fn decides(&self, arch: Arch, nr: u32, args: &[u64; 6]) -> bool {
        self.call.number(arch) == Some(nr) && self.when.iter().all(|condition| condition.holds(arch, args))
    }

    /// The lower, the earlier: kill, allow, errno with a condition, errno for the rest.
    fn precedence(&self) -> u8 {
        match (self.action, self.when.is_empty()) {
            (Action::Kill, _) => 0,
            (Action::Allow, _) => 1,
            (Action::Errno(_), false) => 2,
            (Action::Errno(_), true) => 3,
        }
    }

    /// Whether the two have one reader: in one file, or in the files that are always in force and say the same. A host
    /// may open what the base refuses, and two grants may open the same.
    fn is_beside(&self, other: &Rule) -> bool {
        let closed = self.role == Role::Closed && other.role == Role::Closed;
        self.place.file == other.place.file || (closed && self.action == other.action)
    }

    /// All conditions together, or nothing if they contradict each other.
    fn region(&self, arch: Arch) -> Option<Region> {
        let mut region = [Bits { mask: 0, value: 0 }; 6];
        for condition in &self.when {
            let new = condition.bits(arch);
            let known = &mut region[condition.argument];
            if (known.value ^ new.value) & known.mask & new.mask != 0 {
                return None;
            }
            known.mask |= new.mask;
            known.value |= new.value;
        }
        Some(region)
    }

    /// Whether this rule holds wherever `other` holds, on every architecture.
    fn covers(&self, other: &Rule) -> bool {
        let within = |mine: Bits, theirs: Bits| {
            mine.mask & !theirs.mask == 0 && (mine.value ^ theirs.value) & mine.mask == 0
        };
        Arch::ALL.into_iter().all(|arch| self.every_argument(other, arch, within))
    }

    /// Whether there are arguments for which both hold, on some architecture.
    fn overlaps(&self, other: &Rule) -> bool {
        let agree = |mine: Bits, theirs: Bits| (mine.value ^ theirs.value) & mine.mask & theirs.mask == 0;
        Arch::ALL.into_iter().any(|arch| self.every_argument(other, arch, agree))
    }

    fn every_argument(&self, other: &Rule, arch: Arch, test: impl Fn(Bits, Bits) -> bool) -> bool {
        match (self.region(arch), other.region(arch)) {
            (Some(mine), Some(theirs)) => mine.into_iter().zip(theirs).all(|(a, b)| test(a, b)),
            _ => false,
        }
    }
}

/// A checked set of rules: a base, a host and grants.
#[derive(Clone, Debug)]
pub struct Ruleset {
    default: Action,
    rules: Vec<Rule>,
}

impl Ruleset {
    /// Reads and checks files that are in force together.
    pub fn parse(texts: &[Text]) -> Result<Ruleset, Error> {
        let mut default = None;
        let mut rules = Vec::new();
        for text in texts {
            for statement in statements(text)? {
                match statement {
                    Statement::Rules(new) => rules.extend(new),
                    Statement::Default(place, action) => set_default(&mut default, place, action)?,
                }
            }
        }
        let Some((_, default)) = default else {
            return Err(Error::new("no file says 'default errno NAME'".to_owned()));
        };
        check(&rules)?;
        Ok(Ruleset { default, rules })
    }

    /// The rules, in the order of the files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What happens to a call: the specification that every [`Program`] must equal.
    pub fn decide(&self, arch: Arch, nr: u32, args: &[u64; 6]) -> Action {
        if arch.foreign_numbers().is_some_and(|(first, last)| (first..=last).contains(&nr)) {
            return Action::Kill;
        }
        self.rules
            .iter()
            .filter(|rule| rule.decides(arch, nr, args))
            .min_by_key(|rule| rule.precedence())
            .map_or(self.default, |rule| rule.action)
    }

    /// Compiles the rules for one architecture.
    pub fn compile(&self, arch: Arch) -> Program {
        let last = CALLS.iter().filter_map(|call| call.number(arch)).max().unwrap_or(0);
        let mut decisions: Vec<(u32, Decision)> =
            (0..=last).map(|nr| (nr, self.decision(arch, nr))).collect();
        decisions.push((last + 1, Decision::always(self.default)));
        if let Some((first, last)) = arch.foreign_numbers() {
            decisions.push((first, Decision::always(Action::Kill)));
            decisions.push((last + 1, Decision::always(self.default)));
        }
        Program::new(arch, &decisions)
    }

    /// What the rules say about one number, the first that holds first.
    fn decision(&self, arch: Arch, nr: u32) -> Decision {
        let mut rules: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.call.number(arch) == Some(nr)).collect();
        rules.sort_by_key(|rule| rule.precedence());
        let always = rules.iter().position(|rule| rule.when.is_empty());
        let otherwise = always.map_or(self.default, |at| rules[at].action);
        rules.truncate(always.unwrap_or(rules.len()));
        let cases = rules.iter().map(|rule| Case {
            tests: rule.when.iter().flat_map(|condition| condition.tests(arch)).collect(),
            action: rule.action,
        });
        Decision { cases: cases.collect(), otherwise }
    }
}

fn set_default(default: &mut Option<(Place, Action)>, place: Place, action: Action) -> Result<(), Error> {
    if let Some((first, _)) = default {
        return Err(Error::at(&place, format!("the default stands at {first} already")));
    }
    *default = Some((place, action));
    Ok(())
}

fn check(rules: &[Rule]) -> Result<(), Error> {
    // From the end, so that of two rules that clash the later one is named first.
    for rule in rules.iter().rev() {
        check_alone(rule)?;
        for other in rules.iter().filter(|other| other.call == rule.call) {
            check_pair(rule, other)?;
        }
        check_rest(rule, rules)?;
    }
    Ok(())
}

fn check_alone(rule: &Rule) -> Result<(), Error> {
    match Arch::ALL.into_iter().all(|arch| rule.region(arch).is_some()) {
        true => Ok(()),
        false => Err(Error::at(&rule.place, "the conditions contradict each other")),
    }
}

/// Nothing is decided by silence: who names the special cases of a call must say what the rest of them gets.
fn check_rest(rule: &Rule, rules: &[Rule]) -> Result<(), Error> {
    let name = rule.call.name;
    let mut closed = rules.iter().filter(|other| other.call == rule.call && other.role == Role::Closed);
    if closed.any(|other| other.when.is_empty()) {
        return Ok(());
    }
    let cause = format!("nothing says what happens to {name} otherwise: add 'errno NAME {name}' to the base");
    Err(Error::at(&rule.place, cause))
}

fn check_pair(rule: &Rule, other: &Rule) -> Result<(), Error> {
    if std::ptr::eq(rule, other) {
        return Ok(());
    }
    let name = rule.call.name;
    let clash = |relation: &str| {
        let cause = format!("{name} {relation} by {}", other.place);
        Err(Error::at(&rule.place, cause))
    };
    if rule.action == Action::Allow && other.action == Action::Kill && other.covers(rule) {
        return clash("is killed");
    }
    let unclear = other.precedence() == rule.precedence() && other.action != rule.action;
    if unclear && other.overlaps(rule) {
        return clash("is given another error number");
    }
    if rule.is_beside(other) && other.covers(rule) && other.precedence() <= rule.precedence() {
        return clash("is decided already");
    }
    Ok(())
}
