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
        Ok(Binaries {
            hlua: copy(&from, "hlua", &copies)?,
            hpython: copy(&from, "hpython", &copies)?,
            hnode: copy(&from, "hnode", &copies)?,
            probe: copy(&from, "probe", &copies)?,
            lua: real_lua()?,
            python: real_python()?,
            node: real_node(&from)?,
            copies,
        })
    }

    /// Remove the copies: these values live as long as the process.
    pub fn remove(&self) {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(self.copies.path());
    }

    /// A host's program.
    pub fn host(&self, host: Host) -> &Path {
        match host {
            Host::Hlua => &self.hlua,
            Host::Hpython => &self.hpython,
            Host::Hnode => &self.hnode,
        }
    }

    /// The interpreter that a host stands in for.
    pub fn interpreter(&self, host: Host) -> &Path {
        match host {
            Host::Hlua => &self.lua,
            Host::Hpython => &self.python,
            Host::Hnode => &self.node,
        }
    }

    /// The file that a name in a table stands for.
    pub fn named(&self, name: &str) -> PathBuf {
        match name {
            "hlua" => self.hlua.clone(),
            "hpython" => self.hpython.clone(),
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
        .find(|d| ["hlua", "hpython", "hnode", "probe"].iter().all(|name| d.join(name).exists()))
        .ok_or_else(|| {
            format!(
                "no hlua, hpython, hnode and probe near {}: build them, or name their directory in H_BIN_DIR",
                built.display()
            )
        })
}

fn real_lua() -> Result<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_else(|| "/usr/bin".into());
    env::split_paths(&paths)
        .map(|d| d.join("lua5.4"))
        .find(|f| f.exists())
        .ok_or_else(|| "lua5.4 is not installed: it is the control of most cases".to_owned())
}

/// The distribution's, which hpython was built against; another one may come first in `PATH`.
fn real_python() -> Result<PathBuf> {
    let python = PathBuf::from("/usr/bin/python3");
    if python.exists() {
        return Ok(python);
    }
    Err("/usr/bin/python3 is not installed: it is the control of most cases".to_owned())
}

/// The distribution's, which hnode's library belongs to: unpacked beside what was built where another vendor's is installed.
fn real_node(built: &Path) -> Result<PathBuf> {
    let beside = built.ancestors().map(|place| place.join("libnode/usr/bin/node"));
    let node = beside.chain(["/usr/bin/node".into()]).find(|file| file.exists());
    node.ok_or_else(|| {
        "there is no /usr/bin/node: it is the control of most cases; see `make deps`".to_owned()
    })
}
