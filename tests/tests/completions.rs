//! The completions, in the shells themselves: keys are typed on a terminal, and the line is looked at after a tab.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::fixture::Fixture;
use casebook::harness;
use casebook::identity::Identity;
use casebook::job::{Input, Job, Output};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is typed before the tab, and what the line is after it; but for a blank or an `=` at its end, in which shells differ.
const LINES: &[(&str, &str)] = &[
    ("hlua --allow-rea", "hlua --allow-read"),
    ("hlua --limit-tim", "hlua --limit-time"),
    ("hlua --allow-byt", "hlua --allow-bytecode"),
    ("hpython --expl", "hpython --explain"),
    ("hpython --check-h", "hpython --check-hash-based-pycs"),
    // Lua has no sockets.
    ("hlua --allow-ne", "hlua --allow-ne"),
    ("hpython --allow-ne", "hpython --allow-net"),
    // Values.
    ("hlua --without=secc", "hlua --without=seccomp"),
    ("hpython --allow-net=con", "hpython --allow-net=connect:"),
    ("hpython --rlimit=nof", "hpython --rlimit=nofile"),
    ("hlua --allow-env=ALICES_VARI", "hlua --allow-env=ALICES_VARIABLE"),
    ("hlua --allow-run=alices-pro", "hlua --allow-run=alices-program"),
    ("hlua --allow-read=direc", "hlua --allow-read=directory/"),
    ("hpython --policy=direc", "hpython --policy=directory/"),
    ("hlua --allow-read=directory/in", "hlua --allow-read=directory/inside"),
    ("hlua --allow-read direc", "hlua --allow-read directory/"),
    // After what takes a value it goes on; after the script all belongs to the script.
    ("hlua -e x --allow-rea", "hlua -e x --allow-read"),
    ("hlua --allow-read x --allow-wr", "hlua --allow-read x --allow-write"),
    ("hpython -W error --allow-rea", "hpython -W error --allow-read"),
    ("hlua gam", "hlua game.lua"),
    ("hlua --explain gam", "hlua --explain game.lua"),
    ("hlua game.lua --allow-rea", "hlua game.lua --allow-rea"),
    ("hlua game.lua gam", "hlua game.lua game.lua"),
    ("hpython -m module --allow-rea", "hpython -m module --allow-rea"),
    ("hpython - --allow-rea", "hpython - --allow-rea"),
    // hsh: options with a plus sign as well.
    ("hsh --allow-ru", "hsh --allow-run"),
    ("hsh --login --noprof", "hsh --login --noprofile"),
    ("hsh -o pipefail --private", "hsh -o pipefail --private-tmp"),
    ("hsh +x --private", "hsh +x --private-tmp"),
    ("hsh gam", "hsh game.lua"),
    ("hsh game.lua --private", "hsh game.lua --private"),
    // hnode: its own long options take values.
    ("hnode --jitl", "hnode --jitless"),
    ("hnode --policy=direc", "hnode --policy=directory/"),
    ("hnode --eval 1 --jitl", "hnode --eval 1 --jitless"),
    ("hnode -r x --allow-ne", "hnode -r x --allow-net"),
    ("hnode game.lua --jitl", "hnode game.lua --jitl"),
    // hexec: a command follows, and files.
    ("hexec --restr", "hexec --restrict-file"),
    ("hexec --by=pre", "hexec --by=preload"),
    ("hexec --by pre", "hexec --by preload"),
    ("hexec --skip=alices-pro", "hexec --skip=alices-program"),
    ("hexec alices-pro", "hexec alices-program"),
    ("hexec --by=preload alices-pro", "hexec --by=preload alices-program"),
    ("hexec --skip make -- alices-pro", "hexec --skip make -- alices-program"),
    ("hexec alices-program gam", "hexec alices-program game.lua"),
    ("hexec alices-program --restr", "hexec alices-program --restr"),
];

/// A shell: how it is started, and what makes it read the completions and write its line to `lines` at Ctrl-G, and forget
/// it. (Ctrl-U would be the terminal's where a shell is not yet ready.)
struct Shell {
    name: &'static str,
    arguments: &'static [&'static str],
    setup: &'static str,
}

const SHELLS: [Shell; 3] = [
    Shell {
        name: "bash",
        arguments: &["--norc", "--noprofile", "-i"],
        setup: r#"for f in {doc}/bash/*; do . "$f"; done; bind -x '"\C-g": printf "%s\n" "$READLINE_LINE" >>lines; READLINE_LINE='
"#,
    },
    Shell {
        name: "zsh",
        arguments: &["-f", "-i"],
        setup: r#"fpath=({doc}/zsh $fpath); autoload -Uz compinit; compinit -u -D
show() { print -r -- "$BUFFER" >>lines; BUFFER= }; zle -N show; bindkey -e; bindkey '^G' show
"#,
    },
    Shell {
        name: "fish",
        arguments: &["--no-config", "-i"],
        setup: r#"for f in {doc}/fish/*; source $f; end; bind \cg 'commandline >>lines; commandline ""'
"#,
    },
];

fn main() -> ExitCode {
    harness::main(|binaries| {
        let trial = |shell: Shell| {
            Trial::ignorable_test(format!("completions/{}", shell.name), move || {
                let file = Path::new("/usr/bin").join(shell.name);
                if !file.exists() {
                    return harness::skip(shell.name, &format!("there is no {}", file.display()));
                }
                try_lines(&shell, &file, binaries)?;
                Ok(libtest_mimic::Completion::Completed)
            })
        };
        Ok(SHELLS.into_iter().map(trial).collect())
    })
}

fn try_lines(shell: &Shell, file: &Path, binaries: &Binaries) -> Result<()> {
    let identity = *Identity::available().last().ok_or("nobody can run this")?;
    let fixture = Fixture::empty(identity, binaries)?;
    for name in ["directory/inside", "game.lua", "bin/alices-program"] {
        fixture.write(&fixture.path(name), b"")?;
    }
    open_to_all(&fixture.path("bin/alices-program"))?;
    job(shell, file, identity, &fixture)?.run()?;
    let seen =
        std::fs::read_to_string(fixture.path("lines")).map_err(|e| format!("no line was seen: {e}"))?;
    let mut seen = seen.lines();
    let mut wrong = Vec::new();
    for (typed, expected) in LINES {
        let line = seen.next().ok_or_else(|| format!("`{typed}` was not reached"))?;
        if line.trim_end_matches([' ', '=']) != *expected {
            wrong.push(format!("`{typed}` became `{line}` and not `{expected}`"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn job(shell: &Shell, file: &Path, identity: Identity, fixture: &Fixture) -> Result<Job> {
    let doc = copies(fixture)?;
    let mut typed = shell.setup.replace("{doc}", &doc.display().to_string());
    for (line, _) in LINES {
        // Tab, Ctrl-G.
        typed.push_str(&format!("{line}\t\u{7}\n"));
    }
    typed.push_str("exit\n");
    let directory = fixture.directory();
    let path = format!("{}/bin:/usr/bin:/bin", directory.display());
    let variables = [
        ("PATH", path),
        ("HOME", directory.display().to_string()),
        ("TERM", "vt100".to_owned()),
        ("LC_ALL", "C.UTF-8".to_owned()),
        ("ALICES_VARIABLE", "1".to_owned()),
    ];
    Ok(Job {
        program: file.to_owned(),
        args: shell.arguments.iter().map(Into::into).collect(),
        environment: variables.map(|(name, value)| (name.into(), value.into())).to_vec(),
        directory,
        input: Input::Terminal(typed.into_bytes()),
        output: Output::Terminal,
        identity: Some(identity),
        ..Job::default()
    })
}

/// The completions where everybody can read them: the checkout may be in root's home.
fn copies(fixture: &Fixture) -> Result<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("doc/completions");
    for shell in SHELLS {
        let directory = from.join(shell.name);
        let entries = std::fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        for file in entries.flatten().map(|entry| entry.path()) {
            let text = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            fixture.write(&fixture.base().join("completions").join(shell.name).join(name), &text)?;
        }
    }
    Ok(fixture.base().join("completions"))
}

fn open_to_all(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(file, mode).map_err(|e| format!("{}: {e}", file.display()))
}
