//! The tables of this crate against other people's, and the lists against the tables.

use std::collections::BTreeSet;

use filter_compiler::{
    Arch, CALLS, Call, constant_names, constant_value, errno_value, filters_directory, grants, load,
};
use libseccomp::{ScmpArch, ScmpSyscall};

fn theirs(arch: Arch) -> ScmpArch {
    match arch {
        Arch::X86_64 => ScmpArch::X8664,
        Arch::Aarch64 => ScmpArch::Aarch64,
    }
}

#[test]
fn every_call_that_libseccomp_knows_is_in_the_table() {
    for arch in Arch::ALL {
        for number in 0..1024 {
            let Ok(name) = ScmpSyscall::from(number).get_name_by_arch(theirs(arch)) else {
                continue;
            };
            let call = Call::named(&name).unwrap_or_else(|| panic!("libseccomp knows {name}; decide it"));
            assert_eq!(call.number(arch), u32::try_from(number).ok(), "{name} on {arch:?}");
        }
    }
}

#[test]
fn the_table_holds_nothing_else_below_the_newest_calls() {
    for arch in Arch::ALL {
        let numbers = CALLS.iter().filter_map(|call| Some((call.number(arch)?, call.name)));
        let mut seen = BTreeSet::new();
        for (number, name) in numbers {
            assert!(seen.insert(number), "{name} has a number that is taken on {arch:?}");
            let raw = i32::try_from(number).expect("a small number");
            if let Ok(their_name) = ScmpSyscall::from(raw).get_name_by_arch(theirs(arch)) {
                assert_eq!(their_name, name);
            } else {
                assert!(number > 456 || name == "uretprobe", "libseccomp does not know {name} on {arch:?}");
            }
        }
    }
}

#[test]
fn every_call_is_decided_in_the_lists() {
    for host in ["hlua", "hpython", "hsh", "hnode"] {
        let rules = load(filters_directory(), host, &[]).expect("the lists");
        let named: BTreeSet<&str> = rules.rules().iter().map(|rule| rule.call.name).collect();
        let silent: Vec<&str> =
            CALLS.iter().map(|call| call.name).filter(|name| !named.contains(name)).collect();
        assert!(silent.is_empty(), "{host}: no line decides {silent:?}");
    }
}

#[test]
fn every_constant_is_used() {
    let files = std::fs::read_dir(filters_directory()).expect("the directory");
    let paths = files.map(|entry| entry.expect("an entry").path());
    let lists: String = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "filter"))
        .map(|path| std::fs::read_to_string(path).expect("a list"))
        .collect();
    let words: BTreeSet<&str> = lists.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let idle: Vec<&str> = constant_names().filter(|name| !words.contains(name)).collect();
    assert!(idle.is_empty(), "no list uses {idle:?}");
}

#[test]
fn the_sets_of_grants_are_all_different() {
    let sets: BTreeSet<Vec<&str>> = (0..64).map(grants).collect();
    assert_eq!(sets.len(), 64);
    assert_eq!(grants(0b10_0101), ["write", "signal", "listen"]);
    assert!((0..16).map(grants).all(|set| !set.contains(&"connect") && !set.contains(&"listen")));
}

/// The constants as the C library of this machine has them, for those that the crate `libc` knows.
macro_rules! of_libc {
    ($($name:ident)*) => { [$((stringify!($name), libc::$name as u32)),*] };
}

#[test]
fn constants_are_those_of_the_c_library() {
    let Some(arch) = Arch::named(std::env::consts::ARCH) else {
        return;
    };
    let known = of_libc!(
        AT_FDCWD O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_ASYNC O_DIRECTORY O_NOFOLLOW
        O_CLOEXEC O_TMPFILE FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE S_IFIFO S_IFCHR S_IFDIR S_IFREG AT_REMOVEDIR RENAME_NOREPLACE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE MADV_NORMAL
        MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_DONTFORK MADV_HUGEPAGE
        MADV_NOHUGEPAGE MADV_DONTDUMP MADV_WIPEONFORK F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_DUPFD_CLOEXEC F_GETPIPE_SZ AF_UNIX SOCK_STREAM SOCK_SEQPACKET SOCK_CLOEXEC
        TCGETS TCSETS TCSETSW TCSETSF TCGETS2 TCSETS2 TCSETSW2 TCSETSF2 TIOCGPGRP TIOCSPGRP TIOCSTI TIOCGWINSZ FIONREAD
        TIOCLINUX TIOCCONS FIONBIO FIONCLEX FIOCLEX FUTEX_WAIT FUTEX_WAKE FUTEX_REQUEUE FUTEX_CMP_REQUEUE
        FUTEX_WAKE_OP FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_PRIVATE_FLAG FUTEX_CLOCK_REALTIME CLONE_VM
        CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_VFORK CLONE_THREAD CLONE_SYSVSEM CLONE_SETTLS
        CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_DETACHED CLONE_CHILD_SETTID SIGINT SIGKILL SIGCHLD SIGXFSZ
        SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR
        PR_SET_NAME PR_CAPBSET_READ PR_GET_SECUREBITS PR_SET_PDEATHSIG PR_SET_DUMPABLE PR_CAPBSET_DROP PR_SET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS
        PR_CAP_AMBIENT PR_CAP_AMBIENT_CLEAR_ALL SECCOMP_SET_MODE_FILTER SECCOMP_GET_ACTION_AVAIL SECCOMP_FILTER_FLAG_TSYNC
        AF_UNIX AF_INET AF_INET6 SOCK_STREAM SOCK_SEQPACKET SOCK_NONBLOCK SOCK_CLOEXEC IPPROTO_TCP
        IPPROTO_IPV6 SOL_SOCKET SO_REUSEADDR SO_TYPE SO_ERROR SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_LINGER
        SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
        IPV6_V6ONLY MSG_PEEK MSG_DONTWAIT MSG_WAITALL MSG_NOSIGNAL MSG_CMSG_CLOEXEC
    );
    for (name, value) in known {
        assert_eq!(constant_value(name, arch), Some(value), "{name}");
    }
    let checked: BTreeSet<&str> = known.into_iter().map(|(name, _)| name).collect();
    let unchecked: Vec<&str> = constant_names().filter(|name| !checked.contains(name)).collect();
    assert_eq!(unchecked, ["SELF", "ARCH_SET_FS"], "only what the crate libc lacks goes unchecked");
    let errnos = of_libc!(EPERM EACCES ENOSYS EOPNOTSUPP);
    for (name, value) in errnos {
        assert_eq!(errno_value(name).map(u32::from), Some(value), "{name}");
    }
}

/// What differs between the architectures; the other test sees only the one that it runs on.
#[test]
fn arm_has_its_own_flags_of_open() {
    let rows = [("O_DIRECTORY", 0o40000), ("O_NOFOLLOW", 0o100000), ("O_TMPFILE", 0o20040000)];
    for (name, value) in rows {
        assert_eq!(constant_value(name, Arch::Aarch64), Some(value), "{name}");
    }
}
