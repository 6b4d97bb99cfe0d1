//! What the monitor does for the run while it runs: it answers calls that wait for it (seccomp_unotify(2)).
//!
//! Where the policy lets programs change files, modes and times ([`crate::metadata`]). And for root, whom the kernel exempts from
//! the limit on processes, every new task: without that a script could fill the machine before anybody looks.

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::kernel;
use crate::limits::Budget;
use crate::metadata::{self, Roots};
use crate::notify::{self, Answer, Call, Listener, Verdict};
use crate::options::Without;
use crate::policy::Policy;
use crate::privileges;
use crate::tree::Tree;
use crate::units::Limit;

/// The calls that make a task.
#[cfg(target_arch = "x86_64")]
const TASKS: [libc::c_long; 3] = [libc::SYS_clone, libc::SYS_fork, libc::SYS_vfork];
#[cfg(target_arch = "aarch64")]
const TASKS: [libc::c_long; 1] = [libc::SYS_clone];

/// The run's side: what hands the listener to the monitor.
#[derive(Debug)]
pub(crate) struct Client {
    stream: UnixStream,
    files: bool,
    tasks: bool,
    /// Whether nothing could be lost any more when we were started: we are inside a sandbox, and its monitor counts.
    inside: bool,
}

/// The monitor's side.
#[derive(Debug)]
pub(crate) struct Server {
    stream: UnixStream,
    roots: Roots,
    tasks: Option<Tasks>,
}

/// Both sides, where there is something to answer.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn pair(policy: &Policy, private: Option<&File>) -> Result<Option<(Client, Server)>, Failure> {
    let failed = |error: io::Error| Failure::step("open a line to the monitor", &error);
    let files = policy.links && policy.writes();
    let limit = match policy.limits.get(Budget::Processes) {
        Limit::At(most) if policy.links && kernel::user() == 0 => Some(most),
        _ => None,
    };
    if !(files || limit.is_some()) || policy.goes_without(Without::Seccomp) {
        return Ok(None);
    }
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let inside = privileges::has_none();
    let client = Client { stream: ours, files, tasks: limit.is_some(), inside };
    Ok(Some((
        client,
        Server { stream: theirs, roots: Roots::of(policy, private), tasks: limit.map(Tasks::new) },
    )))
}

impl Client {
    /// From here on the calls wait for the monitor. Where somebody around us listens to calls already, or the kernel knows no
    /// listeners, files are not changed: whoever listens would do it by other grants than ours. Tasks are counted by the
    /// monitor around us then, if there is one.
    ///
    /// # Errors
    /// [`Failure::Step`], [`Failure::RootProcesses`] where nobody counts.
    pub(crate) fn enter(self) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::step("let the monitor answer calls", &error);
        let files = if self.files { &metadata::CALLS[..] } else { &[] };
        let tasks = if self.tasks { &TASKS[..] } else { &[] };
        match notify::load(&[files, tasks].concat(), Verdict::Ask) {
            Ok(listener) => listener.map_or(Ok(()), |listener| listener.send(&self.stream).map_err(failed)),
            Err(_) if self.tasks && !self.inside => Err(Failure::RootProcesses),
            Err(_) if files.is_empty() => Ok(()),
            Err(_) => notify::load(files, Verdict::Refuse(libc::EPERM)).map(drop).map_err(failed),
        }
    }
}

impl Server {
    /// Answers calls beside the monitor's other work, without any capability.
    pub(crate) fn start(mut self) {
        thread::spawn(move || {
            // Before calls that wait are interrupted by signals.
            privileges::hurry();
            // Who keeps privileges answers nothing: the calls fail when the run ends.
            if privileges::drop_capabilities().is_err() {
                return;
            }
            let Some(listener) = Listener::receive(&self.stream) else {
                return;
            };
            listener.hurry();
            while let Some(call) = listener.next() {
                let answer = self.answer(&listener, &call);
                listener.answer(&call, answer);
            }
        });
    }

    fn answer(&mut self, listener: &Listener, call: &Call) -> Answer {
        match &mut self.tasks {
            Some(tasks) if TASKS.contains(&call.number()) => tasks.answer(),
            _ => Answer::Done(self.roots.perform(listener, call)),
        }
    }
}

/// The tasks of a run, counted from above: those that were there at the last look, and all that were let begin since.
#[derive(Debug)]
struct Tasks {
    most: u64,
    bound: u64,
    looked: Option<Instant>,
}

/// How often we look how many are left: a script that is at its limit and goes on trying is not to keep us busy. It waits; a
/// refusal by an old count would hit scripts whose many tasks have ended meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

impl Tasks {
    fn new(most: u64) -> Self {
        Tasks { most, bound: 0, looked: None }
    }

    fn answer(&mut self) -> Answer {
        if self.bound >= self.most {
            let since = self.looked.map_or(PAUSE, |looked| looked.elapsed());
            thread::sleep(PAUSE.saturating_sub(since));
            self.bound = Tree::look().tasks();
            self.looked = Some(Instant::now());
        }
        if self.bound >= self.most {
            return Answer::Done(Err(io::Error::from_raw_os_error(libc::EAGAIN)));
        }
        self.bound += 1;
        Answer::Proceed
    }
}
