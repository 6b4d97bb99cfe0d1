//! Node's options, as far as hnode takes them.

use sandbox_core::Switch;

const fn flag(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: false, help }
}

const fn with_value(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: true, help }
}

/// What would open a door, and how. They are among the switches, so that they are known and refused by name.
pub static REFUSED: &[(&str, &str)] = &[
    ("--inspect", INSPECTOR),
    ("--inspect-brk", INSPECTOR),
    ("--inspect-port", INSPECTOR),
    ("--inspect-publish-uid", INSPECTOR),
    ("--experimental-policy", POLICY),
    ("--policy-integrity", POLICY),
    ("--experimental-permission", POLICY),
    ("--snapshot-blob", SNAPSHOT),
    ("--build-snapshot", SNAPSHOT),
    ("--allow-natives-syntax", "V8's inner functions take its checks away"),
    ("--report-on-signal", REPORT),
    ("--report-uncaught-exception", REPORT),
    ("--report-on-fatalerror", REPORT),
    ("--openssl-config", EARLY_CODE),
    ("--openssl-shared-config", EARLY_CODE),
    ("--icu-data-dir", EARLY_FILES),
    ("--enable-fips", "it loads code before the doors are closed"),
    ("--force-fips", "it loads code before the doors are closed"),
    ("--prof-process", "it starts other programs"),
];

/// The variables that would do so, even where they are let in.
pub static REFUSED_VARIABLES: &[(&str, &str)] = &[
    ("OPENSSL_CONF", EARLY_CODE),
    ("OPENSSL_MODULES", EARLY_CODE),
    ("OPENSSL_ENGINES", EARLY_CODE),
    ("NODE_ICU_DATA", EARLY_FILES),
    ("ICU_DATA", EARLY_FILES),
];

const EARLY_CODE: &str = "it loads code and reads files before the doors are closed";
const EARLY_FILES: &str = "it reads files before the doors are closed";
const INSPECTOR: &str = "a debugger reaches every part of the process, from outside";
const POLICY: &str = "the sandbox's own grants decide: see --help";
const SNAPSHOT: &str = "a snapshot is a state of the interpreter, which would be trusted unread";
const REPORT: &str = "a report tells of the process and the machine";

/// The options by name, one line each for `--help`.
pub static SWITCHES: &[Switch] = &[
    with_value("-e", "evaluate a script"),
    with_value("--eval", "the same"),
    with_value("-p", "evaluate a script and print the result"),
    with_value("--print", "the same"),
    with_value("-pe", "the same"),
    flag("-c", "check a script's syntax and leave"),
    flag("--check", "the same"),
    flag("-i", "a dialogue even where standard input is no terminal"),
    flag("--interactive", "the same"),
    with_value("-r", "a module to require first"),
    with_value("--require", "the same"),
    with_value("--import", "a module to import first"),
    flag("-v", "print Node's version"),
    flag("-h", "node's own help"),
    with_value("-C", "an additional condition of package exports"),
    with_value("--conditions", "the same"),
    with_value("--input-type", "commonjs or module: of text, not of a file"),
    with_value("--loader", "a module of loader hooks"),
    with_value("--experimental-loader", "the same"),
    with_value("--experimental-default-type", "what files without a type are"),
    with_value("--experimental-specifier-resolution", "how specifiers of modules are resolved"),
    flag("--experimental-import-meta-resolve", "a second argument for import.meta.resolve"),
    flag("--experimental-vm-modules", "vm.Module"),
    flag("--experimental-wasm-modules", "import of WebAssembly modules"),
    flag("--experimental-network-imports", "import from https: URLs"),
    flag("--experimental-fetch", "fetch"),
    flag("--experimental-global-customevent", "CustomEvent"),
    flag("--experimental-global-webcrypto", "crypto"),
    flag("--experimental-json-modules", "import of JSON"),
    flag("--experimental-abortcontroller", "ignored, as in node"),
    flag("--experimental-worker", "ignored, as in node"),
    flag("--experimental-shadow-realm", "ShadowRealm"),
    flag("--experimental-repl-await", "await in a dialogue"),
    flag("--experimental-test-coverage", "coverage of the test runner"),
    flag("--preserve-symlinks", "links of modules are not followed"),
    flag("--preserve-symlinks-main", "the script's are not either"),
    flag("--enable-source-maps", "source maps for stack traces"),
    flag("--frozen-intrinsics", "the language's own objects cannot be changed"),
    with_value("--disable-proto", "delete or throw: Object.prototype.__proto__"),
    with_value("--disallow-code-generation-from-strings", "no eval"),
    flag("--throw-deprecation", "a deprecation is an error"),
    flag("--trace-deprecation", "where deprecations come from"),
    flag("--no-deprecation", "no word about deprecations"),
    flag("--pending-deprecation", "deprecations to come as well"),
    flag("--warnings", "warnings; --no-warnings: none"),
    flag("--trace-warnings", "where warnings come from"),
    with_value("--redirect-warnings", "a file for warnings"),
    with_value("--unhandled-rejections", "what an unhandled rejection does"),
    flag("--trace-uncaught", "where an uncaught error was thrown"),
    flag("--trace-exit", "where the process leaves"),
    flag("--trace-sigint", "where Ctrl-C stops a script"),
    flag("--trace-sync-io", "where synchronous calls are made"),
    flag("--trace-tls", "TLS packets"),
    flag("--abort-on-uncaught-exception", "an uncaught error aborts"),
    flag("--force-context-aware", "no addon that is not aware of contexts"),
    flag("--addons", "native addons, which hnode has none of; --no-addons"),
    flag("--global-search-paths", "modules of the system; --no-global-search-paths"),
    flag("--insecure-http-parser", "a lenient parser of HTTP"),
    with_value("--max-http-header-size", "bytes of HTTP headers"),
    with_value("--dns-result-order", "ipv4first or verbatim"),
    flag("--verify-base-objects", "checks of Node's own"),
    flag("--verify-entry-point", "checks of Node's own"),
    flag("--extra-info-on-fatal-exception", "more about a fatal error"),
    flag("--node-memory-debug", "checks of Node's own"),
    with_value("--stack-trace-limit", "frames in a stack trace"),
    with_value("--secure-heap", "bytes of OpenSSL's secure heap"),
    with_value("--secure-heap-min", "the least allocation there"),
    with_value("--tls-cipher-list", "TLS ciphers"),
    with_value("--tls-keylog", "a file for TLS keys"),
    flag("--tls-min-v1.0", "at least this version"),
    flag("--tls-min-v1.1", "at least this version"),
    flag("--tls-min-v1.2", "at least this version"),
    flag("--tls-min-v1.3", "at least this version"),
    flag("--tls-max-v1.2", "at most this version"),
    flag("--tls-max-v1.3", "at most this version"),
    flag("--use-bundled-ca", "Mozilla's certificates"),
    flag("--use-openssl-ca", "OpenSSL's certificates"),
    flag("--zero-fill-buffers", "new buffers are zeroed"),
    with_value("--title", "the process's title"),
    with_value("--v8-pool-size", "threads of V8's platform [4]"),
    flag("--test", "the test runner; it needs --allow-run"),
    flag("--test-only", "only tests that are marked"),
    with_value("--test-name-pattern", "only tests with such a name"),
    with_value("--test-reporter", "how results are shown"),
    with_value("--test-reporter-destination", "where"),
    flag("--watch", "start again when files change; it needs --allow-run"),
    with_value("--watch-path", "which"),
    flag("--completion-bash", "print a completion script"),
    flag("--expose-gc", "a function gc"),
    flag("--expose-internals", "Node's own modules"),
    flag("--v8-options", "print V8's options"),
    flag("--jitless", "no compiler: no memory becomes executable"),
    with_value("--max-old-space-size", "MiB of V8's heap"),
    with_value("--max-semi-space-size", "MiB of V8's young generation"),
    with_value("--min-semi-space-size", "MiB of V8's young generation at the start"),
    with_value("--max-heap-size", "MiB of V8's heap"),
    with_value("--initial-heap-size", "MiB of V8's heap at the start"),
    with_value("--stack-size", "KiB of the stack that V8 uses"),
    flag("--use-strict", "strict mode everywhere"),
    flag("--trace-gc", "a line for each collection"),
    flag("--trace-opt", "what V8 optimises"),
    flag("--trace-deopt", "what it gives up again"),
    flag("--opt", "the optimising compiler; --no-opt"),
    flag("--sparkplug", "the baseline compiler"),
    flag("--lite-mode", "less memory, less speed"),
    flag("--optimize-for-size", "less memory, less speed"),
    flag("--predictable", "the same order of events each time"),
    flag("--single-threaded", "V8 without helpers"),
    flag("--interpreted-frames-native-stack", "names for profilers"),
    with_value("--random-seed", "of Math.random"),
    flag("--harmony", "features that are nearly done"),
    flag("--harmony-shadow-realm", "ShadowRealm"),
    flag("--harmony-import-assertions", "import assertions"),
    flag("--harmony-array-grouping", "Array.prototype.group"),
    flag("--wasm-simd", "vectors in WebAssembly"),
    with_value("--icu-data-dir", "refused"),
    flag("--inspect", "refused"),
    flag("--inspect-brk", "refused"),
    with_value("--inspect-port", "refused"),
    with_value("--inspect-publish-uid", "refused"),
    with_value("--experimental-policy", "refused"),
    with_value("--policy-integrity", "refused"),
    flag("--experimental-permission", "refused"),
    with_value("--snapshot-blob", "refused"),
    flag("--build-snapshot", "refused"),
    flag("--allow-natives-syntax", "refused"),
    flag("--report-on-signal", "refused"),
    flag("--report-uncaught-exception", "refused"),
    flag("--report-on-fatalerror", "refused"),
    with_value("--openssl-config", "refused"),
    flag("--openssl-shared-config", "refused"),
    flag("--enable-fips", "refused"),
    flag("--force-fips", "refused"),
    flag("--prof-process", "refused"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_known_by_name() {
        for (name, why) in REFUSED {
            let known = SWITCHES.iter().filter(|switch| switch.name == *name);
            assert_eq!(known.map(|switch| switch.help).collect::<Vec<_>>(), ["refused"], "{name}");
            assert!(!why.ends_with('.'));
        }
        let refused = SWITCHES.iter().filter(|switch| switch.help == "refused").count();
        assert_eq!(refused, REFUSED.len());
    }
}
