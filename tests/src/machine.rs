//! What this machine has. A case that needs more is shown as skipped, with the reason.

use crate::binaries::Binaries;
use crate::expect::outcome;
use crate::identity::Identity;
use crate::job::Job;
use crate::sys;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Features that are there if the probe's action succeeds outside the sandbox.
const PROBED: &[(&str, &str)] = &[
    ("io_uring", "io-uring"),
    ("userns", "unshare-user"),
    ("memfd_secret", "call memfd_secret 0"),
    ("mptcp", "call socket AF_INET SOCK_STREAM 262"),
    ("vsock", "call socket AF_VSOCK SOCK_STREAM 0"),
    ("af_alg", "call socket AF_ALG SOCK_SEQPACKET 0"),
    ("perf", "perf-event"),
    ("mq", "mq"),
    ("sysv", "sysv-shm"),
    ("keys", "call keyctl 0 -2 0"),
    ("userfaultfd", "call userfaultfd O_CLOEXEC|1"),
    ("int80", "int80"),
    ("vsyscall", "vsyscall-getcpu"),
    ("handles", "name-to-handle /"),
    // Of the directory for temporary files: Linux 6.6 was the first to keep them in memory.
    ("xattr", "call getxattr \"/tmp\" \"user.x\" buf 16"),
    ("ptrace-others", "call process_mrelease -1 0"),
];

/// Answers are kept: a feature is probed once for each account.
pub struct Machine<'a> {
    binaries: &'a Binaries,
    known: Mutex<BTreeMap<(String, bool), Option<String>>>,
}

impl<'a> Machine<'a> {
    /// Nothing is probed yet.
    pub fn new(binaries: &'a Binaries) -> Machine<'a> {
        Machine { binaries, known: Mutex::default() }
    }

    /// Why `need` is not met; `None` if it is.
    pub fn lacks(&self, need: &str, identity: Identity) -> Option<String> {
        let key = (need.to_owned(), identity == Identity::Root);
        let mut known = self.known.lock().ok()?;
        known.entry(key).or_insert_with(|| self.find_out(need, identity)).clone()
    }

    fn find_out(&self, need: &str, identity: Identity) -> Option<String> {
        if let Some(least) = need.strip_prefix("landlock-abi>=") {
            let have = sys::landlock_abi();
            let met = least.parse::<i64>().is_ok_and(|least| have >= least);
            return (!met).then(|| format!("Landlock ABI {have} is not {least} or later"));
        }
        if let Some(file) = need.strip_prefix("file:") {
            return (!Path::new(file).exists()).then(|| format!("there is no {file}"));
        }
        if need == "tiocsti" {
            let setting = fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti");
            let off = setting.is_ok_and(|s| s.trim() == "0") && identity != Identity::Root;
            return off.then(|| "dev.tty.legacy_tiocsti is 0".to_owned());
        }
        match PROBED.iter().find(|(name, _)| *name == need) {
            Some((_, action)) => self.probe(action, identity),
            None => Some(format!("nobody knows what {need} is")),
        }
    }

    fn probe(&self, action: &str, identity: Identity) -> Option<String> {
        let job = Job {
            program: self.binaries.probe.clone(),
            args: vec!["--bare".into(), action.into()],
            directory: PathBuf::from("/"),
            identity: Some(identity),
            ..Job::default()
        };
        match job.run() {
            // That there is none of this name is an answer as well.
            Ok(ran) if ["ok", "ENODATA"].contains(&outcome(&ran).as_str()) => None,
            Ok(ran) => Some(format!("`{action}` gives {} here", outcome(&ran))),
            Err(error) => Some(error),
        }
    }
}
