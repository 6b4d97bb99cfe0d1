//! Files, network and signals: the Landlock domain (landlock(7)).

use std::fs::File;
use std::io;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath,
    RestrictSelfError, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope,
};

use crate::descriptors::{self, open_path};
use crate::failure::{Failure, cause};
use crate::kernel;
use crate::net::Net;
use crate::options::Without;
use crate::policy::{Access, Grant, Origin, Policy};
use crate::rules::Rules;

/// A ruleset with all its rules, not yet in force.
#[derive(Debug)]
pub(crate) struct Domain(RulesetCreated);

impl Domain {
    /// Builds the ruleset: every right and scope that the kernel has is handled, so that what no
    /// rule grants is refused. `script` and `private` stand for the grants of these origins.
    ///
    /// # Errors
    /// [`Failure::Grant`] for a path that was asked for and cannot be opened, [`Failure::Kernel`]
    /// where no rule can hold a port, [`Failure::Landlock`].
    pub(crate) fn new(
        policy: &Policy,
        script: Option<&File>,
        private: Option<&File>,
        abi: ABI,
    ) -> Result<Self, Failure> {
        let mut ruleset = handled(abi).map_err(|error| refused("create the ruleset", &error))?;
        let rules = Rules::of(&ruleset).map_err(|error| Failure::step("copy a descriptor", &error))?;
        for grant in &policy.grants {
            let opened;
            let (file, access) = match grant.origin {
                Origin::Script => (script, grant.access),
                Origin::Private => (private, grant.access),
                Origin::Stream(number) => {
                    let Some((file, access)) = descriptors::behind(number) else { continue };
                    opened = Some(file);
                    (opened.as_ref(), access)
                }
                _ => {
                    opened = open(grant)?;
                    (opened.as_ref(), grant.access)
                }
            };
            let Some(file) = file else {
                continue;
            };
            if let Err(error) = add_path(&rules, file, access, abi, policy.links) {
                rule_refused(grant, error)?;
            }
        }
        add_ports(&mut ruleset, &policy.net, abi)?;
        Ok(Domain(ruleset))
    }

    /// Puts the domain in force for this thread, and for what it starts. `no_new_privs` is set already.
    ///
    /// # Errors
    /// [`Failure::Nesting`] within sixteen domains, [`Failure::Landlock`] otherwise.
    pub(crate) fn enter(self) -> Result<(), Failure> {
        match self.0.no_new_privs(false).restrict_self() {
            Ok(status) if status.ruleset == RulesetStatus::FullyEnforced => Ok(()),
            Ok(_) => Err(Failure::Landlock {
                step: "enter the domain",
                cause: "the kernel enforces it only in part".into(),
            }),
            Err(error) if is_nesting(&error) => Err(Failure::Nesting),
            Err(error) => Err(refused("enter the domain", &error)),
        }
    }
}

/// Enters a domain of its own that lets signals reach only processes in it: the monitor's, around
/// that of the run.
///
/// # Errors
/// [`Failure::Kernel`] before Landlock ABI 6, [`Failure::Landlock`].
pub(crate) fn scope_signals() -> Result<(), Failure> {
    let abi = kernel::landlock().and_then(|abi| match abi {
        abi if abi >= ABI::V6 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(libc::ENOSYS)),
    });
    abi.map_err(|source| Failure::Kernel {
        what: "scoped signals, which end what a script leaves behind (Landlock ABI 6, Linux 6.12)",
        without: Some(Without::Scopes.name()),
        source,
    })?;
    let root = open_path(Path::new("/")).map_err(|error| Failure::step("open the root directory", &error))?;
    // Moving between directories is refused in every domain that does not speak of it (landlock(7)).
    let domain = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::Signal)
        .and_then(|ruleset| ruleset.handle_access(AccessFs::Refer))
        .and_then(Ruleset::create)
        .and_then(|ruleset| ruleset.add_rule(PathBeneath::new(root, AccessFs::Refer)))
        .map_err(|error| refused("create the monitor's ruleset", &error))?;
    Domain(domain).enter()
}

fn handled(abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))?;
    if abi >= ABI::V4 {
        ruleset = ruleset.handle_access(AccessNet::from_all(abi))?;
    }
    if abi >= ABI::V6 {
        ruleset = ruleset.scope(Scope::from_all(abi))?;
    }
    ruleset.create()
}

/// Without rules for ports a grant of some would be one of all.
fn require_ports(net: &Net, abi: ABI) -> Result<(), Failure> {
    if abi >= ABI::V4 || net.is_empty() {
        return Ok(());
    }
    Err(Failure::Kernel {
        what: "rules for TCP ports, which hold --allow-net (Landlock ABI 4, Linux 6.7)",
        without: None,
        source: io::Error::from_raw_os_error(libc::ENOSYS),
    })
}

/// Lets TCP connect to and be bound to the granted ports.
fn add_ports(ruleset: &mut RulesetCreated, net: &Net, abi: ABI) -> Result<(), Failure> {
    require_ports(net, abi)?;
    let connect = net.connect.iter().map(|port| (port, AccessNet::ConnectTcp));
    let listen = net.listen.iter().map(|port| (port, AccessNet::BindTcp));
    for (port, access) in connect.chain(listen) {
        let added = (&mut *ruleset).add_rule(NetPort::new(*port, access));
        added.map(drop).map_err(|error| refused("add a rule for a TCP port", &error))?;
    }
    Ok(())
}

/// Opens a granted path without any right to its content. A default that does not exist is `None`.
fn open(grant: &Grant) -> Result<Option<File>, Failure> {
    match (open_path(&grant.path), grant.origin) {
        (Ok(file), _) => Ok(Some(file)),
        (Err(source), Origin::Asked(flag)) => Err(Failure::Grant { flag, path: grant.path.clone(), source }),
        (Err(_), _) => Ok(None),
    }
}

/// Adds a grant's rule. The kernel knows what is a directory, and refuses rights of directories for what is none (`EINVAL`,
/// landlock_add_rule(2)): that costs less than to ask before.
fn add_path(rules: &Rules, file: &File, access: Access, abi: ABI, links: bool) -> io::Result<()> {
    let (directory, other) = (rights(access, true, abi, links), rights(access, false, abi, links));
    match rules.add(file, directory) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) && directory != other => {
            rules.add(file, other)
        }
        added => added,
    }
}

/// The kernel's rights for a grant; a file takes only those that make sense for files. `links` says whether links and FIFOs
/// may be made as well.
fn rights(access: Access, is_directory: bool, abi: ABI, links: bool) -> BitFlags<AccessFs> {
    let rights = match access {
        Access::Read => AccessFs::ReadFile | AccessFs::ReadDir,
        Access::Use => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
        Access::Fill => AccessFs::WriteFile | AccessFs::Truncate,
        Access::Write if links => {
            rights(access, is_directory, abi, false) | AccessFs::MakeSym | AccessFs::MakeFifo
        }
        // No devices, sockets or pipes, and no symbolic links: they name what lies elsewhere.
        Access::Write => {
            AccessFs::WriteFile
                | AccessFs::Truncate
                | AccessFs::MakeReg
                | AccessFs::MakeDir
                | AccessFs::RemoveFile
                | AccessFs::RemoveDir
                | AccessFs::Refer
        }
        Access::Execute => AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir,
    };
    let known = if is_directory { AccessFs::from_all(abi) } else { AccessFs::from_file(abi) };
    rights & known
}

fn refused(step: &'static str, error: &RulesetError) -> Failure {
    Failure::Landlock { step, cause: cause(error) }
}

/// The kernel ties no rule to what has no place in a file system, such as a pipe (`EBADFD`): a
/// script that came through one needs none, a grant that was asked for cannot be given.
fn rule_refused(grant: &Grant, source: io::Error) -> Result<(), Failure> {
    match grant.origin {
        Origin::Script | Origin::Stream(_) if source.raw_os_error() == Some(libc::EBADFD) => Ok(()),
        Origin::Asked(flag) => Err(Failure::Grant { flag, path: grant.path.clone(), source }),
        _ => Err(Failure::Landlock { step: "add a rule", cause: cause(&source) }),
    }
}

fn is_nesting(error: &RulesetError) -> bool {
    matches!(
        error,
        RulesetError::RestrictSelf(RestrictSelfError::RestrictSelfCall { source, .. })
            if source.raw_os_error() == Some(libc::E2BIG)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_no_right_of_directories() {
        for abi in [ABI::V1, ABI::V2, ABI::V3, ABI::V7, ABI::V9] {
            let file = AccessFs::from_file(abi);
            for access in [Access::Read, Access::Write, Access::Use, Access::Execute] {
                assert_eq!(rights(access, false, abi, true) & !file, BitFlags::EMPTY);
                assert_eq!(rights(access, true, abi, true) & !AccessFs::from_all(abi), BitFlags::EMPTY);
            }
        }
    }

    #[test]
    fn ports_need_a_kernel_that_holds_them() {
        let net = Net::parse("connect:443").unwrap();
        for (abi, held) in [(ABI::V1, false), (ABI::V3, false), (ABI::V4, true), (ABI::V9, true)] {
            assert_eq!(require_ports(&net, abi).is_ok(), held, "{abi:?}");
            assert!(require_ports(&Net::default(), abi).is_ok());
        }
        let refused = require_ports(&net, ABI::V3).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the kernel lacks rules for TCP ports, which hold --allow-net (Landlock ABI 4, Linux 6.7): \
             Function not implemented"
        );
        assert_eq!(refused.hint(), None);
    }

    #[test]
    fn writing_does_not_imply_reading_or_linking() {
        let write = rights(Access::Write, true, ABI::V9, false);
        let never = AccessFs::ReadFile
            | AccessFs::ReadDir
            | AccessFs::Execute
            | AccessFs::MakeSym
            | AccessFs::IoctlDev;
        assert_eq!(write & never, BitFlags::EMPTY);
    }
}
