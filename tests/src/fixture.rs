//! What a row finds on disk and beside it: fresh directories, a secret, a victim, servers.

use crate::Result;
use crate::binaries::Binaries;
use crate::identity::Identity;
use crate::row::Row;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// What [`Fixture::fill`] replaces.
pub const PLACEHOLDERS: [&str; 20] = [
    "{hlua}",
    "{hsh}",
    "{hpython}",
    "{hnode}",
    "{probe}",
    "{lua}",
    "{python}",
    "{node}",
    "{dir}",
    "{outside}",
    "{secret}",
    "{socket}",
    "{base}",
    "{name}",
    "{token}",
    "{nekot}",
    "{victim}",
    "{port}",
    "{free}",
    "{runner}",
];

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A fresh directory that is removed with everything in it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Make one that everybody may enter.
    pub fn new(what: &str) -> Result<Scratch> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("casebook-{}-{number}-{what}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let failed = |e| format!("cannot make {}: {e}", path.display());
        fs::create_dir(&path).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(Scratch(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything that a run of a row finds.
///
/// `{base}` holds `{dir}`, the working directory with the fixtures, and `{outside}` with the file `{secret}`, which
/// holds `{token}`. `{victim}` is another process of the same account, `{port}` a TCP and UDP server, `{free}` a TCP
/// port that nobody uses, `{socket}` a unix socket.
pub struct Fixture {
    scratch: Scratch,
    token: String,
    account: Option<u32>,
    victim: Option<Victim>,
    servers: Vec<Server>,
    port: u16,
    free: u16,
    /// What stands for the programs under test.
    programs: [(&'static str, String); 8],
}

/// Open while the row runs; nobody needs to answer.
#[expect(dead_code, reason = "they are held open, not used")]
enum Server {
    Tcp(TcpListener),
    Udp(UdpSocket),
    Unix(UnixListener),
}

impl Fixture {
    /// Set up what `row` asks for.
    pub fn new(row: &Row, identity: Identity, binaries: &Binaries) -> Result<Fixture> {
        let mut fixture = Fixture::empty(identity, binaries)?;
        let text = format!("{row:?}");
        fixture.serve(&text)?;
        if text.contains("{victim}") {
            fixture.victim = Some(Victim::start(&fixture, binaries)?);
        }
        fixture.lay_out(row)?;
        Ok(fixture)
    }

    /// The directories and the secret only.
    pub fn empty(identity: Identity, binaries: &Binaries) -> Result<Fixture> {
        let scratch = Scratch::new("row")?;
        let token = format!("s3cret{}x", COUNTER.fetch_add(7919, Ordering::Relaxed));
        let fixture = Fixture {
            token: format!("{token}{}", std::process::id()),
            scratch,
            account: identity.account(),
            victim: None,
            servers: Vec::new(),
            port: 0,
            free: 0,
            programs: [
                ("{hlua}", binaries.hlua.display().to_string()),
                ("{hsh}", binaries.hsh.display().to_string()),
                ("{hpython}", binaries.hpython.display().to_string()),
                ("{hnode}", binaries.hnode.display().to_string()),
                ("{probe}", binaries.probe.display().to_string()),
                ("{lua}", binaries.lua.display().to_string()),
                ("{python}", binaries.python.display().to_string()),
                ("{node}", binaries.node.display().to_string()),
            ],
        };
        let base = fixture.scratch.path();
        fixture.own(base).map_err(|e| e.to_string())?;
        fixture.make_directory(&base.join("work"))?;
        fixture.write(&base.join("outside/secret"), fixture.token.as_bytes())?;
        Ok(fixture)
    }

    /// What holds the working directory.
    pub fn base(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// The working directory.
    pub fn directory(&self) -> PathBuf {
        self.scratch.path().join("work")
    }

    /// The secret itself.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Replace the placeholders in `text`.
    pub fn fill(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let base = self.scratch.path().display().to_string();
        let reversed: String = self.token.chars().rev().collect();
        let victim = self.victim.as_ref().map_or(0, |v| v.0.id());
        let mut text = text.to_owned();
        for (name, path) in &self.programs {
            text = text.replace(name, path);
        }
        text.replace("{dir}", &format!("{base}/work"))
            .replace("{outside}", &format!("{base}/outside"))
            .replace("{secret}", &format!("{base}/outside/secret"))
            .replace("{socket}", &format!("{base}/outside/socket"))
            .replace("{base}", &base)
            .replace("{name}", &base.replace('/', "-")[1..])
            .replace("{token}", &self.token)
            .replace("{nekot}", &reversed)
            .replace("{victim}", &victim.to_string())
            .replace("{port}", &self.port.to_string())
            .replace("{free}", &self.free.to_string())
            .replace("{runner}", &std::process::id().to_string())
    }

    /// Whatever names this fixture's own place becomes the same for all.
    pub fn anonymous(&self, text: &str) -> String {
        text.replace(&self.scratch.path().display().to_string(), "{base}")
    }

    /// A path of a fixture: relative ones lie in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(self.fill(name))
    }

    /// Write a file for whoever runs the row.
    pub fn write(&self, path: &Path, text: &[u8]) -> Result<()> {
        let failed = |e| format!("cannot write {}: {e}", path.display());
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
        }
        fs::write(path, text).map_err(failed)?;
        self.own(path).map_err(failed)
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
        }
        let failed = |e| format!("cannot make {}: {e}", path.display());
        fs::create_dir(path).map_err(failed)?;
        self.own(path).map_err(failed)
    }

    fn own(&self, path: &Path) -> std::io::Result<()> {
        chown(path, self.account, self.account)
    }

    fn lay_out(&self, row: &Row) -> Result<()> {
        for directory in &row.dirs {
            self.make_directory(&self.path(directory))?;
        }
        for (name, text) in &row.files {
            self.write(&self.path(name), self.fill(text).as_bytes())?;
        }
        for (name, target) in &row.links {
            let link = self.path(name);
            symlink(self.fill(target), &link).map_err(|e| format!("cannot link {name}: {e}"))?;
            lchown(&link, self.account, self.account).map_err(|e| e.to_string())?;
        }
        for (name, mode) in &row.modes {
            let bits = u32::from_str_radix(mode, 8).map_err(|e| format!("mode {mode}: {e}"))?;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(bits))
                .map_err(|e| format!("cannot chmod {name}: {e}"))?;
        }
        Ok(())
    }

    fn serve(&mut self, text: &str) -> Result<()> {
        let failed = |e: std::io::Error| format!("cannot serve: {e}");
        if text.contains("{port}") {
            let tcp = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
            self.port = tcp.local_addr().map_err(failed)?.port();
            self.servers.push(Server::Tcp(tcp));
            if let Ok(udp) = UdpSocket::bind(("127.0.0.1", self.port)) {
                self.servers.push(Server::Udp(udp));
            }
        }
        if text.contains("{free}") {
            self.free = free_port()?;
        }
        if text.contains("{socket}") {
            let path = PathBuf::from(self.fill("{socket}"));
            self.make_directory(&self.scratch.path().join("outside"))?;
            self.servers.push(Server::Unix(UnixListener::bind(&path).map_err(failed)?));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).map_err(failed)?;
        }
        if text.contains("{name}") {
            let address = SocketAddr::from_abstract_name(self.fill("{name}")).map_err(failed)?;
            self.servers.push(Server::Unix(UnixListener::bind_addr(&address).map_err(failed)?));
        }
        Ok(())
    }
}

/// A port that nobody listens on, below those that the kernel gives out by itself: nobody gets it by chance. None is
/// given out twice.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    // Two runs at a time should not begin at the same.
    let offset = (std::process::id() % u32::from(COUNT)) as u16;
    let ports = (0..COUNT).map(|_| FIRST + offset.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let mut free = ports.into_iter().filter(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok());
    free.next().ok_or_else(|| "every port is taken".to_owned())
}

/// Another process of the same account, with the secret in its environment and its memory.
struct Victim(Child);

impl Victim {
    fn start(fixture: &Fixture, binaries: &Binaries) -> Result<Victim> {
        let failed = |e| format!("cannot start the victim: {e}");
        let mut command = Command::new(&binaries.probe);
        command
            .args(["--bare", "pause"])
            .env_clear()
            .env("VICTIM_SECRET", &fixture.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.process_group(0);
        if let Some(account) = fixture.account {
            command.gid(account).uid(account);
        }
        let mut child = command.spawn().map_err(failed)?;
        if let Some(output) = child.stdout.take() {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map_err(failed)?;
        }
        Ok(Victim(child))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
