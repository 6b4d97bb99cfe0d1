//! What a program needs to start: its loader and the libraries that it and they name (ld.so(8)), or its interpreter, where it
//! is a script.
//!
//! The program may be a stranger's, and says itself what it needs. So a name is followed only to a regular file that is a
//! library, or, for an interpreter, may be executed: no other file's content is given away by a lie.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use object::elf::{self, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadRef};

use crate::policy::Access;

/// Something that a program needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Where it really is.
    pub(crate) path: PathBuf,
    /// What for.
    pub(crate) access: Access,
}

/// More than any program has; who names more is not followed further.
const MOST: usize = 512;

/// What this program needs, without what lies beneath the `known` directories. A program that cannot be read, or is of a
/// kind that is not known here, needs nothing that we could tell.
pub(crate) fn of(program: &Path, known: &[PathBuf]) -> Vec<Need> {
    let mut needs = Vec::new();
    let Ok(program) = fs::canonicalize(program) else { return needs };
    let list = cache::read();
    let mut left: Vec<Header> = read(&program).into_iter().collect();
    let mut seen = HashSet::from([program]);
    while let Some(header) = left.pop() {
        let started = header.interpreter.iter().filter_map(|name| fs::canonicalize(name).ok());
        let started = started.filter(|path| may_be_executed(path));
        let started = started.map(|path| (read(&path), path, Access::Execute));
        let libraries = header.libraries.iter().filter_map(|name| header.find(name, &list));
        let libraries = libraries.map(|(header, path)| (Some(header), path, Access::Read));
        for (header, path, access) in started.chain(libraries) {
            if seen.len() == MOST || !seen.insert(path.clone()) {
                continue;
            }
            left.extend(header);
            if !known.iter().any(|known| path.starts_with(known)) {
                needs.push(Need { path, access });
            }
        }
    }
    needs
}

/// What a file says of itself.
#[derive(Debug, Default)]
struct Header {
    /// The loader, or a script's interpreter.
    interpreter: Option<PathBuf>,
    /// Names of libraries.
    libraries: Vec<Vec<u8>>,
    /// Where they are looked for first.
    directories: Vec<PathBuf>,
    /// It is a shared library, or a program that may lie anywhere.
    shared: bool,
}

impl Header {
    /// Where the loader would find a library, and what it says of itself; `LD_LIBRARY_PATH` is not among what it sees.
    fn find(&self, name: &[u8], list: &[u8]) -> Option<(Header, PathBuf)> {
        let name = Path::new(OsStr::from_bytes(name));
        if name.components().count() > 1 {
            return library(name);
        }
        let own = self.directories.iter().map(|directory| directory.join(name));
        let system = SYSTEM.map(|directory| Path::new(directory).join(name));
        own.chain(cache::find(list, name)).chain(system).find_map(|path| library(&path))
    }
}

/// Where the loader looks last.
const SYSTEM: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Opens a regular file; nothing else, which could make us wait.
fn open(path: &Path) -> Option<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()?;
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

fn may_be_executed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
}

/// A library, where it really is.
fn library(path: &Path) -> Option<(Header, PathBuf)> {
    let path = fs::canonicalize(path).ok()?;
    read(&path).filter(|header| header.shared).map(|header| (header, path))
}

fn read(path: &Path) -> Option<Header> {
    let mut file = open(path)?;
    let mut start = [0; 256];
    let length = file.read(&mut start).ok()?;
    match &start[..length] {
        [b'#', b'!', line @ ..] => Some(of_script(line)),
        [0x7f, b'E', b'L', b'F', ..] => of_elf(&ReadCache::new(file), path.parent()?),
        _ => None,
    }
}

/// The first word of the line (execve(2)).
fn of_script(line: &[u8]) -> Header {
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let word = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty());
    Header { interpreter: word.map(|word| OsStr::from_bytes(word).into()), ..Header::default() }
}

/// Programs of this machine's word size; of others the kernel's own answer is clear enough.
fn of_elf<'data, R: ReadRef<'data>>(data: R, origin: &Path) -> Option<Header> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut found = Header { shared: header.e_type(endian) == elf::ET_DYN, ..Header::default() };
    for segment in header.program_headers(endian, data).ok()? {
        if let Ok(Some(name)) = segment.interpreter(endian, data) {
            found.interpreter = Some(OsStr::from_bytes(name).into());
        }
    }
    let table = header.sections(endian, data).ok()?.dynamic_table(endian, data).ok()?;
    for entry in &table {
        let text = || table.string(entry).ok();
        match entry.tag {
            elf::DT_NEEDED => found.libraries.extend(text().map(<[u8]>::to_vec)),
            elf::DT_RPATH | elf::DT_RUNPATH => {
                let directories = text().unwrap_or_default().split(|byte| *byte == b':');
                found.directories.extend(directories.filter_map(|directory| expand(directory, origin)));
            }
            _ => {}
        }
    }
    Some(found)
}

/// `$ORIGIN` is where the file lies; a name that is relative or holds another variable counts for nothing.
fn expand(directory: &[u8], origin: &Path) -> Option<PathBuf> {
    let text = std::str::from_utf8(directory).ok()?;
    let rest = text.strip_prefix("$ORIGIN").or_else(|| text.strip_prefix("${ORIGIN}"));
    let path = match rest {
        Some(rest) => origin.join(rest.trim_start_matches('/')),
        None => PathBuf::from(text),
    };
    (path.is_absolute() && !path.as_os_str().as_bytes().contains(&b'$')).then_some(path)
}

/// The loader's list of the system's libraries (ldconfig(8)).
mod cache {
    use super::{OsStr, OsStrExt, Path, PathBuf, fs};

    const FILE: &str = "/etc/ld.so.cache";
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    /// Bytes before the first entry, and of each.
    const HEAD: usize = 48;
    const ENTRY: usize = 24;

    /// The list; nothing where there is none.
    pub(super) fn read() -> Vec<u8> {
        fs::read(FILE).unwrap_or_default()
    }

    /// All places that it has for a name.
    pub(super) fn find(list: &[u8], name: &Path) -> Vec<PathBuf> {
        places(list, name.as_os_str().as_bytes()).unwrap_or_default()
    }

    fn places(bytes: &[u8], name: &[u8]) -> Option<Vec<PathBuf>> {
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_ne_bytes(bytes)).ok()
        };
        let text = |at: usize| bytes.get(at..)?.split(|byte| *byte == 0).next();
        let count = bytes.starts_with(MAGIC).then(|| number(MAGIC.len())).flatten()?;
        let entries = (0..count).map_while(|index| {
            let entry = HEAD + index * ENTRY;
            Some((text(number(entry + 4)?)?, text(number(entry + 8)?)?))
        });
        let found = entries.filter(|(key, _)| *key == name);
        Some(found.map(|(_, value)| PathBuf::from(OsStr::from_bytes(value))).collect())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn entries_are_found_by_their_names() {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(1_u32.to_ne_bytes());
            bytes.resize(HEAD, 0);
            let strings = u32::try_from(HEAD + ENTRY).unwrap();
            bytes.extend([0, strings, strings + 7, 0, 0, 0].map(u32::to_ne_bytes).as_flattened());
            bytes.extend(b"libx.so\0/opt/libx.so\0");
            // The key ends before its NUL.
            let strings = HEAD + ENTRY;
            bytes[HEAD + 8..HEAD + 12].copy_from_slice(&u32::try_from(strings + 8).unwrap().to_ne_bytes());
            assert_eq!(places(&bytes, b"libx.so"), Some(vec![PathBuf::from("/opt/libx.so")]));
            assert_eq!(places(&bytes, b"liby.so"), Some(vec![]));
            assert_eq!(places(b"something else", b"libx.so"), None);
            // Numbers that lead nowhere end the list.
            bytes[HEAD + 4..HEAD + 8].copy_from_slice(&u32::MAX.to_ne_bytes());
            assert_eq!(places(&bytes, b"libx.so"), Some(vec![]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_system() {
        let needs = of(Path::new("/bin/sh"), &[]);
        let names = |need: &Need| need.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let loader = needs.iter().find(|need| need.access == Access::Execute);
        assert!(loader.is_some_and(|need| names(need).starts_with("ld-linux")), "{needs:?}");
        assert!(needs.iter().any(|need| names(need).starts_with("libc.so")), "{needs:?}");
        assert_eq!(of(Path::new("/bin/sh"), &["/usr".into()]), []);
    }

    #[test]
    fn a_script_needs_its_interpreter_and_what_that_needs() {
        let file = std::env::temp_dir().join(format!("needs-{}", std::process::id()));
        fs::write(&file, "#! /bin/sh -e\n").unwrap();
        let needs = of(&file, &[]);
        let shell = fs::canonicalize("/bin/sh").unwrap();
        assert!(needs.contains(&Need { path: shell, access: Access::Execute }), "{needs:?}");
        // What may not be executed is no interpreter.
        fs::write(&file, "#!/etc/passwd\n").unwrap();
        assert_eq!(of(&file, &[]), []);
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn directories_that_libraries_are_looked_for_in() {
        let origin = Path::new("/opt/app/bin");
        assert_eq!(expand(b"$ORIGIN/../lib", origin), Some("/opt/app/bin/../lib".into()));
        assert_eq!(expand(b"${ORIGIN}", origin), Some("/opt/app/bin/".into()));
        assert_eq!(expand(b"/x", origin), Some("/x".into()));
        for nothing in [&b"lib"[..], b"", b"$LIB/x", b"/usr/$LIB"] {
            assert_eq!(expand(nothing, origin), None);
        }
    }
}
