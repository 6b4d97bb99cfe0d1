//! What the probe can do.

use crate::outcome::Outcome;
use crate::sys::{self, raw};
use crate::{calls, network, words};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

/// The writable memory of the process, noted before the doors: behind them there is no way to ask.
static MEMORY: OnceLock<Vec<(usize, usize)>> = OnceLock::new();

/// The lines on standard input, for an action that wants them: reading comes before the doors.
static LINES: OnceLock<String> = OnceLock::new();

/// Note what can only be found out outside.
pub fn remember(action: &str) {
    if action == "batch" {
        let lines = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
        // A second call finds the first one's answer.
        let _ = LINES.set(lines);
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let ranges = maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((address(start)?, address(end)?))
    });
    // A second call finds the first one's answer.
    let _ = MEMORY.set(ranges.collect());
}

/// Do what the words say.
pub fn perform(line: &[String]) -> Outcome {
    let Some((action, rest)) = line.split_first() else {
        return Outcome::Said("no action".to_owned());
    };
    let first = rest.first().map_or("", |w| words::text(w));
    match action.as_str() {
        "call" => call(rest),
        "batch" => batch(),
        "ready-call" => {
            say_ready();
            call(rest)
        }
        "pause" => pause(),
        "fork" | "raw-fork" | "clone3" | "clone-newuser" => sys::child(action),
        "vfork" => sys::vfork(),
        "forks" => sys::many_children(first.parse().unwrap_or(1)),
        "thread" => Outcome::from_io(std::thread::Builder::new().spawn(|| {})),
        "unshare-user" => named("unshare", &["CLONE_NEWUSER"]),
        "int80" => sys::int80(),
        "vsyscall-getcpu" => sys::vsyscall_getcpu(),
        "find-secret" => found(first),
        "exec" => executed(libc::SYS_execve, -1, first, rest, 0),
        "execveat" => executed(libc::SYS_execveat, libc::AT_FDCWD, first, rest, 0),
        "exec-memfd" => exec_memfd(first, rest),
        "exec-descriptor" => exec_descriptor(first, rest),
        "nested" => nested(first, &rest[1..]),
        "without" => without(first, &rest[1..]),
        "seccomp-listener" => listener(),
        "seccomp-allow" => of(sys::install(sys::permissive(), 0)),
        "opath-reopen" => reopen(first),
        "inherited-reopen" => Outcome::from_io(std::fs::File::open(format!("/dev/fd/{first}"))),
        "mprotect-exec" => mprotect_exec("mprotect"),
        "pkey-mprotect-exec" => mprotect_exec("pkey_mprotect"),
        "map-file-exec" => map_file_exec(first),
        "vm-read" | "vm-write" => vm(action, first),
        "memory-of" => memory_of(first),
        "perf-event" => perf_event(),
        "io-uring" => named("io_uring_setup", &["4", "buf"]),
        "mq" => message_queue(),
        "sysv-shm" | "sysv-msg" | "sysv-sem" => sysv(action),
        "name-to-handle" => name_to_handle(first),
        other => {
            network::perform(other, rest).unwrap_or_else(|| Outcome::Said(format!("unknown action {other}")))
        }
    }
}

pub fn of(result: Result<u64, i32>) -> Outcome {
    Outcome::of(result.err())
}

fn call(line: &[String]) -> Outcome {
    call_with(&[], line)
}

/// The call that `line` names, with its arguments after those that are `given`.
pub fn call_with(given: &[u64], line: &[String]) -> Outcome {
    let Some((name, arguments)) = line.split_first() else {
        return Outcome::Said("no call".to_owned());
    };
    let Some(number) = calls::number(name) else {
        return Outcome::Said(format!("unknown call {name}"));
    };
    let mut values = [0; 6];
    for (value, meant) in values.iter_mut().zip(given) {
        *value = *meant;
    }
    for (value, word) in values.iter_mut().skip(given.len()).zip(arguments) {
        match words::argument(word) {
            Ok(meant) => *value = meant,
            Err(error) => return Outcome::Said(error),
        }
    }
    of(raw(number, values))
}

fn named(name: &str, arguments: &[&str]) -> Outcome {
    let line: Vec<String> = [&[name], arguments].concat().iter().map(|s| (*s).to_owned()).collect();
    call(&line)
}

/// The result of a call whose number matters, such as a descriptor.
pub fn value(name: &str, arguments: [u64; 6]) -> Result<u64, i32> {
    raw(calls::number(name).unwrap_or(-1), arguments)
}

/// Each line of standard input is an action. Each outcome is printed before the next action, which may be the last; the
/// last outcome is printed by whoever called.
fn batch() -> Outcome {
    let mut last = Outcome::Said("nothing to do".to_owned());
    for (number, line) in LINES.get().map_or("", String::as_str).lines().enumerate() {
        if number > 0 {
            sys::write_all(1, format!("{last}\n").as_bytes());
        }
        last = perform(&words::split(line));
    }
    last
}

fn say_ready() {
    let ready = format!("ready {}\n", std::process::id());
    sys::write_all(1, ready.as_bytes());
}

fn pause() -> Outcome {
    say_ready();
    sys::read_to_end();
    Outcome::Ok
}

fn found(reversed: &str) -> Outcome {
    let ranges = MEMORY.get().map_or(&[][..], Vec::as_slice);
    if ranges.is_empty() {
        return Outcome::Said("the memory is not known".to_owned());
    }
    let holds = sys::holds(ranges, reversed.as_bytes());
    Outcome::Said(if holds { "found" } else { "not found" }.to_owned())
}

fn executed(number: i64, descriptor: i32, path: &str, rest: &[String], flags: i32) -> Outcome {
    let arguments: Vec<String> = rest.iter().map(|w| words::text(w).to_owned()).collect();
    Outcome::Errno(sys::execute(number, descriptor, path, &arguments, flags))
}

fn exec_memfd(path: &str, rest: &[String]) -> Outcome {
    let name = sys::pointer([0u8; 8]);
    let memory = match value("memfd_create", [name, 0, 0, 0, 0, 0]) {
        Ok(descriptor) => descriptor as i32,
        Err(errno) => return Outcome::Errno(errno),
    };
    let program = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Outcome::from_io::<()>(Err(error)),
    };
    sys::write_all(memory, &program);
    executed(libc::SYS_execveat, memory, "", rest, libc::AT_EMPTY_PATH)
}

fn exec_descriptor(number: &str, rest: &[String]) -> Outcome {
    let descriptor = number.parse().unwrap_or(-1);
    executed(libc::SYS_execveat, descriptor, "", rest, libc::AT_EMPTY_PATH)
}

fn nested(times: &str, command: &[String]) -> Outcome {
    for _ in 0..times.parse().unwrap_or(0) {
        if let Err(errno) = sys::nest() {
            return Outcome::Errno(errno);
        }
    }
    let program = command.first().map_or("", |w| words::text(w));
    executed(libc::SYS_execve, -1, program, command, 0)
}

fn without(names: &str, command: &[String]) -> Outcome {
    let numbers: Option<Vec<_>> = names.split(',').map(calls::number).collect();
    let Some(numbers) = numbers else {
        return Outcome::Said(format!("unknown call among {names}"));
    };
    if let Err(errno) = sys::refuse(&numbers, libc::ENOSYS) {
        return Outcome::Errno(errno);
    }
    let program = command.first().map_or("", |w| words::text(w));
    executed(libc::SYS_execve, -1, program, command, 0)
}

fn listener() -> Outcome {
    of(sys::install(sys::permissive(), libc::SECCOMP_FILTER_FLAG_NEW_LISTENER))
}

fn reopen(path: &str) -> Outcome {
    let text = words::argument(&format!("\"{path}\"")).unwrap_or(0);
    let at = libc::AT_FDCWD as u64;
    match value("openat", [at, text, libc::O_PATH as u64, 0, 0, 0]) {
        Err(errno) => Outcome::Errno(errno),
        Ok(number) => Outcome::from_io(std::fs::File::open(format!("/proc/self/fd/{number}"))),
    }
}

const PAGE: u64 = 4096;
const READ_WRITE: u64 = (libc::PROT_READ | libc::PROT_WRITE) as u64;
const READ_EXEC: u64 = (libc::PROT_READ | libc::PROT_EXEC) as u64;

fn mprotect_exec(call: &str) -> Outcome {
    let private = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
    let none = u64::MAX;
    match value("mmap", [0, PAGE, READ_WRITE, private, none, 0]) {
        Err(errno) => Outcome::Errno(errno),
        Ok(page) => of(value(call, [page, PAGE, READ_EXEC, none, 0, 0])),
    }
}

fn map_file_exec(path: &str) -> Outcome {
    match std::fs::File::open(path) {
        Err(error) => Outcome::from_io::<()>(Err(error)),
        Ok(file) => {
            let descriptor = file.as_raw_fd() as u64;
            let private = libc::MAP_PRIVATE as u64;
            of(value("mmap", [0, PAGE, READ_EXEC, private, descriptor, 0]))
        }
    }
}

/// Another process's memory through process_vm_*; the address need not be mapped there, the permission comes first.
fn vm(action: &str, pid: &str) -> Outcome {
    let room = words::argument("buf").unwrap_or(0);
    let vector = sys::pointer([room, 8]);
    let call = if action == "vm-read" { "process_vm_readv" } else { "process_vm_writev" };
    let pid = pid.parse().unwrap_or(0);
    of(value(call, [pid, vector, 1, vector, 1, 0]))
}

fn memory_of(pid: &str) -> Outcome {
    let path = format!("/proc/{pid}/mem");
    Outcome::from_io(std::fs::File::options().read(true).write(true).open(path))
}

fn perf_event() -> Outcome {
    // struct perf_event_attr: type SOFTWARE, its size, config CPU_CLOCK; then the bit that excludes the kernel.
    let mut attribute = [0u64; 16];
    attribute[0] = 1 | (112 << 32);
    attribute[5] = 1 << 5;
    let none = u64::MAX;
    of(value("perf_event_open", [sys::pointer(attribute), 0, none, none, 0, 0]))
}

fn message_queue() -> Outcome {
    let name = format!("\"casebook-{}\"", std::process::id());
    let name = words::argument(&name).unwrap_or(0);
    let flags = (libc::O_CREAT | libc::O_RDWR) as u64;
    let opened = value("mq_open", [name, flags, 0o600, 0, 0, 0]);
    if opened.is_ok() {
        // Only a control gets here; it leaves nothing behind.
        let _ = value("mq_unlink", [name, 0, 0, 0, 0, 0]);
    }
    of(opened)
}

fn sysv(action: &str) -> Outcome {
    let (get, control, size) = match action {
        "sysv-shm" => ("shmget", "shmctl", PAGE),
        "sysv-msg" => ("msgget", "msgctl", 0),
        _ => ("semget", "semctl", 1),
    };
    // msgget has its flags second.
    let flags = 0o600 | libc::IPC_CREAT as u64;
    let arguments = if get == "msgget" { [0, flags, 0] } else { [0, size, flags] };
    let [key, second, third] = arguments;
    let made = value(get, [key, second, third, 0, 0, 0]);
    if let Ok(id) = made {
        let remove = libc::IPC_RMID as u64;
        let place = if get == "semget" { [0, remove] } else { [remove, 0] };
        // Only a control gets here; it leaves nothing behind.
        let _ = value(control, [id, place[0], place[1], 0, 0, 0]);
    }
    of(made)
}

fn name_to_handle(path: &str) -> Outcome {
    let path = words::argument(&format!("\"{path}\"")).unwrap_or(0);
    let mut handle = [0u32; 64];
    handle[0] = 128;
    let at = libc::AT_FDCWD as u64;
    let mount = sys::pointer(0u64);
    of(value("name_to_handle_at", [at, path, sys::pointer(handle), mount, 0, 0]))
}
