//! One program run with everything about it decided: input, output, descriptors, account, deadline.

use crate::Result;
use crate::identity::Identity;
use crate::inspect::{self, Inspection};
use crate::sys::{self, ChildPlan};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long any run may take. Nothing is ever asserted about time: this only ends what hangs.
pub const TIMEOUT: Duration = Duration::from_secs(100);

/// How long the output may stay open after the program has ended.
const DRAIN: Duration = Duration::from_secs(10);

/// Where standard input comes from.
#[derive(Clone, Debug, Default)]
pub enum Input {
    /// Nothing to read.
    #[default]
    Null,
    /// These bytes, through a pipe.
    Bytes(Vec<u8>),
    /// A file.
    File(PathBuf),
    /// A pseudo terminal that is the controlling one; each line is typed when the program waits for it.
    Terminal(Vec<u8>),
    /// Descriptor 0 is closed.
    Closed,
}

/// Where an output goes.
#[derive(Clone, Debug, Default)]
pub enum Output {
    /// Read and returned.
    #[default]
    Captured,
    /// Written to a file or device.
    File(PathBuf),
    /// Shown on the terminal that standard input is, and read from it.
    Terminal,
    /// The descriptor is closed.
    Closed,
}

/// Something done to the program once it has said `ready`.
#[derive(Clone, Debug)]
pub enum Event {
    /// Send it a signal.
    Signal(i32),
    /// Look at it from outside; then its standard input is closed.
    Inspect,
}

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The program's file.
    pub program: PathBuf,
    /// What it is told to be called.
    pub argv0: Option<OsString>,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its environment, whole.
    pub environment: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Its standard input.
    pub input: Input,
    /// Its standard output.
    pub output: Output,
    /// Its standard error.
    pub errors: Output,
    /// Files that it finds open, by descriptor number.
    pub inherit: Vec<(RawFd, PathBuf)>,
    /// Who it runs as; `None`: whoever we are.
    pub identity: Option<Identity>,
    /// What happens once it has said `ready` on its standard output.
    pub event: Option<Event>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Ran {
    /// Its exit status, if it exited.
    pub status: Option<i32>,
    /// The signal it died of, if it did.
    pub signal: Option<i32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
    /// What was seen from outside.
    pub inspected: Inspection,
}

impl Job {
    /// Run it to its end.
    pub fn run(&self) -> Result<Ran> {
        let what = format!("{} {:?}", self.program.display(), self.args);
        self.start()
            .map_err(|e| format!("cannot start {what}: {e}"))?
            .finish()
            .map_err(|e| format!("{what}: {e}"))
    }

    fn start(&self) -> io::Result<Running> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory);
        if let Some(name) = &self.argv0 {
            command.arg0(name);
        }
        let mut plan = self.plan()?;
        let terminal = self.connect(&mut command, &mut plan)?;
        sys::prepare(&mut command, plan);
        let child = command.spawn()?;
        drop(command);
        Ok(Running::new(child, self, terminal))
    }

    fn plan(&self) -> io::Result<ChildPlan> {
        let mut plan = ChildPlan {
            account: self.identity.and_then(Identity::account),
            controlling_terminal: matches!(self.input, Input::Terminal(_)),
            ..ChildPlan::default()
        };
        for (number, path) in &self.inherit {
            plan.inherit.push((File::open(path)?.into(), *number));
        }
        Ok(plan)
    }

    /// Connect the three standard descriptors; gives the emulator's side of a terminal.
    fn connect(&self, command: &mut Command, plan: &mut ChildPlan) -> io::Result<Option<OwnedFd>> {
        let (mut terminal, mut screen) = (None, None);
        command.stdin(match &self.input {
            Input::Null => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(path) => File::open(path)?.into(),
            Input::Terminal(_) => {
                let (emulator, program) = sys::terminal()?;
                terminal = Some(emulator);
                screen = Some(program.try_clone()?);
                program.into()
            }
            Input::Closed => {
                plan.close.push(0);
                Stdio::null()
            }
        });
        let screen = match (&self.output, screen) {
            (Output::Terminal, Some(program)) => program.into(),
            (output, _) => stdio(output, 1, plan)?,
        };
        command.stdout(screen);
        command.stderr(stdio(&self.errors, 2, plan)?);
        Ok(terminal)
    }
}

fn stdio(output: &Output, number: RawFd, plan: &mut ChildPlan) -> io::Result<Stdio> {
    Ok(match output {
        Output::Captured | Output::Terminal => Stdio::piped(),
        Output::File(path) => File::options().write(true).open(path)?.into(),
        Output::Closed => {
            plan.close.push(number);
            Stdio::null()
        }
    })
}

struct Running {
    child: Child,
    event: Option<Event>,
    stdin: Option<Box<dyn Write + Send>>,
    typed: Vec<u8>,
    /// The emulator stays open until the end: closing it hangs the program up.
    terminal: Option<OwnedFd>,
    stdout: Option<Drain>,
    stderr: Option<Drain>,
    ready: Receiver<Option<u32>>,
}

impl Running {
    fn new(mut child: Child, job: &Job, terminal: Option<OwnedFd>) -> Running {
        let (said, ready) = mpsc::channel();
        let emulator = || Some(File::from(terminal.as_ref()?.try_clone().ok()?));
        let stdout = match (child.stdout.take(), &job.output) {
            (Some(pipe), _) => Some(Drain::new(pipe, Some(said))),
            (None, Output::Terminal) => emulator().map(|e| Drain::new(e, Some(said))),
            _ => None,
        };
        let stderr = child.stderr.take().map(|o| Drain::new(o, None));
        let mut stdin: Option<Box<dyn Write + Send>> = None;
        if let Some(pipe) = child.stdin.take() {
            stdin = Some(Box::new(pipe));
        }
        if let Some(emulator) = emulator() {
            stdin = Some(Box::new(emulator));
        }
        let typed = match &job.input {
            Input::Bytes(bytes) | Input::Terminal(bytes) => bytes.clone(),
            _ => Vec::new(),
        };
        Running { child, event: job.event.clone(), stdin, typed, terminal, stdout, stderr, ready }
    }

    fn finish(mut self) -> Result<Ran> {
        let deadline = Instant::now() + TIMEOUT;
        let mut inspected = Inspection::default();
        let writer = match self.event.take() {
            None => self.feed(),
            Some(event) => {
                inspected = self.happen(&event);
                self.stdin = None;
                None
            }
        };
        let waited = sys::wait_until(&mut self.child, deadline);
        // Whatever it started goes with it, so that nothing keeps the output open.
        sys::kill_group(self.child.id());
        let status = match waited {
            Ok(Some(status)) => status,
            Ok(None) => {
                let _ = self.child.wait();
                return Err(format!("still running after {} s", TIMEOUT.as_secs()));
            }
            Err(error) => return Err(format!("cannot wait: {error}")),
        };
        drop(self.terminal.take());
        drop(writer);
        self.collect(status, inspected)
    }

    fn collect(self, status: ExitStatus, inspected: Inspection) -> Result<Ran> {
        Ok(Ran {
            status: status.code(),
            signal: status.signal(),
            stdout: self.stdout.map_or(Ok(Vec::new()), Drain::finish)?,
            stderr: self.stderr.map_or(Ok(Vec::new()), Drain::finish)?,
            inspected,
        })
    }

    /// Write standard input beside everything else, so that no pipe can fill up and stop us.
    fn feed(&mut self) -> Option<JoinHandle<()>> {
        let mut stdin = self.stdin.take()?;
        let typed = std::mem::take(&mut self.typed);
        let person = self.terminal.is_some().then(|| self.child.id());
        Some(thread::spawn(move || {
            // A program that does not read its input is its own affair.
            let _ = match person {
                None => stdin.write_all(&typed),
                Some(pid) => typed.split_inclusive(|b| *b == b'\n').try_for_each(|line| {
                    inspect::settle(inspect::last_child(pid), TIMEOUT);
                    stdin.write_all(line)
                }),
            };
        }))
    }

    fn happen(&mut self, event: &Event) -> Inspection {
        let Ok(pid) = self.ready.recv_timeout(TIMEOUT) else {
            return Inspection::default();
        };
        match event {
            Event::Signal(number) => {
                let pid = pid.unwrap_or(self.child.id());
                inspect::settle(pid, TIMEOUT);
                sys::signal(pid, *number);
                Inspection::default()
            }
            Event::Inspect => inspect::process(pid.unwrap_or(self.child.id())),
        }
    }
}

/// Reads an output to its end in the background.
struct Drain {
    done: Receiver<Vec<u8>>,
}

impl Drain {
    fn new(mut output: impl Read + Send + 'static, ready: Option<Sender<Option<u32>>>) -> Drain {
        let (send, done) = mpsc::channel();
        thread::spawn(move || {
            let mut all = Vec::new();
            let mut part = vec![0; 1 << 16];
            while let Ok(count @ 1..) = output.read(&mut part) {
                all.extend_from_slice(&part[..count]);
                if let Some(ready) = &ready {
                    announce(&all, ready);
                }
            }
            let _ = send.send(all);
        });
        Drain { done }
    }

    fn finish(self) -> Result<Vec<u8>> {
        self.done
            .recv_timeout(DRAIN)
            .map_err(|_| "the output stayed open after the program had ended".to_owned())
    }
}

/// Tell whoever waits that the program has said `ready`, and as which process if it said that too.
fn announce(said: &[u8], ready: &Sender<Option<u32>>) {
    let text = String::from_utf8_lossy(&said[..said.len().min(4096)]);
    for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
        if let Some(rest) = line.strip_prefix("ready") {
            // The receiver is gone once the event has happened.
            let _ = ready.send(rest.trim().parse().ok());
        }
    }
}
