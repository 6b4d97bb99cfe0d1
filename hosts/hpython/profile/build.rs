//! Compiles hpython's system call filters, and asks the distribution's CPython where it is.

use std::process::Command;

/// The Python that hpython takes the place of; the same is pinned for pyo3 in `.cargo/config.toml`.
const PYTHON: &str = "/usr/bin/python3";

/// What it says about itself without `site`: a name and a value on each line.
const QUESTIONS: &str = r"
import os, sys, sysconfig
of = lambda *names: ' '.join(str(sysconfig.get_config_var(name) or '') for name in names)
for name, value in {
    'executable': sys.executable,
    'release': '.'.join(map(str, sys.version_info[:3])),
    'version': of('LDVERSION'),
    'prefix': sys.prefix,
    'platlibdir': sys.platlibdir,
    'stdlib': sysconfig.get_path('stdlib'),
    'libraries': '/lib/' + of('MULTIARCH') if of('MULTIARCH') else '/' + sys.platlibdir,
    'program': os.path.realpath(sys.executable),
}.items():
    print(name, value)
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PYTHON}");
    filter_compiler::embed_with_sockets("hpython");
    let python = Python::ask();
    for name in ["executable", "release", "version", "prefix", "platlibdir", "program", "stdlib", "libraries"]
    {
        println!("cargo::rustc-env=PYTHON_{}={}", name.to_uppercase(), python.says(name));
    }
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
}
