//! What really bounds a run: of a budget, `--rlimit` and what the caller's own limits leave, the least.

use std::fs;
use std::io;

use rlimit::{INFINITY, Resource};

use crate::failure::Failure;
use crate::limits::{self, Budget, Limits};
use crate::policy::Policy;
use crate::profile::Profile;
use crate::units::Limit;

/// On whose word a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setter {
    /// A budget: its flag, its line in the policy file or its default.
    Budget(Budget),
    /// `--rlimit`, or the table of that name in the policy file.
    Rlimit,
    /// The sandbox, whatever the policy says.
    Sandbox,
    /// Whoever started us.
    Caller,
}

/// One resource limit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) resource: Resource,
    /// As its setter gave it.
    pub(crate) amount: u64,
    pub(crate) setter: Setter,
    soft: u64,
    hard: u64,
    inherited: (u64, u64),
}

/// A limit that is asked for.
type Asked = (Resource, u64, Setter);

impl Bound {
    fn of(resource: Resource, asked: &[Asked]) -> io::Result<Self> {
        // Nothing is less than nothing: what was inherited need not be asked for.
        let nothing = asked.iter().any(|(name, amount, _)| *name == resource && *amount == 0);
        let inherited = if nothing { (INFINITY, INFINITY) } else { resource.get()? };
        Ok(Self::from(resource, inherited, asked))
    }

    /// The least of what is inherited and what is asked for; between equals the later setter counts.
    fn from(resource: Resource, inherited: (u64, u64), asked: &[Asked]) -> Self {
        let grace = grace(resource);
        let (soft, hard) = inherited;
        let soft = soft.max(least(resource)).min(hard);
        let room = if hard == INFINITY { hard } else { hard.saturating_sub(grace) };
        let mut bound = Bound {
            resource,
            amount: soft.min(hard),
            setter: Setter::Caller,
            soft: soft.min(room),
            hard,
            inherited,
        };
        for (_, amount, setter) in asked.iter().filter(|(name, ..)| *name == resource) {
            bound.hard = bound.hard.min(amount.saturating_add(grace));
            if *amount <= bound.soft {
                (bound.soft, bound.amount, bound.setter) = (*amount, *amount, *setter);
            }
        }
        bound
    }

    /// Whether it is a limit at all.
    pub(crate) fn is_finite(&self) -> bool {
        self.amount != INFINITY
    }

    /// Whether the memory budget ends before this.
    fn is_wide(&self) -> bool {
        matches!(self.setter, Setter::Budget(_)) || !self.is_finite()
    }

    fn set(&self) -> Result<(), Failure> {
        if (self.soft, self.hard) == self.inherited {
            return Ok(());
        }
        let set = self.resource.set(self.soft, self.hard);
        set.map_err(|source| Failure::Limit { resource: self.resource.as_name(), source })
    }
}

/// A second of CPU time between the signal that can be explained and the one that cannot be blocked.
fn grace(resource: Resource) -> u64 {
    u64::from(resource == Resource::CPU)
}

/// Which soft limit is raised where the hard one lets it: that of cores, to what is less than nothing.
fn least(resource: Resource) -> u64 {
    if resource == Resource::CORE { limits::NO_CORE } else { 0 }
}

/// What bounds a run.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    limits: Limits,
    list: Vec<Bound>,
}

/// Address space that the host itself takes beside the script's memory.
const ROOM: u64 = 1 << 20;

/// Of a smaller stack deep recursion in an interpreter's C code makes a crash instead of an error.
const LEAST_STACK: u64 = 1 << 20;

/// What is looked at also where nobody asked for a limit: too little would be a crash or a start in
/// halves, and what ends a run is to be named.
const VITAL: [Resource; 6] =
    [Resource::AS, Resource::DATA, Resource::STACK, Resource::NOFILE, Resource::CPU, Resource::FSIZE];

impl Bounds {
    /// Works out the limits of a run; `tasks` are the user's tasks, present and to come.
    ///
    /// # Errors
    /// [`Failure::TooSmall`], whoever set the limit.
    pub(crate) fn of(policy: &Policy, profile: &Profile, tasks: Option<u64>) -> Result<Self, Failure> {
        let mut asked = limits::resources(&policy.limits, profile, tasks);
        asked.extend(policy.rlimits.iter().map(|(resource, amount)| (*resource, *amount, Setter::Rlimit)));
        let mut list: Vec<Bound> = Vec::new();
        for resource in asked.iter().map(|(resource, ..)| *resource).chain(VITAL) {
            if list.iter().all(|bound| bound.resource != resource) {
                list.push(Bound::of(resource, &asked).map_err(|error| Failure::step("read limits", &error))?);
            }
        }
        let bounds = Bounds::new(policy.limits, list);
        bounds.check(profile)?;
        Ok(bounds)
    }

    pub(crate) fn new(limits: Limits, list: Vec<Bound>) -> Self {
        Bounds { limits, list }
    }

    fn check(&self, profile: &Profile) -> Result<(), Failure> {
        for bound in &self.list {
            let least = match bound.resource {
                Resource::AS | Resource::DATA => least_space(bound, profile)?,
                Resource::STACK => LEAST_STACK,
                Resource::NOFILE => limits::LEAST_FILES,
                // A caller's hard limit has to leave the second of grace as well.
                Resource::CPU if bound.soft == 0 && bound.setter == Setter::Caller => 2,
                Resource::CPU => 1,
                _ => 0,
            };
            if bound.amount < least {
                return Err(Failure::too_small(bound, least));
            }
        }
        Ok(())
    }

    /// Sets each limit, soft and hard.
    ///
    /// Must run without `CAP_SYS_RESOURCE`, which would let a limit be raised.
    ///
    /// # Errors
    /// [`Failure::Limit`] with the resource that the kernel refused.
    pub(crate) fn set(&self) -> Result<(), Failure> {
        self.list.iter().try_for_each(Bound::set)
    }

    /// What bounds the script's memory, and how much that leaves to it; to be asked when the
    /// interpreter is up.
    ///
    /// # Errors
    /// [`Failure::Step`] when it cannot be told how much is taken already.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        let budget = match self.limits.get(Budget::Memory) {
            Limit::At(bytes) => bytes,
            Limit::None => INFINITY,
        };
        let mut memory = Memory { bytes: budget, bound: None };
        for bound in self.list.iter().filter(|bound| is_space(bound.resource) && !bound.is_wide()) {
            let left = bound.soft.saturating_sub(space_taken()? + ROOM);
            if left < memory.bytes {
                memory = Memory { bytes: left, bound: Some(*bound) };
            }
        }
        Ok(memory)
    }

    /// The budgets.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What bounds a resource.
    pub(crate) fn get(&self, resource: Resource) -> Option<&Bound> {
        self.list.iter().find(|bound| bound.resource == resource)
    }
}

/// The script's memory in bytes, [`INFINITY`] without a limit, and what bounds it if not the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) bytes: u64,
    pub(crate) bound: Option<Bound>,
}

/// The least space that will do: what is taken already, and what the interpreter needs to come up.
fn least_space(bound: &Bound, profile: &Profile) -> Result<u64, Failure> {
    if bound.is_wide() {
        return Ok(0);
    }
    Ok((space_taken()? + ROOM + profile.least_memory).next_multiple_of(1 << 20))
}

fn is_space(resource: Resource) -> bool {
    matches!(resource, Resource::AS | Resource::DATA)
}

/// What is taken for the size of a process that cannot be told: more than an interpreter has at its start.
const UNSEEN: u64 = 64 << 20;

/// The address space of this process in bytes (proc_pid_status(5)).
fn space_taken() -> Result<u64, Failure> {
    let failed = |error: io::Error| Failure::step("tell the size of this process", &error);
    let status = match fs::read_to_string("/proc/self/status") {
        // We are inside a sandbox that closes /proc.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(UNSEEN),
        status => status.map_err(failed)?,
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: (u64, u64) = (INFINITY, INFINITY);

    fn bound(inherited: (u64, u64), asked: &[(u64, Setter)]) -> (u64, u64, u64, Setter) {
        let asked: Vec<Asked> =
            asked.iter().map(|(amount, setter)| (Resource::CPU, *amount, *setter)).collect();
        let bound = Bound::from(Resource::CPU, inherited, &asked);
        (bound.soft, bound.hard, bound.amount, bound.setter)
    }

    #[test]
    fn the_least_limit_counts_and_its_setter_is_known() {
        let budget = Setter::Budget(Budget::Cpu);
        let both = [(60, budget), (5, Setter::Rlimit)];
        assert_eq!(bound(FREE, &both[..1]), (60, 61, 60, budget));
        assert_eq!(bound(FREE, &both), (5, 6, 5, Setter::Rlimit));
        assert_eq!(bound(FREE, &[(5, budget), (60, Setter::Rlimit)]), (5, 6, 5, budget));
        assert_eq!(bound(FREE, &[(5, budget), (5, Setter::Rlimit)]), (5, 6, 5, Setter::Rlimit));
        assert_eq!(bound((3, INFINITY), &both), (3, 6, 3, Setter::Caller));
        assert_eq!(bound(FREE, &[]), (INFINITY, INFINITY, INFINITY, Setter::Caller));
    }

    #[test]
    fn no_core_is_asked_for_where_none_would_be_written() {
        let core = |inherited| {
            let bound = Bound::from(Resource::CORE, inherited, &[(Resource::CORE, 1, Setter::Sandbox)]);
            (bound.soft, bound.hard)
        };
        assert_eq!([(0, INFINITY), (INFINITY, INFINITY), (0, 1)].map(core), [(1, 1); 3]);
        assert_eq!(core((0, 0)), (0, 0));
    }

    #[test]
    fn a_hard_limit_leaves_a_second_for_the_sentence() {
        assert_eq!(bound((7, 7), &[(60, Setter::Rlimit)]), (6, 7, 7, Setter::Caller));
        assert_eq!(bound((1, 1), &[]), (0, 1, 1, Setter::Caller));
    }
}
