//! What the grammar accepts, and the sentence for what it does not.

use filter_compiler::{Action, Arch, Call, Error, Role, Ruleset, Text};

const NONE: [u64; 6] = [0; 6];

fn text(name: &str, role: Role, content: &str) -> Text {
    Text { name: name.to_owned(), role, content: content.to_owned() }
}

/// A base that refuses what the rows are about.
const BASE: &str = "\
default errno ENOSYS    # new calls
errno EPERM ioctl openat mmap prlimit64 read    # the rest
kill ioctl if arg1 is TIOCSTI    # an attack
kill ptrace    # an attack
";

fn parse_base(content: &str) -> Result<Ruleset, Error> {
    Ruleset::parse(&[text("base", Role::Closed, content)])
}

fn parse_grant(content: &str) -> Result<Ruleset, Error> {
    Ruleset::parse(&[text("base", Role::Closed, BASE), text("grant", Role::Grant, content)])
}

fn number(name: &str) -> u32 {
    Call::named(name).and_then(|call| call.number(Arch::X86_64)).expect("a call of x86_64")
}

fn decide(rules: &Ruleset, name: &str, args: [u64; 6]) -> Action {
    let program = rules.compile(Arch::X86_64);
    let decision = rules.decide(Arch::X86_64, number(name), &args);
    assert_eq!(program.run(Arch::X86_64.token(), number(name), &args), decision);
    decision
}

fn args(index: usize, value: u64) -> [u64; 6] {
    let mut args = NONE;
    args[index] = value;
    args
}

#[test]
fn errors_name_file_line_and_cause() {
    let rows = [
        ("", "no file says 'default errno NAME'"),
        ("default errno ENOSYS", "base:1: a rule without a reason: end it with '# why'"),
        ("default errno ENOSYS #", "base:1: a rule without a reason: end it with '# why'"),
        ("default allow # why", "base:1: expected 'default errno NAME'"),
        (
            "default errno EPERM # why\n\ndefault errno EPERM # why",
            "base:3: the default stands at base:1 already",
        ),
        ("  allow read # why", "base:1: an indented line that continues nothing"),
        ("allow read # why\n\n  write # why", "base:3: an indented line that continues nothing"),
        ("permit read # why", "base:1: expected 'default', 'allow', 'errno NAME' or 'kill'"),
        ("errno # why", "base:1: expected 'default', 'allow', 'errno NAME' or 'kill'"),
        ("errno EWRONG read # why", "base:1: unknown error name 'EWRONG'"),
        ("allow # why", "base:1: the rule names no system call"),
        ("allow if arg0 is 1 # why", "base:1: the rule names no system call"),
        ("allow read wirte # why", "base:1: unknown system call 'wirte'"),
        ("allow read\n  wirte # why", "base:1: unknown system call 'wirte'"),
        ("allow ioctl if arg1 is TCGOTS # why", "base:1: unknown constant 'TCGOTS'"),
        ("allow ioctl if arg1 is TCGETS|0xg # why", "base:1: unknown constant '0xg'"),
        ("allow ioctl if arg1 is 0x100000000 # why", "base:1: unknown constant '0x100000000'"),
        ("allow ioctl if arg6 is 1 # why", "base:1: expected arg0 to arg5, not 'arg6'"),
        (
            "allow ioctl if arg1 above 1 # why",
            "base:1: unknown comparison 'above': there are 'is', 'has' and 'lacks'",
        ),
        ("allow ioctl if arg1 has 0 # why", "base:1: '0' has no bits to test"),
        ("allow ioctl if arg1 lacks O_RDONLY # why", "base:1: 'O_RDONLY' has no bits to test"),
        ("allow ioctl if arg1 has NULL # why", "base:1: unknown constant 'NULL'"),
    ];
    for (content, sentence) in rows {
        let error = parse_base(content).expect_err(content);
        assert_eq!(error.to_string(), sentence, "{content}");
    }
    let malformed =
        ["allow ioctl if # why", "allow ioctl if arg1 is # why", "allow ioctl if arg1 is 1 and # why"];
    for content in malformed {
        let error = parse_base(content).expect_err(content).to_string();
        assert!(error.starts_with("base:1: expected 'argN is VALUE'"), "{error}");
    }
}

#[test]
fn rules_that_do_not_fit_together_are_errors() {
    let rows = [
        ("allow getpid if arg0 is 1 # why", "nothing says what happens to getpid otherwise"),
        ("allow read # why\nallow read # why", "base:6: read is decided already by base:5"),
        ("allow read # why\nallow read if arg0 is 1 # why", "base:6: read is decided already by base:5"),
        ("errno EACCES read # why", "base:5: read is given another error number by base:2"),
        ("kill read # why\nallow read # why", "base:6: read is killed by base:5"),
        (
            "errno EACCES ioctl if arg1 has 1 # why\nerrno EPERM ioctl if arg1 has 2 # why",
            "base:6: ioctl is given another error number by base:5",
        ),
        ("allow ioctl if arg1 is 1 and arg1 has 2 # why", "base:5: the conditions contradict each other"),
    ];
    for (content, sentence) in rows {
        let error = parse_base(&format!("{BASE}{content}")).expect_err(content).to_string();
        assert!(error.contains(sentence), "{content}: {error}");
    }
}

#[test]
fn a_grant_only_opens() {
    let rows = [
        ("kill read # why", "grant:1: a grant may only hold 'allow'"),
        ("errno EPERM read # why", "grant:1: a grant may only hold 'allow'"),
        ("default errno EPERM # why", "grant:1: a grant may only hold 'allow'"),
        ("allow ptrace # why", "grant:1: ptrace is killed by base:4"),
        ("allow ptrace if arg0 is 0 # why", "grant:1: ptrace is killed by base:4"),
        ("allow ioctl if arg1 is TIOCSTI # why", "grant:1: ioctl is killed by base:3"),
        ("allow ioctl if arg1 is TIOCSTI and arg0 is 0 # why", "grant:1: ioctl is killed by base:3"),
    ];
    for (content, sentence) in rows {
        let error = parse_grant(content).expect_err(content);
        assert_eq!(error.to_string(), sentence, "{content}");
    }
}

#[test]
fn a_grant_that_opens_all_of_a_call_leaves_the_kill() {
    let rules = parse_grant("allow ioctl # why").expect("rules");
    assert_eq!(decide(&rules, "ioctl", args(1, 0x5412)), Action::Kill);
    assert_eq!(decide(&rules, "ioctl", args(1, 0x1_0000_5412)), Action::Kill);
    assert_eq!(decide(&rules, "ioctl", args(1, 0x5413)), Action::Allow);
}

#[test]
fn kill_beats_allow_beats_errno_beats_default() {
    let rules = parse_base(
        "default errno ENOSYS # why
errno EPERM ioctl # the rest
errno EACCES ioctl if arg1 has 1 # odd
allow ioctl if arg1 has 2 # why
kill ioctl if arg1 has 4 # why
",
    )
    .expect("rules");
    let expected = [
        Action::Errno(1),
        Action::Errno(13),
        Action::Allow,
        Action::Allow,
        Action::Kill,
        Action::Kill,
        Action::Kill,
        Action::Kill,
    ];
    for (value, action) in expected.into_iter().enumerate() {
        assert_eq!(decide(&rules, "ioctl", args(1, value as u64)), action, "{value}");
    }
    assert_eq!(decide(&rules, "getpid", NONE), Action::Errno(38));
}

#[test]
fn lines_go_on_when_indented() {
    let rules = parse_grant(
        "allow openat\n    if arg2 is O_CREAT\n    |O_TRUNC # why\n# a comment\n\nallow read # why",
    )
    .expect("rules");
    assert_eq!(decide(&rules, "openat", args(2, 0o1100)), Action::Allow);
    assert_eq!(decide(&rules, "openat", args(2, 0o1000)), Action::Errno(1));
    assert_eq!(decide(&rules, "read", NONE), Action::Allow);
}

#[test]
fn only_null_compares_the_whole_register() {
    let rules =
        parse_grant("allow prlimit64 if arg2 is NULL # why\nallow mmap if arg2 is 0 # why").expect("rules");
    assert_eq!(decide(&rules, "prlimit64", NONE), Action::Allow);
    assert_eq!(decide(&rules, "prlimit64", args(2, 1)), Action::Errno(1));
    assert_eq!(decide(&rules, "prlimit64", args(2, 1 << 32)), Action::Errno(1));
    assert_eq!(decide(&rules, "mmap", args(2, 1 << 32)), Action::Allow);
}

#[test]
fn constants_are_those_of_the_target() {
    let rules = parse_grant("allow openat if arg2 is O_DIRECTORY # why").expect("rules");
    let openat = Call::named("openat").expect("a call");
    for (arch, flag) in [(Arch::X86_64, 0o200000), (Arch::Aarch64, 0o40000)] {
        let number = openat.number(arch).expect("a number");
        assert_eq!(rules.decide(arch, number, &args(2, flag)), Action::Allow);
        assert_eq!(rules.compile(arch).run(arch.token(), number, &args(2, flag)), Action::Allow);
    }
}
