//! Compiles hlua's system call filters and names the C functions that its own code stands before.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Calls of these C functions come to `__wrap_NAME`; Lua's sources stay as they are.
const WRAPPED: &[&str] = &[
    // chunks.rs: every way to a binary chunk ends here
    "luaU_undump",
    // account.rs: collections for want of memory
    "luaC_fullgc",
    "luaD_throw",
    // files.rs: what a failed call may tell about paths
    "fopen64",
    "freopen64",
    "remove",
    "rename",
    "tmpfile64",
    // loading.rs: every way to a file of code ends here
    "luaL_loadfilex",
    // native.rs: no native code
    "dlopen",
    "dlsym",
    "dlclose",
    "dlerror",
    "_dl_get_origin",
    // descriptors.rs: the C library's fstat, without a path behind a pointer
    "__fstat64",
];

/// A static C library leaves out the parts of a locale that it does not see used, and it does not see
/// that `os.date` and string comparison use these.
const LOCALE: &[&str] =
    &["_nl_current_LC_COLLATE_used", "_nl_current_LC_MESSAGES_used", "_nl_current_LC_TIME_used"];

/// Functions of the C library and of Lua that every start calls, one a line. Side by side they lie on few pages; as the
/// linker finds them, on nearly all of the program's, and each page that is mapped is a part of the start. A name that is
/// missing, or that there is no longer, changes nothing else.
const START: &str = "start.order";

fn main() {
    filter_compiler::embed("hlua");
    for name in LOCALE {
        println!("cargo::rustc-link-arg-bins=-Wl,--undefined={name}");
    }
    for name in WRAPPED {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap={name}");
    }
    if is_static() && packs_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if is_static() && orders_functions() {
        let order = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(START);
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", order.display());
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={START}");
    println!("cargo::rerun-if-env-changed=CC");
}

fn is_static() -> bool {
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    features.split(',').any(|feature| feature == "crt-static")
}

/// Whether the C library's start understands packed relocations, which are read faster: glibc does since 2.36, and an
/// older one would leave every address as it is. What other compilers would link with is not known here.
fn packs_relocations() -> bool {
    if env::var_os("HOST") != env::var_os("TARGET") {
        return false;
    }
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let asked =
        Command::new(compiler).args(["-dM", "-E", "-include", "features.h", "-x", "c", "/dev/null"]).output();
    let macros = asked.map(|output| output.stdout).unwrap_or_default();
    let macros = String::from_utf8_lossy(&macros);
    let number = |name| {
        let value = macros
            .lines()
            .find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse::<u32>().ok())
    };
    (number("__GLIBC__"), number("__GLIBC_MINOR__")) >= (Some(2), Some(36))
}

/// Whether the linker can be told an order: LLVM's can, and it depends on the compiler and its options which one that is. So
/// an empty program is linked.
fn orders_functions() -> bool {
    let directory = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let (source, order) = (directory.join("empty.rs"), directory.join("empty.order"));
    if fs::write(&source, "fn main() {}").and_then(|()| fs::write(&order, "")).is_err() {
        return false;
    }
    let options = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let linker = env::var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}"));
    let status = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(options.split('\x1f').filter(|option| !option.is_empty()))
        .args(linker)
        .args(env::var("TARGET").map(|target| format!("--target={target}")))
        .arg(format!("-Clink-arg=-Wl,--symbol-ordering-file={},--no-warn-symbol-ordering", order.display()))
        .arg("-o")
        .arg(directory.join("empty"))
        .arg(source)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
