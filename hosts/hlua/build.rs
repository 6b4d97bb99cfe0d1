//! Compiles hlua's system call filters and names the C functions that its own code stands before.

use std::env;
use std::process::Command;

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
    println!("cargo::rerun-if-changed=build.rs");
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
