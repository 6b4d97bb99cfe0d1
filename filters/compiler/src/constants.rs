//! Values of the names that may stand in conditions. They belong to the kernel's ABI of the architecture that is
//! compiled **for**; the C library of the machine that compiles cannot be asked.

use crate::Arch;

struct Constant {
    name: &'static str,
    x86_64: u32,
    aarch64: u32,
}

const fn same(name: &'static str, value: u32) -> Constant {
    differs(name, value, value)
}

const fn differs(name: &'static str, x86_64: u32, aarch64: u32) -> Constant {
    Constant { name, x86_64, aarch64 }
}

const CONSTANTS: &[Constant] = &[
    // open
    same("AT_FDCWD", 0xffff_ff9c),
    same("O_RDONLY", 0),
    same("O_WRONLY", 0o1),
    same("O_RDWR", 0o2),
    same("O_CREAT", 0o100),
    same("O_EXCL", 0o200),
    same("O_TRUNC", 0o1000),
    same("O_APPEND", 0o2000),
    same("O_NONBLOCK", 0o4000),
    same("O_ASYNC", 0o20000),
    differs("O_DIRECTORY", 0o200000, 0o40000),
    differs("O_NOFOLLOW", 0o400000, 0o100000),
    same("O_CLOEXEC", 0o2000000),
    // The kernel's own bit together with O_DIRECTORY, as the C library defines it.
    differs("O_TMPFILE", 0o20200000, 0o20040000),
    // mknod
    same("S_IFIFO", 0o010000),
    same("S_IFCHR", 0o020000),
    same("S_IFDIR", 0o040000),
    same("S_IFREG", 0o100000),
    // fallocate
    same("FALLOC_FL_KEEP_SIZE", 1),
    same("FALLOC_FL_PUNCH_HOLE", 2),
    // unlinkat, renameat2
    same("AT_REMOVEDIR", 0x200),
    same("RENAME_NOREPLACE", 1),
    // mmap, mprotect, madvise
    same("PROT_READ", 1),
    same("PROT_WRITE", 2),
    same("PROT_EXEC", 4),
    same("MAP_SHARED", 0x1),
    same("MAP_PRIVATE", 0x2),
    same("MAP_FIXED", 0x10),
    same("MAP_ANONYMOUS", 0x20),
    same("MAP_GROWSDOWN", 0x100),
    same("MAP_DENYWRITE", 0x800),
    same("MADV_NORMAL", 0),
    same("MADV_RANDOM", 1),
    same("MADV_SEQUENTIAL", 2),
    same("MADV_WILLNEED", 3),
    same("MADV_DONTNEED", 4),
    same("MADV_FREE", 8),
    same("MADV_DONTFORK", 10),
    same("MADV_HUGEPAGE", 14),
    same("MADV_NOHUGEPAGE", 15),
    same("MADV_DONTDUMP", 16),
    same("MADV_WIPEONFORK", 18),
    // fcntl
    same("F_DUPFD", 0),
    same("F_GETFD", 1),
    same("F_SETFD", 2),
    same("F_GETFL", 3),
    same("F_SETFL", 4),
    same("F_GETLK", 5),
    same("F_SETLK", 6),
    same("F_SETLKW", 7),
    same("F_DUPFD_CLOEXEC", 1030),
    same("F_GETPIPE_SZ", 1032),
    // ioctl
    same("TCGETS", 0x5401),
    same("TCSETS", 0x5402),
    same("TCSETSW", 0x5403),
    same("TCSETSF", 0x5404),
    same("TCGETS2", 0x802c_542a),
    same("TCSETS2", 0x402c_542b),
    same("TCSETSW2", 0x402c_542c),
    same("TCSETSF2", 0x402c_542d),
    same("TIOCGPGRP", 0x540f),
    same("TIOCSPGRP", 0x5410),
    same("TIOCSTI", 0x5412),
    same("TIOCGWINSZ", 0x5413),
    same("FIONREAD", 0x541b),
    same("TIOCLINUX", 0x541c),
    same("TIOCCONS", 0x541d),
    same("FIONBIO", 0x5421),
    same("FIONCLEX", 0x5450),
    same("FIOCLEX", 0x5451),
    // futex
    same("FUTEX_WAIT", 0),
    same("FUTEX_WAKE", 1),
    same("FUTEX_REQUEUE", 3),
    same("FUTEX_CMP_REQUEUE", 4),
    same("FUTEX_WAKE_OP", 5),
    same("FUTEX_WAIT_BITSET", 9),
    same("FUTEX_WAKE_BITSET", 10),
    same("FUTEX_PRIVATE_FLAG", 0x80),
    same("FUTEX_CLOCK_REALTIME", 0x100),
    // clone
    same("CLONE_VM", 0x100),
    same("CLONE_FS", 0x200),
    same("CLONE_FILES", 0x400),
    same("CLONE_SIGHAND", 0x800),
    same("CLONE_VFORK", 0x4000),
    same("CLONE_THREAD", 0x1_0000),
    same("CLONE_SYSVSEM", 0x4_0000),
    same("CLONE_SETTLS", 0x8_0000),
    same("CLONE_PARENT_SETTID", 0x10_0000),
    same("CLONE_CHILD_CLEARTID", 0x20_0000),
    same("CLONE_DETACHED", 0x40_0000),
    same("CLONE_CHILD_SETTID", 0x100_0000),
    // sockets
    same("AF_UNIX", 1),
    same("AF_INET", 2),
    same("AF_INET6", 10),
    same("SOCK_STREAM", 1),
    same("SOCK_SEQPACKET", 5),
    same("SOCK_NONBLOCK", 0o4000),
    same("SOCK_CLOEXEC", 0o2000000),
    same("IPPROTO_TCP", 6),
    same("IPPROTO_IPV6", 41),
    same("SOL_SOCKET", 1),
    same("SO_REUSEADDR", 2),
    same("SO_TYPE", 3),
    same("SO_ERROR", 4),
    same("SO_SNDBUF", 7),
    same("SO_RCVBUF", 8),
    same("SO_KEEPALIVE", 9),
    same("SO_LINGER", 13),
    same("SO_ACCEPTCONN", 30),
    same("SO_PROTOCOL", 38),
    same("SO_DOMAIN", 39),
    same("TCP_NODELAY", 1),
    same("TCP_KEEPIDLE", 4),
    same("TCP_KEEPINTVL", 5),
    same("TCP_KEEPCNT", 6),
    same("IPV6_V6ONLY", 26),
    same("MSG_PEEK", 2),
    same("MSG_DONTWAIT", 0x40),
    same("MSG_WAITALL", 0x100),
    same("MSG_NOSIGNAL", 0x4000),
    same("MSG_CMSG_CLOEXEC", 0x4000_0000),
    // signals
    same("SIGINT", 2),
    same("SIGKILL", 9),
    same("SIGCHLD", 17),
    same("SIGXFSZ", 25),
    same("SIGVTALRM", 26),
    same("SIGPROF", 27),
    same("SIGWINCH", 28),
    same("SIGIO", 29),
    same("SIGPWR", 30),
    // The process itself: no process has this number, and who loads the program puts the real one in its place.
    same("SELF", SELF),
    // prctl, arch_prctl
    same("PR_SET_NAME", 15),
    same("PR_SET_PDEATHSIG", 1),
    same("PR_SET_DUMPABLE", 4),
    same("PR_CAPBSET_DROP", 24),
    same("PR_SET_CHILD_SUBREAPER", 36),
    same("PR_SET_NO_NEW_PRIVS", 38),
    same("PR_CAP_AMBIENT", 47),
    same("PR_CAP_AMBIENT_CLEAR_ALL", 4),
    same("SECCOMP_SET_MODE_FILTER", 1),
    same("SECCOMP_GET_ACTION_AVAIL", 2),
    same("SECCOMP_FILTER_FLAG_TSYNC", 1),
    same("PR_CAPBSET_READ", 23),
    same("PR_GET_SECUREBITS", 27),
    same("ARCH_SET_FS", 0x1002),
];

/// The number that stands for the process itself in a compiled program.
pub const SELF: u32 = 0x7fff_5e1f;

const ERRNOS: &[(&str, u16)] =
    &[("EPERM", 1), ("EACCES", 13), ("EINVAL", 22), ("ENOSYS", 38), ("EOPNOTSUPP", 95)];

/// The value of a constant on `arch`.
pub fn constant_value(name: &str, arch: Arch) -> Option<u32> {
    let constant = CONSTANTS.iter().find(|constant| constant.name == name)?;
    Some(match arch {
        Arch::X86_64 => constant.x86_64,
        Arch::Aarch64 => constant.aarch64,
    })
}

/// The names of all constants.
pub fn constant_names() -> impl Iterator<Item = &'static str> {
    CONSTANTS.iter().map(|constant| constant.name)
}

/// The number of an error name.
pub fn errno_value(name: &str) -> Option<u16> {
    let (_, value) = ERRNOS.iter().find(|(known, _)| *known == name)?;
    Some(*value)
}
