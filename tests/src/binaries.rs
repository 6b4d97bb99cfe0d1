//! The programs under test, where every account can run them.

use crate::Result;
use crate::fixture::Scratch;
use crate::host::Host;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The programs under test.
pub struct Binaries {
    /// Lua's host.
    pub hlua: PathBuf,
    /// Python's host.
    pub hpython: PathBuf,
    /// bash's host.
    pub hsh: PathBuf,
    /// Node's host.
    pub hnode: PathBuf,
    /// The probe.
    pub probe: PathBuf,
    /// The real Lua.
    pub lua: PathBuf,
    /// The real Python.
    pub python: PathBuf,
    /// The real Node.
    pub node: PathBuf,
    copies: Scratch,
}

impl Binaries {
    /// Find them and copy them to a directory that everybody can read: the checkout may be in root's home.
    pub fn find() -> Result<Binaries> {
        let copies = Scratch::new("bin")?;
        let from = directory()?;
        // No host, but in the documents; it finds its library beside itself.
        for name in ["hexec", "libhexec.so"] {
            copy_if_built(&from, name, &copies)?;
        }
        Ok(Binaries {
            hlua: copy(&from, "hlua", &copies)?,
            hpython: copy_if_built(&from, "hpython", &copies)?,
            hsh: copy_if_built(&from, "hsh", &copies)?,
            hnode: copy_if_built(&from, "hnode", &copies)?,
            probe: copy(&from, "probe", &copies)?,
            lua: real_lua()?,
            python: REAL_PYTHON.into(),
            node: real_node(&from),
            copies,
        })
    }

    /// Remove the copies: these values live as long as the process.
    pub fn remove(&self) {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(self.copies.path());
    }

    /// Why a host cannot be tried here, with the name of what is missing; Lua's can, or there is nothing to try at all.
    pub fn lack(&self, host: Host) -> Option<(&'static str, String)> {
        let missing = [self.host(host), self.interpreter(host)].into_iter().find(|file| !file.exists())?;
        Some((host.interpreter(), format!("there is no {}", missing.display())))
    }

    /// A host's program.
    pub fn host(&self, host: Host) -> &Path {
        match host {
            Host::Hlua => &self.hlua,
            Host::Hpython => &self.hpython,
            Host::Hsh => &self.hsh,
            Host::Hnode => &self.hnode,
        }
    }

    /// The interpreter that a host stands in for.
    pub fn interpreter(&self, host: Host) -> &Path {
        match host {
            Host::Hlua => &self.lua,
            Host::Hpython => &self.python,
            Host::Hsh => Path::new(BASH),
            Host::Hnode => &self.node,
        }
    }

    /// The file that a name in a table stands for.
    pub fn named(&self, name: &str) -> PathBuf {
        match name {
            "hlua" => self.hlua.clone(),
            "hpython" => self.hpython.clone(),
            "hsh" => self.hsh.clone(),
            "bash" => BASH.into(),
            "hnode" => self.hnode.clone(),
            "probe" => self.probe.clone(),
            "lua5.4" => self.lua.clone(),
            "python3" => self.python.clone(),
            "node" => self.node.clone(),
            other => PathBuf::from(other),
        }
    }
}

fn copy(from: &Path, name: &str, copies: &Scratch) -> Result<PathBuf> {
    let source = from.join(name);
    let target = copies.path().join(name);
    fs::copy(&source, &target).map_err(|e| format!("cannot copy {}: {e}", source.display()))?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))
        .map_err(|e| format!("cannot open {} to all: {e}", target.display()))?;
    Ok(target)
}

/// On a machine without the interpreter there is no host either.
fn copy_if_built(from: &Path, name: &str, copies: &Scratch) -> Result<PathBuf> {
    match from.join(name).exists() {
        true => copy(from, name, copies),
        false => Ok(copies.path().join(name)),
    }
}

/// `H_BIN_DIR`, or the directory that cargo builds into.
fn directory() -> Result<PathBuf> {
    if let Some(directory) = env::var_os("H_BIN_DIR") {
        return Ok(directory.into());
    }
    let own = env::current_exe().map_err(|e| format!("cannot find myself: {e}"))?;
    // target/PROFILE/deps/casebook-HASH
    let built = own.ancestors().nth(2).unwrap_or(Path::new("/"));
    let target = built.parent().unwrap_or(built);
    let static_build = target.join(format!("{}-unknown-linux-gnu/release", std::env::consts::ARCH));
    [built.to_path_buf(), static_build, target.join("release")]
        .into_iter()
        .find(|d| ["hlua", "hpython", "hsh", "hnode", "probe"].iter().all(|name| d.join(name).exists()))
        .ok_or_else(|| {
            format!(
                "no hlua, hpython, hsh, hnode and probe near {}: build them, or name their directory in H_BIN_DIR",
                built.display()
            )
        })
}

/// The one that hsh starts.
const BASH: &str = "/bin/bash";

fn real_lua() -> Result<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_else(|| "/usr/bin".into());
    env::split_paths(&paths)
        .map(|d| d.join("lua5.4"))
        .find(|f| f.exists())
        .ok_or_else(|| "lua5.4 is not installed: it is the control of most cases".to_owned())
}

/// The distribution's, which hpython was built against; another one may come first in `PATH`.
const REAL_PYTHON: &str = "/usr/bin/python3";

/// The distribution's, which hnode's library belongs to: unpacked beside what was built where another vendor's is installed.
fn real_node(built: &Path) -> PathBuf {
    let beside = built.ancestors().map(|place| place.join("libnode/usr/bin/node"));
    beside.into_iter().find(|file| file.exists()).unwrap_or_else(|| "/usr/bin/node".into())
}
