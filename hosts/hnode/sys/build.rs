//! Compiles the shim against the distribution's libnode, and links that.
//!
//! `make deps` sees to it that there is one: the package libnode-dev, or, beside another vendor's Node, what is in the
//! packages, unpacked in `libnode` of cargo's target directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The releases that the shim is written for.
const MAJORS: [u32; 1] = [18];

fn main() {
    for file in ["build.rs", "src/shim.cc", "src/shim.h"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let root = root();
    let include = root.join("usr/include");
    let version = Version::read(&include.join("node/node_version.h"));
    assert!(
        MAJORS.contains(&version.major),
        "hnode is written for libnode {MAJORS:?}, and this is {}",
        version.major
    );
    let mut shim = cc::Build::new();
    shim.cpp(true)
        .std("c++17")
        .file("src/shim.cc")
        .include(include.join("node"))
        .include(include.join("nodejs/src"))
        .include(&include)
        .flag("-fno-rtti")
        .flag("-fno-exceptions")
        .flag("-Wno-unused-parameter");
    let library = root.join("usr/lib").join(format!("{}-linux-gnu", target("ARCH")));
    if root != Path::new("/") {
        // Debian's libnode reads some of its JavaScript by absolute name.
        let root = root.display();
        shim.define("LIBNODE_ROOT", &*format!("\"{root}\""));
        println!("cargo::rustc-link-search=native={}", library.display());
        // For the binaries that depend on this crate: `links` hands it on.
        println!("cargo::metadata=rpath={}", library.display());
    }
    shim.compile("hnode_shim");
    println!("cargo::rustc-link-lib=dylib:+verbatim=libnode.so.{}", version.modules);
    println!("cargo::rustc-link-lib=dylib:+verbatim=libuv.so.1");
    println!("cargo::rustc-env=NODE_RELEASE={}", version.text);
    println!("cargo::metadata=release={}", version.text);
}

/// `/`, or where the packages' files have been unpacked.
fn root() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let beside = out.ancestors().map(|place| place.join("libnode")).find(|place| has_node(place));
    let system = PathBuf::from("/");
    match beside {
        Some(root) => root,
        None if has_node(&system) => system,
        None => panic!(
            "there is no libnode to build hnode with: `make deps` installs it (Debian's packages libnode-dev and \
             nodejs); `cargo build -p hlua` needs none"
        ),
    }
}

/// Whether there are the headers of a Node that a library belongs to: those of other vendors' programs have none.
fn has_node(root: &Path) -> bool {
    let library = root.join("usr/lib").join(format!("{}-linux-gnu/libnode.so", target("ARCH")));
    root.join("usr/include/node/node.h").exists() && library.exists()
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).expect("cargo says what it builds for")
}

struct Version {
    major: u32,
    modules: u32,
    text: String,
}

impl Version {
    fn read(header: &Path) -> Self {
        println!("cargo::rerun-if-changed={}", header.display());
        let text = fs::read_to_string(header).unwrap_or_else(|error| panic!("{}: {error}", header.display()));
        let number = |name: &str| {
            let define = format!("#define {name} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&define)?.trim().parse().ok());
            value.unwrap_or_else(|| panic!("{} does not say its {name}", header.display()))
        };
        let [major, minor, patch, modules]: [u32; 4] =
            ["NODE_MAJOR_VERSION", "NODE_MINOR_VERSION", "NODE_PATCH_VERSION", "NODE_MODULE_VERSION"]
                .map(number);
        Version { major, modules, text: format!("{major}.{minor}.{patch}") }
    }
}
