//! hexec's front ends against the kernel: on a mount with `noexec` each must do what the kernel does without.
//!
//! What is meant to differ is short: a file that is no script, or that cannot be read, stays refused, and so does a
//! program on such a mount that a script names. See `hexec/README.md`.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use casebook::fixture::Scratch;
use casebook::identity::Identity;

/// A file to be started.
struct File {
    name: String,
    text: Vec<u8>,
    mode: u32,
    /// Whether it names a file beside it that is no script, and so stays refused, whatever the kernel does elsewhere.
    refused: bool,
}

impl File {
    fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> File {
        File { name: name.into(), text: text.into(), mode: 0o755, refused: false }
    }

    fn mode(self, mode: u32) -> File {
        File { mode, ..self }
    }

    fn refused(self) -> File {
        File { refused: true, ..self }
    }
}

/// Ways to start or to ask that a program of any kind has.
const STATIC_WAYS: &str = "execve vfork thread bare nothing execv execvp execvpe execl execlp execle raw empty search \
    fexecve place cloexec at nofollow descriptor spawn spawnp spawn-search spawn-chdir access access-read faccessat \
    faccessat-effective faccessat-raw";
/// Those of the C library that a library can stand before.
const WAYS: &str = "execve vfork thread bare nothing execv execvp execvpe execl execlp execle execveat search fexecve \
    place cloexec descriptor spawn spawnp spawn-search spawn-chdir access access-read access-write faccessat \
    faccessat-effective eaccess euidaccess";

#[test]
fn what_is_written_by_hand() {
    for identity in Identity::available() {
        let scratch = Scratch::new("shebangs").unwrap();
        let show = programs(scratch.path());
        let files = by_hand(&show);
        let lines = files.iter().filter(|file| file.text.starts_with(b"#!")).count();
        assert!(lines >= 100, "{lines} cases");
        let mut paths = lay_out(scratch.path(), &files);
        paths.extend(links(scratch.path()));
        let all = compare(scratch.path(), *identity, &paths, [WAYS, STATIC_WAYS]);
        let mut wrong = Vec::new();
        for (front_end, kernel, refused) in [
            ("preload", "kernel", "refused"),
            ("supervisor", "kernel", "refused"),
            ("supervisor-static", "kernel-static", "refused-static"),
        ] {
            for way in if front_end.ends_with("static") { STATIC_WAYS } else { WAYS }.split_whitespace() {
                let read = |what: &str| results(&all, what, way);
                let (ours, kernel, refused) = (read(front_end), read(kernel), read(refused));
                for path in &paths {
                    // The supervisor answers for reading and executing only.
                    let stays = refuses(&files, path, way, *identity)
                        || way == "access-write" && front_end == "supervisor";
                    let expected =
                        if stays { &refused } else { &kernel }.get(path).map_or("nothing", String::as_str);
                    if ours.get(path).map(String::as_str) != Some(expected) {
                        wrong
                            .push(format!("{front_end} {way} {path}: {:?} for {expected:?}", ours.get(path)));
                    }
                }
            }
        }
        check_library(&all, &files, &paths, *identity, &mut wrong);
        assert!(wrong.is_empty(), "{identity:?}: {} differ:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn ten_thousand_lines_at_random() {
    let scratch = Scratch::new("shebangs").unwrap();
    let show = programs(scratch.path());
    let files = at_random(&show, 10_000);
    let paths = lay_out(scratch.path(), &files);
    let identity = Identity::User;
    let all = compare(scratch.path(), identity, &paths, ["execve", "raw"]);
    let kernel = results(&all, "kernel", "execve");
    let started = kernel.values().filter(|result| result.starts_with("0 ")).count();
    assert!(started > 2_000, "only {started} of the lines start something");
    let mut wrong = Vec::new();
    for (front_end, way) in [("preload", "execve"), ("supervisor", "execve"), ("supervisor-static", "raw")] {
        let ours = results(&all, front_end, way);
        for path in &paths {
            if ours[path] != kernel[path] {
                wrong.push(format!("{front_end} {path}: {} for {}", ours[path], kernel[path]));
            }
        }
    }
    check_library(&all, &files, &paths, identity, &mut wrong);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the script says.
const STARTED: &str = "started: a";

/// Programs that start `./script a`, which says that it was.
const PROGRAMS: &[(&str, &str)] = &[
    ("bash", "bash -c './script a; true'"),
    ("bash-search", "bash -c 'PATH=.:$PATH; script a'"),
    ("bash-exec", "bash -c 'exec ./script a'"),
    ("bash-test", "bash -c 'test -x script && [[ -x script ]] && ./script a'"),
    ("dash", "dash -c './script a; true'"),
    ("dash-test", "dash -c 'test -x ./script && ./script a'"),
    ("make", "make -s -f rules"),
    ("find", "find . -name script -exec {} a ';'"),
    ("xargs", "echo a | xargs ./script"),
    ("env", "env X=1 ./script a"),
    ("cleared", "env -i ./script a"),
    ("cleared-twice", "env -i /bin/bash -c 'env -i /usr/bin/env ./script a'"),
    ("unset", "bash -c 'unset LD_PRELOAD; ./script a'"),
    ("perl", "perl -e 'system qw(./script a)'"),
    ("perl-exec", "perl -e 'exec qw(./script a)'"),
    ("perl-backticks", "perl -e 'print `./script a`'"),
    ("git", "git -c alias.x='!./script' x a"),
    (
        "git-hook",
        "bash -c 'git init -q r; cp script r/.git/hooks/post-commit; cd r; git -c user.name=n -c user.email=e \
        commit --allow-empty -qm m; .git/hooks/post-commit a'",
    ),
    ("python-run", "/usr/bin/python3 -c 'import subprocess as s; s.run([\"./script\", \"a\"])'"),
    ("python-shell", "/usr/bin/python3 -c 'import os; os.system(\"./script a\")'"),
    (
        "python-fork",
        "/usr/bin/python3 -c 'import subprocess as s; s.run([\"./script\", \"a\"], env={}, preexec_fn=int)'",
    ),
    (
        "python-spawn",
        "/usr/bin/python3 -c 'import os; os.waitpid(os.posix_spawn(\"./script\", [\"x\", \"a\"], {}), 0)'",
    ),
    (
        "python-which",
        "/usr/bin/python3 -c 'import os, shutil; os.execl(shutil.which(\"./script\"), \"x\", \"a\")'",
    ),
    (
        "node-file",
        "node -e 'console.log(require(\"child_process\").execFileSync(\"./script\", [\"a\"]) + \"\")'",
    ),
    ("node-shell", "node -e 'console.log(require(\"child_process\").execSync(\"./script a\") + \"\")'"),
    ("node-spawn", "node -e 'require(\"child_process\").spawn(\"./script\", [\"a\"], {stdio: \"inherit\"})'"),
    ("php", "php -r 'system(\"./script a\");'"),
    ("php-open", "php -r '$p = proc_open([\"./script\", \"a\"], [], $pipes); proc_close($p);'"),
    ("nested", "env -i ./starts-script"),
    ("background", "bash -c './script a & wait'"),
    (
        "thread",
        "/usr/bin/python3 -c 'import os, time, threading as t; \
        t.Thread(target=lambda: os.execv(\"./script\", [\"x\", \"a\"])).start(); time.sleep(1)'",
    ),
];

/// Those that only the supervisor reaches.
const STATIC_PROGRAMS: &[(&str, &str)] = &[
    ("musl", "echo ./show-script | {static} execve"),
    ("musl-vfork", "echo ./show-script | env -i {static} vfork"),
    ("raw", "echo ./show-script | {starter} raw"),
];

#[test]
fn programs_start_scripts() {
    let scratch = Scratch::new("shebangs").unwrap();
    let show = programs(scratch.path());
    let files = [
        File::new("script", "#!/bin/sh\necho started: \"$@\"\n"),
        File::new("show-script", format!("#!{show}\n")),
        File::new("starts-script", "#!/bin/bash\n./script a\n"),
        File::new("rules", "all: ; @./script a\n").mode(0o644),
        File::new("token", "#!/bin/echo TOKEN\n"),
    ];
    lay_out(scratch.path(), &files);
    fs::copy("/bin/true", scratch.path().join("files/program")).unwrap();
    let expand = |line: &str| {
        let bin = scratch.path().join("bin");
        let line = line.replace("{static}", bin.join("static/starter").to_str().unwrap());
        let hsh = Path::new(&std::env::var_os("H_BIN_DIR").unwrap_or_default()).join("hsh");
        line.replace("{starter}", bin.join("starter").to_str().unwrap())
            .replace("{hsh}", hsh.to_str().unwrap())
    };
    let mut wrong = Vec::new();
    let mut check = |name: &str, by: &str, line: &str, expected: &str, runs: bool| {
        let output = inside(scratch.path(), by, &expand(line));
        if output.contains(expected) != runs {
            wrong.push(format!("{name} {by}: {output}"));
        }
    };
    for (name, line) in PROGRAMS {
        check(name, "", line, STARTED, false);
        check(name, "--by=preload", line, STARTED, true);
        check(name, "--by=supervisor", line, STARTED, true);
    }
    for (name, line) in STATIC_PROGRAMS {
        check(name, "--by=preload", line, ": 13", true);
        check(name, "--by=supervisor", line, ": 0 ", true);
    }
    for by in ["--by=preload", "--by=supervisor"] {
        // A program stays refused, and so does what a program that is left alone starts.
        check("program", by, "bash -c './program; echo status $?'", "status 126", true);
        check("program-itself", by, "./program; echo status $?", "status 126", true);
        check("program-loads", by, "cp program $OLDPWD/x; $OLDPWD/x; echo status $?", "status 0", true);
        for (skip, runs) in [("dash", false), ("/usr/bin/dash", false), ("make", true)] {
            check("skip", &format!("{by} --skip={skip}"), "dash -c './script a; true'", STARTED, runs);
        }
        // What a sandbox beneath hides stays hidden, first lines too.
        check("seen", by, "bash -c './token; true'", "TOKEN", true);
        let hidden = "{hsh} --limit-processes=none -c './token; echo status $?'";
        check("hidden", by, hidden, "TOKEN", false);
        check("hidden-by-the-kernel", by, hidden, "status 126", true);
        check("status", by, "bash -c 'exit 42'; echo status $?", "status 42", true);
        check("signal", by, "bash -c 'kill -9 $$'; echo status $?", "status 137", true);
        check("missing", by, "no-such-program; echo status $?", "status 127", true);
        check("stays", by, "bash -c '(sleep .3; ./script a) & disown'; sleep 1", STARTED, true);
        let bits = "capsh --print | grep Securebits";
        check(
            "securebits",
            &format!("{by} --restrict-file --deny-interactive --lock"),
            bits,
            "/0xf00/",
            true,
        );
        check("no-securebits", by, bits, "/0x0/", true);
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a line of the shell prints on a mount with `noexec`, each of its commands that begins it beneath hexec.
fn inside(directory: &Path, by: &str, line: &str) -> String {
    let bin =
        PathBuf::from(std::env::var_os("H_BIN_DIR").expect("H_BIN_DIR names the directory of the binaries"));
    let hexec =
        if by.is_empty() { String::new() } else { format!("{} {by} --", bin.join("hexec").display()) };
    // The shell itself is not beneath it: the command is.
    let line = match line.split_once(" | ") {
        Some((echo, rest)) if echo.starts_with("echo ") => format!("{echo} | {hexec} {rest}"),
        _ => format!("{hexec} {line}"),
    };
    let mount = directory.join("mount");
    let prepare = format!(
        "mount -t tmpfs -o noexec none {0}; cp -a {1}/. {0}; cd {1}; cd {0}; {line}",
        mount.display(),
        directory.join("files").display()
    );
    let mut command = Command::new("unshare");
    command.args(if casebook::sys::is_root() { &["-m"][..] } else { &["-Urm"] });
    let output = command
        .args(["timeout", "60", "bash", "-c", &prepare])
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .output()
        .unwrap();
    [output.stdout, output.stderr].iter().map(|text| String::from_utf8_lossy(text)).collect()
}

/// The library says `native` where it leaves a file to the kernel.
fn check_library(
    all: &BTreeMap<String, String>,
    files: &[File],
    paths: &[String],
    identity: Identity,
    wrong: &mut Vec<String>,
) {
    let read = |front_end| results(all, front_end, "execve");
    let (ours, kernel, refused) = (read("library"), read("kernel"), read("refused"));
    for path in paths {
        let stays = refuses(files, path, "execve", identity);
        let expected = if stays { &refused[path] } else { &kernel[path] };
        let same = match ours[path].as_str() {
            // The caller asks the kernel.
            "native" => refused[path] == *expected,
            other => other == expected,
        };
        if !same {
            wrong.push(format!("library {path}: {} for {expected}", ours[path]));
        }
    }
}

/// Whether a path stays refused. Links lead to a script.
fn refuses(files: &[File], path: &str, way: &str, identity: Identity) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(file) = files.iter().find(|file| file.name == name) else { return false };
    let unreadable = identity == Identity::User && casebook::sys::is_root() && file.mode & 0o004 == 0;
    // Who only asks is not told of the interpreter, and before a closed descriptor nobody looks for it.
    let asked = way.contains("access") || way == "cloexec";
    !file.text.starts_with(b"#!") || unreadable || file.refused && !asked
}

/// Compiles the starters; the answer is the interpreter's path.
fn programs(directory: &Path) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/exec/starter.c");
    let bin = directory.join("bin");
    fs::create_dir_all(bin.join("static")).unwrap();
    for (compiler, flags, output) in [
        ("cc", &["-Wno-nonnull"][..], bin.join("starter")),
        ("musl-gcc", &["-static"], bin.join("static/starter")),
    ] {
        let status =
            Command::new(compiler).args(flags).arg("-O1").arg("-o").args([&output, &source]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{compiler} cannot compile {}",
            source.display()
        );
    }
    fs::copy(bin.join("static/starter"), bin.join("show")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_evaluate"), bin.join("evaluate")).unwrap();
    bin.join("show").to_str().unwrap().to_owned()
}

fn lay_out(directory: &Path, files: &[File]) -> Vec<String> {
    let place = directory.join("files");
    fs::create_dir_all(&place).unwrap();
    for name in ["mount", "out"] {
        fs::create_dir_all(directory.join(name)).unwrap();
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    for file in files {
        fs::write(place.join(&file.name), &file.text).unwrap();
        fs::set_permissions(place.join(&file.name), fs::Permissions::from_mode(file.mode)).unwrap();
    }
    files.iter().map(|file| format!("./{}", file.name)).collect()
}

/// Links and other names.
fn links(directory: &Path) -> Vec<String> {
    let place = directory.join("files");
    fs::create_dir(place.join("sub")).unwrap();
    symlink("plain", place.join("link")).unwrap();
    symlink("../plain", place.join("sub/up")).unwrap();
    symlink(directory.join("mount/plain"), place.join("absolute-link")).unwrap();
    symlink("loop", place.join("loop")).unwrap();
    symlink("nowhere", place.join("dangling")).unwrap();
    symlink(directory.join("bin/show"), place.join("tool")).unwrap();
    fs::copy(directory.join("bin/show"), place.join("elf")).unwrap();
    let names =
        ["./link", "./sub/up", "./absolute-link", "./loop", "./dangling", "./sub", "./missing", "./plain/x"];
    let mount = directory.join("mount");
    let absolute =
        ["plain", "sub/../plain", "argument"].map(|name| mount.join(name).to_str().unwrap().to_owned());
    names.iter().map(ToString::to_string).chain(absolute).collect()
}

fn compare(
    directory: &Path,
    identity: Identity,
    paths: &[String],
    ways: [&str; 2],
) -> BTreeMap<String, String> {
    fs::write(directory.join("paths"), paths.join("\n") + "\n").unwrap();
    fs::write(directory.join("ways"), ways[0]).unwrap();
    fs::write(directory.join("static-ways"), ways[1]).unwrap();
    let bin = std::env::var_os("H_BIN_DIR").expect("H_BIN_DIR names the directory of the binaries");
    for name in ["hexec", "libhexec.so"] {
        fs::copy(Path::new(&bin).join(name), directory.join("bin").join(name)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/exec/compare.sh");
    let mut command = Command::new("unshare");
    // Who is not root becomes it in a namespace of its own, where one may mount.
    command.args(if casebook::sys::is_root() { &["-m"][..] } else { &["-Urm"] });
    command.arg("bash").arg(script).arg(directory).arg(directory.join("bin"));
    command.args(identity.account().map(|account| account.to_string()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = fs::read_dir(directory.join("out")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
    };
    files.map(read).collect()
}

/// By path, what one front end came to.
fn results(all: &BTreeMap<String, String>, front_end: &str, way: &str) -> BTreeMap<String, String> {
    let text = &all[&format!("{front_end}.{way}")];
    let pair =
        |line: &str| line.split_once(": ").map(|(path, result)| (path.to_owned(), result.trim().to_owned()));
    text.lines().filter_map(pair).collect()
}

/// A path of this length that leads to the interpreter.
fn padded(show: &str, length: usize) -> Vec<u8> {
    let (directory, name) = show.rsplit_once('/').unwrap();
    let slashes = length.saturating_sub(directory.len() + name.len()).max(1);
    format!("{directory}{}{name}", "/".repeat(slashes)).into_bytes()
}

fn by_hand(show: &str) -> Vec<File> {
    let mut files = vec![
        File::new("plain", format!("#!{show}\n")),
        File::new("argument", format!("#!{show} one\n")),
        File::new("empty", ""),
        File::new("text", "echo hello\n"),
        File::new("hash", "#"),
        File::new("blank-first", format!(" #!{show}\n")),
        File::new("bom", format!("\u{feff}#!{show}\n")),
        File::new("half", format!("#{show}\n")),
        File::new("no-x", format!("#!{show}\n")).mode(0o644),
        File::new("x-for-others", format!("#!{show}\n")).mode(0o745),
        File::new("x-for-owner", format!("#!{show}\n")).mode(0o744),
        File::new("unreadable", format!("#!{show}\n")).mode(0o311),
        File::new("set-id", format!("#!{show} a\n")).mode(0o6755),
        File::new("names-program-here", "#!./elf\n").refused(),
        File::new("names-script-of-it", "#!./names-program-here\n").refused(),
    ];
    // What stands behind `#!`, with and without the end of the line; S is the interpreter.
    let lines = [
        "S",
        " S",
        "\tS",
        " \t S",
        "S ",
        "S\t",
        "S  \t ",
        "S a",
        "S\ta",
        "S  a",
        "S a ",
        "S a  ",
        "S a\t",
        "S a b",
        "S a  b ",
        "S  -x\t-y z",
        "S\r",
        "S a\r",
        "S \r",
        "\rS",
        "S\x0b",
        "S\x0ca",
        "S\0",
        "S\0a",
        "S a\0b",
        "S \0",
        "\0",
        "",
        " ",
        "\t",
        "  \t",
        "\n",
        " \n S",
        "S\n",
        "S #",
        "S '",
        "S \"a b\"",
        "S \\",
        "S \u{e4}\u{f6}",
        "S \u{feff}",
        "\u{feff}S",
        "S=",
        "S/",
        "S/.",
        "/",
        ".",
        "..",
        "/nowhere",
        "nowhere",
        "/nowhere a",
        "./tool",
        "tool",
        "./tool a",
        "sub/../tool",
        "./elf/x",
        "./sub",
        "./dangling",
        "./loop",
        "/dev/null",
        "/etc/passwd",
        "./text",
        "./empty",
        "./no-x",
        "./plain",
        "./argument",
        "./link b",
        "/usr/bin/env S",
        "~/x",
        "$HOME",
        "S\x01",
        "S \x7f\x01",
    ];
    for (index, line) in lines.iter().enumerate() {
        let line = line.replace('S', show);
        for (end, text) in
            [("n", format!("#!{line}\n")), ("e", format!("#!{line}")), ("m", format!("#!{line}\nend\n"))]
        {
            let file = File::new(format!("line-{index}-{end}"), text);
            files.push(if ["./text", "./empty"].contains(&&*line) { file.refused() } else { file });
        }
    }
    // Around the end of what the kernel reads: the name, then the name with arguments.
    for length in 250..=258 {
        let name = padded(show, length - 2);
        for (end, tail) in [("n", &b"\n"[..]), ("e", b""), ("b", b" \n"), ("t", b"\t"), ("a", b" a\n")] {
            files.push(File::new(format!("length-{length}-{end}"), [b"#!", &name[..], tail].concat()));
        }
        let line = [b"#!", show.as_bytes(), b" ", &vec![b'y'; length - 3 - show.len()][..]].concat();
        files.push(File::new(format!("argument-{length}"), line.clone()));
        files.push(File::new(format!("argument-{length}-n"), [&line[..], b"\n"].concat()));
        files.push(File::new(format!("argument-{length}-b"), [&line[..], b"  \n"].concat()));
        let blanks = [b"#!", &vec![b' '; length - 2 - show.len()][..], show.as_bytes(), b"\n"].concat();
        files.push(File::new(format!("blanks-{length}"), blanks));
    }
    // Scripts that name scripts.
    for level in 1..=7 {
        let named = if level == 1 { show.to_owned() } else { format!("./level-{}", level - 1) };
        files.push(File::new(format!("level-{level}"), format!("#!{named} arg{level}\n")));
        let named = if level == 1 { "/nowhere".to_owned() } else { format!("./lost-{}", level - 1) };
        files.push(File::new(format!("lost-{level}"), format!("#!{named}\n")));
        let named = if level == 1 { String::new() } else { format!("./broken-{}", level - 1) };
        files.push(File::new(format!("broken-{level}"), format!("#!{named}\n")));
    }
    files.push(File::new("itself", "#!./itself\n"));
    files
}

/// Lines of a few words that matter, joined at random. The seed is fixed: a failure can be looked at again.
fn at_random(show: &str, count: usize) -> Vec<File> {
    let long = String::from_utf8(padded(show, 240)).unwrap();
    let words = [
        show,
        show,
        show,
        show,
        &long,
        " ",
        " ",
        " ",
        "\t",
        "\n",
        "\n",
        "\0",
        "\r",
        "-x",
        "a",
        "b c",
        "/",
        ".",
        "./random-0",
        "#!",
        "\u{e4}",
        "\x0b",
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        "                    ",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below
    };
    let mut file = |index| {
        let mut text = String::from("#!");
        if random(3) > 0 {
            text.push_str(&" ".repeat(random(3)));
            text.push_str(if random(6) == 0 { &long } else { show });
            text.push_str(["", " ", "\n", "\t", " "][random(5)]);
        }
        for _ in 0..random(12) {
            text.push_str(words[random(words.len())]);
        }
        File::new(format!("random-{index}"), text)
    };
    (0..count).map(&mut file).collect()
}
