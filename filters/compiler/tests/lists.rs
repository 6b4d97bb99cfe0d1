//! What the lists say about the calls that matter most, as a table that can be read without knowing the lists. Every
//! row is asked of the program, on every architecture that has the call.

use filter_compiler::Action::{self, Allow, Errno, Kill};
use filter_compiler::{Arch, Call, Program, constant_value, filters_directory, load};

const EPERM: Action = Errno(1);
const EACCES: Action = Errno(13);
const ENOSYS: Action = Errno(38);

const ANYWHERE: u64 = 3;

/// A row: grants, call, arguments as words of constants, decision.
type Row = (&'static [&'static str], &'static str, &'static [&'static str], Action);

const CLOSED: &[&str] = &[];
const LUA: &[&str] = CLOSED;
const WRITE: &[&str] = &["write"];
const RUN: &[&str] = &["run"];
const BOTH: &[&str] = &["write", "run"];
const TERMINAL: &[&str] = &["terminal"];
const SIGNAL: &[&str] = &["run", "signal"];
const ALL: &[&str] = &["write", "run", "signal", "terminal"];
const CONNECT: &[&str] = &["connect"];
const LISTEN: &[&str] = &["listen"];
const NET: &[&str] = &["connect", "listen"];
const EVERYTHING: &[&str] = &["write", "run", "signal", "terminal", "connect", "listen"];

const ROWS: &[Row] = &[
    // Opening files: exact words only.
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY"], Allow),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_CLOEXEC"], Allow),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_DIRECTORY|O_CLOEXEC"], Allow),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_NOFOLLOW|O_CLOEXEC"], Allow),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_DIRECTORY"], EACCES),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC"], EACCES),
    (LUA, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_CREAT|O_TRUNC"], EACCES),
    (LUA, "openat", &["AT_FDCWD", "path", "O_RDWR"], EACCES),
    (LUA, "openat", &["0", "path", "O_RDONLY"], EACCES),
    (LUA, "open", &["path", "O_RDONLY"], EACCES),
    (LUA, "openat2", &["AT_FDCWD", "path"], EACCES),
    (WRITE, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_CREAT|O_TRUNC"], Allow),
    (WRITE, "openat", &["AT_FDCWD", "path", "O_RDWR|O_TMPFILE|O_EXCL"], Allow),
    (WRITE, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC"], EACCES),
    (WRITE, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_RDWR|O_TRUNC"], EACCES),
    (WRITE, "openat", &["AT_FDCWD", "path", "O_RDWR|O_TMPFILE"], EACCES),
    (WRITE, "openat", &["0", "path", "O_WRONLY|O_CREAT|O_TRUNC"], EACCES),
    (RUN, "openat", &["0", "path", "O_RDONLY|O_DIRECTORY"], Allow),
    (RUN, "openat", &["0", "path", "O_WRONLY|O_CREAT|O_TRUNC"], EACCES),
    (RUN, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_CREAT|O_EXCL"], EACCES),
    (RUN, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC"], EACCES),
    (BOTH, "openat", &["0", "path", "O_WRONLY|O_CREAT|O_EXCL"], Allow),
    (BOTH, "openat", &["0", "path", "O_RDONLY|O_CREAT"], Allow),
    (BOTH, "openat", &["0", "path", "O_RDONLY|O_TRUNC"], EACCES),
    (BOTH, "openat", &["0", "path", "O_WRONLY|O_RDWR|O_TRUNC"], EACCES),
    (BOTH, "openat", &["0", "path", "O_WRONLY|O_ASYNC"], EACCES),
    // Whether a file exists.
    (LUA, "fstat", &["0"], Allow),
    (WRITE, "stat", &["path"], EACCES),
    (WRITE, "newfstatat", &["0", "path", "0", "0x1000"], EACCES),
    (WRITE, "readlink", &["path"], EACCES),
    (RUN, "newfstatat", &["AT_FDCWD", "path"], Allow),
    (RUN, "statx", &["AT_FDCWD", "path"], Allow),
    // Changing the tree.
    (LUA, "unlink", &["path"], EACCES),
    (RUN, "unlink", &["path"], EACCES),
    (WRITE, "unlink", &["path"], Allow),
    (WRITE, "unlinkat", &["AT_FDCWD", "path", "AT_REMOVEDIR"], Allow),
    (WRITE, "unlinkat", &["0", "path", "AT_REMOVEDIR"], EACCES),
    (WRITE, "renameat2", &["AT_FDCWD", "path", "AT_FDCWD", "path", "0"], Allow),
    (WRITE, "renameat2", &["AT_FDCWD", "path", "AT_FDCWD", "path", "2"], EACCES),
    (WRITE, "mkdir", &["path"], EACCES),
    (BOTH, "mkdirat", &["0", "path"], Allow),
    (BOTH, "renameat2", &["0", "path", "0", "path", "RENAME_NOREPLACE"], Allow),
    (BOTH, "renameat2", &["0", "path", "0", "path", "2"], EACCES),
    (BOTH, "fallocate", &["7", "0", "0", "1"], Allow),
    (BOTH, "fallocate", &["7", "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE", "0", "1"], Allow),
    (BOTH, "fallocate", &["7", "FALLOC_FL_KEEP_SIZE", "0", "1"], EPERM),
    (ALL, "symlink", &["path"], EACCES),
    (ALL, "linkat", &["0", "path"], EACCES),
    (ALL, "mknodat", &["0", "path"], EACCES),
    (ALL, "truncate", &["path"], EACCES),
    (ALL, "fchmodat", &["0", "path"], EACCES),
    (ALL, "fchmod", &["0"], EPERM),
    (ALL, "utimensat", &["0", "path"], EACCES),
    (ALL, "setxattr", &["path"], Errno(95)),
    // Code in memory.
    (LUA, "mmap", &["0", "1", "PROT_READ|2", "MAP_ANONYMOUS"], Allow),
    (LUA, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "2"], EPERM),
    (RUN, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "2"], Allow),
    (ALL, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "2|MAP_ANONYMOUS"], EPERM),
    (ALL, "mmap", &["0", "1", "PROT_READ|PROT_EXEC|2", "2"], EPERM),
    (ALL, "mprotect", &["0", "1", "PROT_READ|PROT_EXEC"], EPERM),
    (ALL, "pkey_mprotect", &["0", "1", "PROT_READ|PROT_EXEC"], ENOSYS),
    (ALL, "memfd_create", &["path"], EPERM),
    (ALL, "personality", &["0x0400000"], EPERM),
    (RUN, "personality", &["0xffffffff"], Allow),
    // Pipes, and no queues of notifications.
    (RUN, "pipe2", &["path", "O_CLOEXEC"], Allow),
    (RUN, "pipe2", &["path", "O_EXCL|O_CLOEXEC"], EPERM),
    // Processes.
    (LUA, "clone", &["SIGCHLD"], EPERM),
    (LUA, "execve", &["path"], EPERM),
    (RUN, "execve", &["path"], Allow),
    (ALL, "execveat", &["0", "path"], EPERM),
    (RUN, "clone", &["CLONE_VM|CLONE_VFORK|SIGCHLD"], Allow),
    (RUN, "clone", &["0x003d0f00"], Allow),
    (ALL, "clone", &["SIGCHLD|0x10000000"], EPERM),
    (ALL, "clone", &["SIGCHLD|0x00020000"], EPERM),
    (ALL, "clone3", &[], ENOSYS),
    (ALL, "unshare", &["0x10000000"], EPERM),
    (RUN, "kill", &["1"], EPERM),
    (SIGNAL, "kill", &["1"], Allow),
    (ALL, "pidfd_send_signal", &["0"], EPERM),
    (ALL, "prlimit64", &["0", "7", "0"], Allow),
    (ALL, "prlimit64", &["0", "7", "path"], EPERM),
    (ALL, "prlimit64", &["0", "7", "high"], EPERM),
    (ALL, "prlimit64", &["1", "7", "0"], EPERM),
    (LUA, "prlimit64", &["0", "7", "0"], EPERM),
    // Signals and time.
    (LUA, "rt_sigaction", &["SIGINT"], Allow),
    (LUA, "rt_sigaction", &["24"], EPERM),
    (LUA, "rt_sigprocmask", &["0"], EPERM),
    (TERMINAL, "rt_sigaction", &["SIGWINCH"], Allow),
    (TERMINAL, "rt_sigaction", &["24"], EPERM),
    (LUA, "clock_gettime", &["2"], Allow),
    (LUA, "clock_gettime", &["0xfffffffa"], EPERM),
    (ALL, "setitimer", &["0"], EPERM),
    // Terminals.
    (LUA, "ioctl", &["0", "TCGETS"], Allow),
    (LUA, "ioctl", &["0", "TCSETS"], EPERM),
    (LUA, "ioctl", &["0", "TIOCSTI"], Kill),
    (ALL, "ioctl", &["0", "TIOCSTI"], Kill),
    (ALL, "ioctl", &["0", "TIOCLINUX"], Kill),
    (TERMINAL, "ioctl", &["0", "TCSETSW"], Allow),
    (LUA, "fcntl", &["0", "F_GETFL"], Allow),
    (ALL, "fcntl", &["0", "8"], EPERM),
    (RUN, "fcntl", &["0", "F_SETFL", "O_ASYNC"], EPERM),
    (RUN, "fcntl", &["0", "F_SETFL", "O_APPEND"], Allow),
    // Network, privileges, other processes.
    (ALL, "socket", &["1"], EPERM),
    (ALL, "socketpair", &["1"], EPERM),
    (ALL, "sendmsg", &["0"], EPERM),
    (ALL, "socket", &["AF_INET", "SOCK_STREAM", "0"], EPERM),
    (ALL, "connect", &["0"], EPERM),
    (CONNECT, "socket", &["AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "IPPROTO_TCP"], Allow),
    (LISTEN, "socket", &["AF_INET6", "SOCK_STREAM", "0"], Allow),
    (EVERYTHING, "socket", &["AF_INET", "2", "0"], EPERM),
    (EVERYTHING, "socket", &["AF_INET", "SOCK_STREAM", "262"], EPERM),
    (EVERYTHING, "socket", &["AF_INET", "SOCK_STREAM", "132"], EPERM),
    (EVERYTHING, "socket", &["AF_INET", "SOCK_STREAM", "256"], EPERM),
    (EVERYTHING, "socket", &["1", "SOCK_STREAM", "0"], EPERM),
    (EVERYTHING, "socket", &["16", "3", "0"], EPERM),
    (EVERYTHING, "socket", &["40", "SOCK_STREAM", "0"], EPERM),
    (EVERYTHING, "socket", &["43", "SOCK_STREAM", "0"], EPERM),
    (EVERYTHING, "socketpair", &["1", "SOCK_STREAM", "0"], EPERM),
    (CONNECT, "connect", &["0", "path"], Allow),
    (LISTEN, "connect", &["0", "path"], EPERM),
    (CONNECT, "bind", &["0", "path"], EPERM),
    (CONNECT, "listen", &["0", "1"], EPERM),
    (CONNECT, "accept", &["0"], EPERM),
    (CONNECT, "accept4", &["0", "path", "path", "0"], EPERM),
    (LISTEN, "bind", &["0", "path"], Allow),
    (LISTEN, "listen", &["0", "1"], Allow),
    (LISTEN, "accept4", &["0", "path", "path", "SOCK_CLOEXEC"], Allow),
    (LISTEN, "accept4", &["0", "path", "path", "1"], EPERM),
    (NET, "sendto", &["0", "path", "1", "0", "0"], Allow),
    (NET, "sendto", &["0", "path", "1", "0", "path"], EPERM),
    (NET, "sendto", &["0", "path", "1", "0", "high"], EPERM),
    (EVERYTHING, "sendto", &["0", "path", "1", "0x20000000", "0"], EPERM),
    (EVERYTHING, "sendto", &["0", "path", "1", "1", "0"], EPERM),
    (NET, "sendmsg", &["0", "path", "0"], Allow),
    (EVERYTHING, "sendmsg", &["0", "path", "0x20000000"], EPERM),
    (EVERYTHING, "sendmmsg", &["0", "path", "1", "0"], EPERM),
    (NET, "recvfrom", &["0", "path", "1", "MSG_PEEK"], Allow),
    (EVERYTHING, "recvfrom", &["0", "path", "1", "1"], EPERM),
    (EVERYTHING, "recvmsg", &["0", "path", "0"], EPERM),
    (NET, "getsockopt", &["0", "SOL_SOCKET", "SO_ERROR"], Allow),
    (NET, "setsockopt", &["0", "SOL_SOCKET", "SO_REUSEADDR"], Allow),
    (NET, "setsockopt", &["0", "IPPROTO_TCP", "TCP_NODELAY"], Allow),
    (EVERYTHING, "setsockopt", &["0", "SOL_SOCKET", "15"], EPERM), // SO_REUSEPORT
    (EVERYTHING, "setsockopt", &["0", "SOL_SOCKET", "25"], EPERM), // SO_BINDTODEVICE
    (EVERYTHING, "setsockopt", &["0", "SOL_SOCKET", "26"], EPERM), // SO_ATTACH_FILTER
    (EVERYTHING, "setsockopt", &["0", "IPPROTO_TCP", "19"], EPERM), // TCP_REPAIR
    (EVERYTHING, "setsockopt", &["0", "IPPROTO_TCP", "23"], EPERM), // TCP_FASTOPEN
    (EVERYTHING, "setsockopt", &["0", "IPPROTO_TCP", "30"], EPERM), // TCP_FASTOPEN_CONNECT
    (EVERYTHING, "setsockopt", &["0", "IPPROTO_TCP", "31"], EPERM), // TCP_ULP
    (EVERYTHING, "setsockopt", &["0", "0", "1"], EPERM),           // IP_TOS
    (ALL, "io_uring_setup", &["1"], ENOSYS),
    (ALL, "prctl", &["4"], EPERM),
    (ALL, "seccomp", &["1"], EPERM),
    (ALL, "landlock_restrict_self", &["0"], EPERM),
    (ALL, "ptrace", &["0"], Kill),
    (ALL, "process_vm_writev", &["1"], Kill),
    (ALL, "keyctl", &["18"], Kill),
    (ALL, "bpf", &["0"], Kill),
    (ALL, "mount", &["path"], Kill),
    (ALL, "setns", &["0"], Kill),
];

/// The same for Python, where it differs.
const PYTHON: &[Row] = &[
    // Files: reading with a directory's descriptor as well, in exact words; never a path alone, never truncating.
    (CLOSED, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_CLOEXEC"], Allow),
    (CLOSED, "openat", &["7", "path", "O_RDONLY|O_NONBLOCK|O_DIRECTORY|O_CLOEXEC"], Allow),
    (CLOSED, "openat", &["7", "path", "0x280000"], EACCES),
    (CLOSED, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC|O_CLOEXEC"], EACCES),
    (CLOSED, "openat", &["7", "path", "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"], EACCES),
    (CLOSED, "openat", &["AT_FDCWD", "path", "O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC"], EACCES),
    (CLOSED, "newfstatat", &["AT_FDCWD", "path"], Allow),
    (CLOSED, "mkdirat", &["AT_FDCWD", "path"], EACCES),
    (WRITE, "openat", &["7", "path", "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"], Allow),
    (WRITE, "openat", &["7", "path", "O_RDONLY|O_TRUNC|O_CLOEXEC"], EACCES),
    (WRITE, "openat", &["7", "path", "O_RDWR|O_TMPFILE|O_CLOEXEC"], EACCES),
    (WRITE, "mkdirat", &["7", "path"], Allow),
    (WRITE, "renameat2", &["7", "path", "7", "path", "2"], EACCES),
    (WRITE, "fchmodat", &["7", "path"], EACCES),
    (WRITE, "fchmod", &["7"], EPERM),
    (WRITE, "utimensat", &["7", "0"], EACCES),
    (WRITE, "linkat", &["7", "path"], EACCES),
    (WRITE, "symlinkat", &["path", "7"], EACCES),
    (WRITE, "mknodat", &["7", "path"], EACCES),
    (WRITE, "flock", &["7", "2"], EPERM),
    (WRITE, "fallocate", &["7", "0", "0", "1"], Allow),
    (WRITE, "fallocate", &["7", "FALLOC_FL_KEEP_SIZE", "0", "1"], EPERM),
    (CLOSED, "pipe2", &["path", "O_CLOEXEC|O_NONBLOCK"], Allow),
    (CLOSED, "pipe2", &["path", "O_EXCL"], EPERM),
    // Code from files only, and never written to.
    (CLOSED, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "MAP_PRIVATE|MAP_DENYWRITE", "7"], Allow),
    (CLOSED, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE", "7"], Allow),
    (CLOSED, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "MAP_PRIVATE|MAP_ANONYMOUS"], EPERM),
    (CLOSED, "mmap", &["0", "1", "PROT_READ|PROT_EXEC", "0x1", "7"], EPERM),
    (CLOSED, "mmap", &["0", "1", "7", "MAP_PRIVATE|MAP_DENYWRITE", "7"], EPERM),
    (CLOSED, "mprotect", &["0", "1", "PROT_READ|PROT_EXEC"], EPERM),
    (CLOSED, "memfd_create", &["path"], EPERM),
    // Threads, and no processes.
    (CLOSED, "clone", &["0x3d0f00"], Allow),
    (CLOSED, "clone", &["SIGCHLD"], EPERM),
    (CLOSED, "clone", &["0x103d0f00"], EPERM),
    (CLOSED, "clone3", &["path"], ENOSYS),
    (CLOSED, "execve", &["path"], EPERM),
    // Signals to itself, and no hands on the end of the CPU time.
    (CLOSED, "kill", &["SELF", "9"], Allow),
    (CLOSED, "kill", &["1", "0"], EPERM),
    (CLOSED, "kill", &["0", "9"], EPERM),
    (CLOSED, "kill", &["0xffffffff", "9"], EPERM),
    (CLOSED, "tgkill", &["SELF", "7", "6"], Allow),
    (CLOSED, "tgkill", &["7", "7", "6"], EPERM),
    (CLOSED, "tkill", &["SELF", "6"], EPERM),
    (CLOSED, "rt_sigaction", &["SIGINT"], Allow),
    (CLOSED, "rt_sigaction", &["15"], Allow),
    (CLOSED, "rt_sigaction", &["23"], Allow),
    (CLOSED, "rt_sigaction", &["24"], EPERM),
    (CLOSED, "rt_sigaction", &["SIGXFSZ"], Allow),
    (CLOSED, "rt_sigaction", &["31"], EPERM),
    (CLOSED, "rt_sigaction", &["34"], Allow),
    (CLOSED, "rt_sigaction", &["64"], Allow),
    (CLOSED, "prlimit64", &["0", "0", "0"], Allow),
    (CLOSED, "prlimit64", &["0", "0", "path"], EPERM),
    (CLOSED, "prlimit64", &["7", "0", "0"], EPERM),
    // Sockets: pairs only, and nothing is sent to an address.
    (CLOSED, "socket", &["AF_UNIX", "SOCK_STREAM", "0"], EPERM),
    (CLOSED, "socketpair", &["AF_UNIX", "SOCK_STREAM|SOCK_CLOEXEC", "0"], Allow),
    (CLOSED, "socketpair", &["2", "SOCK_STREAM|SOCK_CLOEXEC", "0"], EPERM),
    (CLOSED, "sendto", &["7", "path", "1", "0", "0"], Allow),
    (CLOSED, "sendto", &["7", "path", "1", "0", "path"], EPERM),
    (CLOSED, "sendto", &["7", "path", "1", "0", "high"], EPERM),
    (CLOSED, "sendmsg", &["7", "path"], EPERM),
    (CLOSED, "connect", &["7", "path"], EPERM),
    (CLOSED, "ioctl", &["0", "FIOCLEX"], Allow),
    (CLOSED, "ioctl", &["0", "TIOCSTI"], Kill),
];

const JIT: &[&str] = &["jit"];
const JIT_NET: &[&str] = &["connect", "listen", "jit"];
const JIT_WRITE: &[&str] = &["write", "jit"];

const NODE: &[Row] = &[
    // Memory that is executable: never from files, never at once, and without the compiler not at all.
    (JIT, "mprotect", &["0", "0x1000", "PROT_READ|PROT_EXEC"], Allow),
    (JIT, "mprotect", &["0", "0x1000", "PROT_READ|PROT_WRITE|PROT_EXEC"], Allow),
    (JIT, "mprotect", &["0", "0x1000", "PROT_EXEC"], EPERM),
    (JIT, "mprotect", &["0", "0x1000", "PROT_WRITE|PROT_EXEC"], EPERM),
    (CLOSED, "mprotect", &["0", "0x1000", "PROT_READ|PROT_EXEC"], EPERM),
    (CLOSED, "mprotect", &["0", "0x1000", "PROT_READ|PROT_WRITE|PROT_EXEC"], EPERM),
    (JIT, "mmap", &["0", "0x1000", "PROT_READ|PROT_EXEC", "MAP_PRIVATE"], EPERM),
    (JIT, "mmap", &["0", "0x1000", "PROT_READ|PROT_EXEC", "MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE"], EPERM),
    (JIT, "mmap", &["0", "0x1000", "PROT_READ|PROT_WRITE|PROT_EXEC", "MAP_PRIVATE|MAP_ANONYMOUS"], EPERM),
    (JIT, "pkey_mprotect", &["0", "0x1000", "PROT_READ|PROT_EXEC"], ENOSYS),
    // Threads, and no processes.
    (JIT, "clone", &["0x3d0f00"], Allow),
    (JIT, "clone", &["0x1200011"], EPERM),
    (JIT, "clone3", &["path"], ENOSYS),
    (JIT, "vfork", &[], EPERM),
    (JIT, "execve", &["path"], EPERM),
    (JIT, "io_uring_setup", &["8"], ENOSYS),
    // Sockets.
    (JIT, "socket", &["AF_INET", "SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC", "0"], EPERM),
    (JIT, "socketpair", &["AF_UNIX", "SOCK_STREAM|SOCK_CLOEXEC", "0"], EPERM),
    (JIT_NET, "socket", &["AF_INET6", "SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC", "0"], Allow),
    (JIT_NET, "socket", &["AF_UNIX", "SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC", "0"], EPERM),
    (JIT, "sendmsg", &["3", "path", "0"], EPERM),
    // Files.
    (JIT, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_CLOEXEC"], Allow),
    (JIT, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC|O_CLOEXEC"], EACCES),
    (JIT, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC"], EACCES),
    (JIT_WRITE, "openat", &["AT_FDCWD", "path", "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC"], Allow),
    (JIT_WRITE, "openat", &["AT_FDCWD", "path", "O_RDONLY|O_TRUNC|O_CLOEXEC"], EACCES),
    (JIT_WRITE, "fchmod", &["3", "0x1ff"], EPERM),
    (JIT_WRITE, "symlink", &["path", "path"], EACCES),
    (JIT_WRITE, "mkdir", &["path"], Allow),
    (JIT, "mkdir", &["path"], EACCES),
    // Signals to others, and handlers for the end of the run.
    (JIT, "kill", &["1", "0"], EPERM),
    (JIT, "rt_sigaction", &["24"], EPERM),
    (JIT, "rt_sigaction", &["31"], EPERM),
    (JIT, "rt_sigaction", &["15"], Allow),
    (JIT, "prctl", &["4", "1"], EPERM),
    (JIT, "capset", &["path"], EPERM),
];

fn word(text: &str, arch: Arch) -> u64 {
    let part = |part: &str| match (part, part.strip_prefix("0x")) {
        ("path", _) => 0x7fff_1234_5678,
        ("high", _) => 1 << 32,
        (_, Some(digits)) => u64::from_str_radix(digits, 16).expect("a number"),
        _ => part.parse().ok().or_else(|| constant_value(part, arch).map(u64::from)).expect("a constant"),
    };
    text.split('|').map(part).fold(0, |all, bits| all | bits)
}

fn arguments(words: &[&str], arch: Arch) -> [u64; 6] {
    let mut args = [ANYWHERE; 6];
    for (arg, text) in args.iter_mut().zip(words) {
        *arg = word(text, arch);
    }
    args
}

fn program(host: &str, grants: &[&str], arch: Arch) -> Program {
    load(filters_directory(), host, grants).expect("the lists").compile(arch)
}

fn check(host: &str, (grants, name, words, expected): &Row, arch: Arch) {
    if let Some(number) = Call::named(name).expect(name).number(arch) {
        let decision = program(host, grants, arch).run(arch.token(), number, &arguments(words, arch));
        assert_eq!(decision, *expected, "{host}, {arch:?}, grants {grants:?}: {name} {words:?}");
    }
}

#[test]
fn the_lists_say_what_the_table_says() {
    for arch in Arch::ALL {
        ROWS.iter().for_each(|row| check("hlua", row, arch));
        PYTHON.iter().for_each(|row| check("hpython", row, arch));
        NODE.iter().for_each(|row| check("hnode", row, arch));
    }
}

/// connect, bind and sendmsg, which the network's grants open, would point one of a pair of datagram sockets at any
/// socket by path. So no host makes such a pair.
#[test]
fn no_host_makes_pairs_of_datagram_sockets() {
    let entries = std::fs::read_dir(filters_directory()).expect("the directory");
    let names = entries.filter_map(|entry| entry.expect("an entry").file_name().into_string().ok());
    let hosts = names.filter_map(|name| name.strip_suffix(".filter").map(str::to_owned));
    let hosts: Vec<_> = hosts.filter(|name| name.starts_with('h') && !name.contains('+')).collect();
    assert!(hosts.iter().any(|host| host == "hlua"));
    for host in hosts {
        let rules = load(filters_directory(), &host, EVERYTHING).expect("the lists");
        for arch in Arch::ALL {
            let number = Call::named("socketpair").and_then(|call| call.number(arch)).expect("a number");
            for flags in [0, 0o4000, 0o2000000, 0o2004000] {
                for family in [1, 2, 10] {
                    let made = rules.decide(arch, number, &[family, 2 | flags, 0, 0, 0, 0]);
                    assert_eq!(made, EPERM, "{host} on {arch:?}: {family} {flags:o}");
                }
            }
        }
    }
}

/// glibc's words for the flags, written out, so that a wrong constant is not hidden by using it twice.
#[test]
fn words_of_the_c_library_on_x86_64() {
    let rows = [
        (LUA, 0x8_0000, Allow),    // fopen "re"
        (LUA, 0x241, EACCES),      // fopen "w"
        (WRITE, 0x241, Allow),     // fopen "w"
        (WRITE, 0x441, Allow),     // fopen "a"
        (WRITE, 0x2, Allow),       // fopen "r+"
        (WRITE, 0x242, Allow),     // fopen "w+"
        (WRITE, 0x442, Allow),     // fopen "a+"
        (WRITE, 0xc2, Allow),      // mkstemp
        (WRITE, 0x41_0082, Allow), // tmpfile
        (RUN, 0x9_0800, Allow),    // opendir
        (RUN, 0x41_0082, EACCES),  // tmpfile
        (BOTH, 0x41_0082, Allow),  // tmpfile
    ];
    for (grants, flags, expected) in rows {
        let args = [0xffff_ff9c, 0x7fff_0000_0000, flags, 0, 0, 0];
        assert_eq!(program("hlua", grants, Arch::X86_64).run(0xc000_003e, 257, &args), expected, "{flags:x}");
    }
}
