//! The rules and the programs compiled from them, on arguments chosen to find a difference: every constant of a rule,
//! each of its bits flipped, junk in the half of the register that the kernel ignores, and random ones.

use filter_compiler::{Action, Arch, GRANTS, Program, Rule, Ruleset, filters_directory, grants, load};
use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};

const HIGH: u64 = 0x1_0000_0000;

/// A small generator, so that a failure can be repeated (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick(&mut self, values: &[u64]) -> u64 {
        values[self.next() as usize % values.len()]
    }
}

/// Arguments for which the rule holds, all else zero.
fn satisfying(rule: &Rule, arch: Arch) -> [u64; 6] {
    let mut args = [0; 6];
    for condition in &rule.when {
        args[condition.argument()] |= condition.value(arch);
    }
    args
}

/// The arguments of a call that are worth a look.
fn interesting(rules: &[&Rule], arch: Arch, random: &mut Random) -> Vec<[u64; 6]> {
    let mut all = vec![[0; 6], [u64::MAX; 6], [HIGH; 6]];
    let mut values: [Vec<u64>; 6] = std::array::from_fn(|_| vec![0, u64::MAX, HIGH]);
    for rule in rules {
        let args = satisfying(rule, arch);
        all.push(args);
        for condition in &rule.when {
            let n = condition.argument();
            values[n].extend([condition.value(arch), condition.mask(arch), !condition.mask(arch)]);
            all.extend((0..64).map(|bit| changed(args, n, args[n] ^ 1 << bit)));
            all.push(changed(args, n, args[n] | HIGH));
        }
    }
    for _ in 0..if values.iter().all(|values| values.len() == 3) { 2 } else { 300 } {
        all.push(std::array::from_fn(|n| match random.next() % 4 {
            0 => random.next(),
            1 => random.pick(&values[n]) ^ 1 << (random.next() % 64),
            _ => random.pick(&values[n]),
        }));
    }
    all
}

fn changed(mut args: [u64; 6], n: usize, value: u64) -> [u64; 6] {
    args[n] = value;
    args
}

fn rules_of(rules: &Ruleset, arch: Arch, nr: u32) -> Vec<&Rule> {
    rules.rules().iter().filter(|rule| rule.call.number(arch) == Some(nr)).collect()
}

/// Every set of the grants that hosts without sockets have, and those of the network and the compiler beside none and all of
/// them: they are about other calls.
fn sets(host: &str) -> impl Iterator<Item = usize> {
    const OTHERS: usize = 0b1111;
    const JIT: usize = 0b100_0000;
    let compiles = host == "hnode";
    (0..1 << GRANTS.len())
        .filter(|set| set & !OTHERS == 0 || [0, OTHERS].contains(&(set & OTHERS)))
        .filter(move |set| compiles || set & JIT == 0)
}

const HOSTS: [&str; 4] = ["hlua", "hpython", "hsh", "hnode"];

/// Calls `check` for every host, these sets of grants and every architecture.
fn every_program(check: impl Fn(&str, &Ruleset, Arch, &Program)) {
    HOSTS.iter().for_each(|host| every_program_of(host, &check));
}

fn every_program_of(host: &str, check: impl Fn(&str, &Ruleset, Arch, &Program)) {
    for set in sets(host) {
        let rules = load(filters_directory(), host, &grants(set)).expect("the lists");
        for arch in Arch::ALL {
            let name = format!("{host} {arch:?} {}", grants(set).join("+"));
            check(&name, &rules, arch, &rules.compile(arch));
        }
    }
}

#[test]
fn programs_decide_as_the_rules_do() {
    every_program(|name, rules, arch, program| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for nr in
            (0..1024).chain([0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX])
        {
            for args in interesting(&rules_of(rules, arch, nr), arch, &mut random) {
                let expected = rules.decide(arch, nr, &args);
                assert_eq!(program.run(arch.token(), nr, &args), expected, "{name}: {nr} {args:x?}");
            }
        }
    });
}

/// The half that the kernel ignores changes nothing; of a pointer, which is compared whole, there is none.
#[test]
fn the_upper_half_of_an_int_is_ignored() {
    every_program(|name, rules, arch, program| {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        for nr in 0..512 {
            let about = rules_of(rules, arch, nr);
            let conditions: Vec<_> = about.iter().flat_map(|rule| &rule.when).collect();
            let pointer = |n| conditions.iter().any(|test| test.argument() == n && test.mask(arch) >= HIGH);
            for args in interesting(&about, arch, &mut random) {
                let junk = std::array::from_fn(|n| match pointer(n) {
                    true => args[n],
                    false => args[n] ^ HIGH ^ random.next() << 32,
                });
                let (clean, dirty) =
                    (program.run(arch.token(), nr, &args), program.run(arch.token(), nr, &junk));
                assert_eq!(clean, dirty, "{name}: {nr} {args:x?}");
            }
        }
    });
}

#[test]
fn other_interfaces_are_killed() {
    const I386: u32 = 0x4000_0003;
    const ARM: u32 = 0x4000_0028;
    every_program(|name, _, arch, program| {
        let stranger = if arch == Arch::X86_64 { Arch::Aarch64 } else { Arch::X86_64 };
        for token in [I386, ARM, stranger.token(), 0, u32::MAX] {
            for nr in 0..512 {
                assert_eq!(program.run(token, nr, &[0; 6]), Action::Kill, "{name}: token {token:x}");
            }
        }
        for nr in (0..1024).map(|nr| nr | 0x4000_0000) {
            let expected = if arch == Arch::X86_64 { Action::Kill } else { Action::Errno(38) };
            assert_eq!(program.run(arch.token(), nr, &[0; 6]), expected, "{name}: {nr:x}");
        }
        // What a tracer writes to skip a call.
        assert_eq!(program.run(arch.token(), u32::MAX, &[0; 6]), Action::Errno(38), "{name}");
    });
}

#[test]
fn a_grant_only_opens() {
    for host in HOSTS {
        let base = load(filters_directory(), host, &[]).expect("the lists");
        every_program_of(host, |name, rules, arch, program| only_opens(name, &base, rules, arch, program));
    }
}

fn only_opens(name: &str, base: &Ruleset, rules: &Ruleset, arch: Arch, program: &Program) {
    let mut random = Random(0x1234_5678_9abc_def1);
    for nr in 0..512 {
        for args in interesting(&rules_of(rules, arch, nr), arch, &mut random) {
            let (before, after) = (base.decide(arch, nr, &args), program.run(arch.token(), nr, &args));
            assert!(
                before == after || matches!((before, after), (Action::Errno(_), Action::Allow)),
                "{name}: {nr}"
            );
        }
    }
}

#[test]
fn programs_are_small_and_survive_embedding() {
    every_program(|name, _, _, program| {
        let length = program.instructions().len();
        println!("{name}: {length} instructions, {} on the longest way to a number", depth(program));
        assert!(length < 1000, "{name}");
        assert!(depth(program) < 24, "{name}");
        assert_eq!(&Program::from_bytes(&program.to_bytes()), program);
    });
}

/// How many instructions run before an argument is looked at or an answer is given, at most.
fn depth(program: &Program) -> usize {
    (0..1024).map(|nr| steps(program, nr)).max().unwrap_or(0)
}

fn steps(program: &Program, nr: u32) -> usize {
    let code = program.instructions();
    let (mut at, mut steps) = (3, 3);
    loop {
        let step = code[at + 1];
        (at, steps) = (at + 1, steps + 1);
        match step.code {
            0x35 => at += usize::from(if nr >= step.k { step.jt } else { step.jf }),
            0x05 => at += step.k as usize,
            _ => return steps,
        }
    }
}

/// A second compiler, for what it can express: the refusals of one call beside its openings are left out, because
/// libseccomp drops one of the two.
fn by_libseccomp(rules: &Ruleset, arch: Arch) -> Program {
    let mut filter = ScmpFilterContext::new(ScmpAction::Errno(38)).expect("a filter");
    filter.remove_arch(ScmpArch::native()).expect("no architecture");
    let target = if arch == Arch::X86_64 { ScmpArch::X8664 } else { ScmpArch::Aarch64 };
    filter.add_arch(target).expect("the architecture");
    filter.set_act_badarch(ScmpAction::KillProcess).expect("the answer to strangers");
    filter.set_ctl_optimize(2).expect("a binary tree");
    for rule in rules.rules().iter().filter(|rule| rule.call.number(arch).is_some()) {
        let action = match rule.action {
            Action::Allow => ScmpAction::Allow,
            Action::Kill => ScmpAction::KillProcess,
            Action::Errno(_) => continue,
        };
        let Ok(call) = ScmpSyscall::from_name(rule.call.name) else {
            continue;
        };
        filter.add_rule_conditional(action, call, &comparisons(rule, arch)).expect("a rule");
    }
    let path = format!("{}/libseccomp.bpf", env!("CARGO_TARGET_TMPDIR"));
    filter.export_bpf(std::fs::File::create(&path).expect("a file")).expect("a program");
    Program::from_bytes(&std::fs::read(&path).expect("a program"))
}

/// libseccomp takes one comparison of each argument, so those of one argument become one.
fn comparisons(rule: &Rule, arch: Arch) -> Vec<ScmpArgCompare> {
    let values = satisfying(rule, arch);
    let mut masks = [0; 6];
    for condition in &rule.when {
        masks[condition.argument()] |= condition.mask(arch);
    }
    let compared = (0..6).filter(|n| masks[*n] != 0);
    compared.map(|n| ScmpArgCompare::new(n as u32, ScmpCompareOp::MaskedEqual(masks[n]), values[n])).collect()
}

#[test]
fn libseccomp_opens_and_kills_the_same() {
    every_program(|name, rules, arch, program| {
        let second = by_libseccomp(rules, arch);
        let mut random = Random(0x0bad_cafe_0bad_cafe);
        for nr in (0..457).chain([0x4000_0000, 0x4000_0001]) {
            for args in interesting(&rules_of(rules, arch, nr), arch, &mut random) {
                let refused = |action| matches!(action, Action::Errno(_));
                let (ours, theirs) =
                    (program.run(arch.token(), nr, &args), second.run(arch.token(), nr, &args));
                assert!(
                    ours == theirs || refused(ours) && refused(theirs),
                    "{name}: {nr} {args:x?}: {theirs:?}"
                );
            }
        }
    });
}
