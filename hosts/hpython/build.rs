//! Compiles hpython's system call filters and links the distribution's CPython into it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that hpython takes the place of; the same is pinned for pyo3 in `.cargo/config.toml`.
const PYTHON: &str = "/usr/bin/python3";

/// What it says about itself without `site`: a name and a value on each line.
const QUESTIONS: &str = r"
import sys, sysconfig
of = lambda *names: ' '.join(str(sysconfig.get_config_var(name) or '') for name in names)
for name, value in {
    'executable': sys.executable,
    'release': '.'.join(map(str, sys.version_info[:3])),
    'version': of('LDVERSION'),
    'prefix': sys.prefix,
    'stdlib': sysconfig.get_path('stdlib'),
    'archives': of('LIBPL'),
    'libraries': of('LIBDIR'),
    'needs': of('LIBS', 'SYSLIBS', 'MODLIBS'),
}.items():
    print(name, value)
";

/// Calls of these C functions come to `__wrap_NAME`; CPython's objects stay as they are.
const WRAPPED: &[&str] = &[
    // script.rs: the script is read through the descriptor that was granted
    "fopen64",
    // leaving.rs: the end, when nothing would notice it
    "Py_FinalizeEx",
    "Py_Exit",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PYTHON}");
    println!("cargo::rustc-check-cfg=cfg(static_python)");
    pyo3_build_config::use_pyo3_cfgs();
    filter_compiler::embed_with_sockets("hpython");
    let python = Python::ask();
    for name in ["executable", "release", "version", "prefix", "stdlib"] {
        println!("cargo::rustc-env=PYTHON_{}={}", name.to_uppercase(), python.says(name));
    }
    python.link();
}

/// The interpreter's answers.
struct Python(String);

impl Python {
    fn ask() -> Self {
        let output = Command::new(PYTHON)
            .args(["-I", "-S", "-c", QUESTIONS])
            .output()
            .unwrap_or_else(|error| panic!("{PYTHON}: {error}"));
        assert!(output.status.success(), "{PYTHON}: {}", String::from_utf8_lossy(&output.stderr));
        Python(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn says(&self, name: &str) -> &str {
        let answer = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(' ').map(str::len);
        let line = self.0.lines().find(|line| answer(line).is_some());
        let line = line.unwrap_or_else(|| panic!("{PYTHON} does not say its {name}"));
        &line[name.len() + 1..]
    }

    /// Links the static library where there is one, since calls into a shared one cost a fifth of the speed; with
    /// every symbol, because C extensions look for CPython's functions in the program.
    fn link(&self) {
        let version = self.says("version");
        let archive = PathBuf::from(self.says("archives")).join(format!("libpython{version}.a"));
        argument("-Wl,--export-dynamic");
        if archive.exists() {
            self.link_archive(&archive);
        } else {
            argument(&format!("-L{}", self.says("libraries")));
            argument(&format!("-lpython{version}"));
        }
    }

    fn link_archive(&self, archive: &Path) {
        println!("cargo::rerun-if-changed={}", archive.display());
        println!("cargo::rustc-cfg=static_python");
        // Compiled for a program at a fixed place, as python3 itself is; the -pic.a is a tenth slower.
        argument("-no-pie");
        argument("-Wl,--whole-archive");
        argument(&archive.display().to_string());
        argument("-Wl,--no-whole-archive");
        let mut needs: Vec<&str> = self.says("needs").split_whitespace().collect();
        needs.sort_unstable();
        needs.dedup();
        needs.into_iter().for_each(argument);
        for name in WRAPPED {
            argument(&format!("-Wl,--wrap={name}"));
        }
    }
}

fn argument(argument: &str) {
    println!("cargo::rustc-link-arg-bins={argument}");
}
