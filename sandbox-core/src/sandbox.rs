//! The doors: prepared, then closed in order. Each step consumes the one before.

use std::fs::File;
use std::io;

use landlock::ABI;

use crate::bounds::{Bounds, Memory};
use crate::calls::{Filter, Grants};
use crate::descriptors;
use crate::expiry;
use crate::failure::Failure;
use crate::files::Domain;
use crate::kernel;
use crate::limits::{self, Budget};
use crate::options::Without;
use crate::policy::Policy;
use crate::privileges;
use crate::profile::Profile;
use crate::service;
use crate::units::Limit;

/// Everything that can fail for a reason of the user's has not failed; nothing is closed yet.
#[derive(Debug)]
#[must_use]
pub struct Sandbox {
    domain: Option<Domain>,
    filter: Option<Filter>,
    bounds: Bounds,
    profile: &'static Profile,
    service: Option<service::Client>,
}

/// Files, network, limits and privileges are closed.
#[derive(Debug)]
#[must_use]
pub struct Confined {
    filter: Option<Filter>,
    service: Option<service::Client>,
    pub(crate) bounds: Bounds,
    pub(crate) memory: Memory,
}

/// System calls are closed as well: the proof that running a script asks for.
#[derive(Debug)]
#[must_use]
pub struct Sealed(());

impl Sandbox {
    /// Opens the granted paths, builds the rules, chooses the filter. `script` is the descriptor
    /// through which the script was read.
    ///
    /// # Errors
    /// What the kernel lacks, a grant that cannot be opened, a limit that cannot hold.
    pub fn prepare(
        policy: &Policy,
        profile: &'static Profile,
        script: Option<&File>,
        private: Option<&File>,
    ) -> Result<Self, Failure> {
        let abi = required_landlock(policy)?;
        let filter = required_seccomp(policy)?
            .then(|| Filter::choose(profile.filters, Grants::of(policy, abi >= ABI::V6)))
            .transpose()?;
        // Before anything needs a descriptor: too few are to be named.
        let bounds = Bounds::of(policy, profile, tasks(policy, profile)?)?;
        let domain = match abi {
            ABI::Unsupported => None,
            abi => Some(Domain::new(policy, script, private, abi)?),
        };
        Ok(Sandbox { domain, filter, bounds, profile, service: None })
    }

    /// Takes the line to the monitor, which answers calls of the run.
    pub(crate) fn with(self, service: Option<service::Client>) -> Self {
        Sandbox { service, ..self }
    }

    /// Closes files, network, limits and privileges of this thread, the only one.
    ///
    /// # Errors
    /// The step that the kernel refused. Some doors may be closed then; the caller must end the
    /// process.
    pub fn confine(self) -> Result<Confined, Failure> {
        match kernel::is_single_threaded() {
            Ok(true) => {}
            Ok(false) => return Err(Failure::Threads),
            Err(error) => return Err(Failure::step("look for other threads", &error)),
        }
        let memory = self.bounds.memory()?;
        descriptors::keep_directions()?;
        if !self.profile.launches {
            expiry::arrange(self.profile.name, &self.bounds)?;
        }
        privileges::drop_capabilities()?;
        self.bounds.set()?;
        privileges::set_no_new_privs()?;
        // Who reopens descriptors by name (`/dev/fd/63`) must own its own entries in /proc. Of other processes of the run
        // Landlock and the filter keep it apart.
        if !self.profile.launches {
            privileges::set_not_dumpable()?;
        }
        if let Some(domain) = self.domain {
            domain.enter()?;
        }
        Ok(Confined { filter: self.filter, service: self.service, bounds: self.bounds, memory })
    }
}

impl Confined {
    /// The script's memory in bytes, if it is limited: what the budget gives, or less where a limit of
    /// the process leaves less, so that the host's count ends before the kernel's does.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        (self.memory.bytes != rlimit::INFINITY).then_some(self.memory.bytes)
    }

    /// Closes system calls on every thread.
    ///
    /// # Errors
    /// As [`Sandbox::confine`].
    pub fn seal(self) -> Result<Sealed, Failure> {
        if let Some(filter) = self.filter {
            if let Some(service) = self.service {
                service.enter()?;
            }
            filter.load()?;
        }
        Ok(Sealed(()))
    }
}

/// The Landlock ABI to use; unsupported only where the policy goes without.
fn required_landlock(policy: &Policy) -> Result<ABI, Failure> {
    if policy.goes_without(Without::Landlock) {
        return Ok(ABI::Unsupported);
    }
    kernel::landlock().map_err(|source| Failure::Kernel {
        what: "Landlock, which closes files (CONFIG_SECURITY_LANDLOCK, and landlock in lsm=)",
        without: Some(Without::Landlock.name()),
        source,
    })
}

fn required_seccomp(policy: &Policy) -> Result<bool, Failure> {
    if policy.goes_without(Without::Seccomp) {
        return Ok(false);
    }
    kernel::seccomp().map(|()| true).map_err(|source| Failure::Kernel {
        what: "seccomp filters, which close system calls (CONFIG_SECCOMP_FILTER)",
        without: Some(Without::Seccomp.name()),
        source,
    })
}

/// The user's limit of tasks: the kernel counts all that the user has, wherever they run.
///
/// A script that starts no programs gets no process, whoever runs it, because the filter refuses them. Its threads, if the
/// language has any, are bounded by what the whole machine has now: counting the user's costs more than a start may.
fn tasks(policy: &Policy, profile: &Profile) -> Result<Option<u64>, Failure> {
    let Limit::At(more) = policy.limits.get(Budget::Processes) else {
        return Ok(None);
    };
    if !policy.runs_programs() {
        return Ok(Some(if profile.threads { kernel::tasks().saturating_add(more) } else { 0 }));
    }
    let user = kernel::user();
    match user {
        // The monitor is asked for each instead.
        0 if profile.launches => return Ok(None),
        0 => return Err(Failure::RootProcesses),
        _ => {}
    }
    let now = match limits::tasks_of(user) {
        // We are inside a sandbox that closes /proc, and whose own limit holds.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => kernel::tasks(),
        now => now.map_err(|error: io::Error| Failure::step("count tasks in /proc", &error))?,
    };
    // The monitor is still to come.
    Ok(Some(now.saturating_add(1).saturating_add(more)))
}
