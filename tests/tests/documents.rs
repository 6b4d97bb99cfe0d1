//! The manual pages and the tutorial: their examples are run, and the pages are well formed.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::harness;
use casebook::identity::Identity;
use casebook::machine::Machine;
use casebook::transcript;
use libtest_mimic::{Completion, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    harness::main(trials)
}

fn trials(binaries: &'static Binaries) -> Result<Vec<Trial>> {
    let machine = harness::shared(Machine::new(binaries));
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("doc");
    let pages = files(&doc.join("man"))?;
    let documents = files(&doc)?.into_iter().filter(|file| file.extension().is_some_and(|e| e == "md"));
    let mut trials = Vec::new();
    for page in &pages {
        let page = page.clone();
        trials.push(Trial::ignorable_test(format!("lint/{}", name(&page)), move || {
            with(&["man", "groff", "mandoc"], || lint(&page))
        }));
    }
    for document in pages.into_iter().chain(documents) {
        for identity in Identity::available() {
            let document = document.clone();
            let name = format!("examples/{} {}", name(&document), identity.suffix());
            trials.push(Trial::ignorable_test(name, move || {
                if let Some(program) = unbuilt(&document, binaries) {
                    return harness::skip(&program, &format!("{program} was not built"));
                }
                let text = std::fs::read_to_string(&document)?;
                let namespaces = text.contains("$ unshare").then(|| machine.lacks("userns", *identity));
                if let Some(reason) = namespaces.flatten() {
                    return harness::skip("userns", &reason);
                }
                let programs: Vec<_> = ["strace"].into_iter().filter(|name| text.contains(*name)).collect();
                with(&programs, || transcript::run(&document, *identity, binaries))
            }));
        }
    }
    Ok(trials)
}

/// The program that a page is about, where it is not there: not every distribution has what hnode needs.
fn unbuilt(document: &Path, binaries: &Binaries) -> Option<String> {
    let program = document.file_stem()?.to_string_lossy().into_owned();
    let command = document.extension().is_some_and(|section| section == "1");
    (command && !binaries.hlua.with_file_name(&program).exists()).then_some(program)
}

/// Run something that needs programs.
fn with(
    programs: &[&str],
    run: impl FnOnce() -> Result<()>,
) -> std::result::Result<Completion, libtest_mimic::Failed> {
    for program in programs {
        let file = Path::new("/usr/bin").join(program);
        if !file.exists() {
            return harness::skip(program, &format!("there is no {}", file.display()));
        }
    }
    run()?;
    Ok(Completion::Completed)
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| format!("cannot read {}: {e}", directory.display());
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut files: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// As Debian's checker asks, and as OpenBSD's reader does.
fn lint(page: &Path) -> Result<()> {
    let mut groff = Command::new("man");
    groff.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(page);
    groff.env("LC_ALL", "C.UTF-8").env("MANROFFSEQ", "").env("MANWIDTH", "80");
    silent(groff.output(), |output| output.stderr.clone(), "man --warnings")?;
    // Our other pages it looks for where it runs.
    let mut mandoc = Command::new("mandoc");
    mandoc.arg("-Tlint").arg(name(page)).current_dir(page.with_file_name(""));
    silent(mandoc.output(), |output| output.stdout.clone(), "mandoc -Tlint")
}

fn silent(
    output: std::io::Result<std::process::Output>,
    complaints: impl Fn(&std::process::Output) -> Vec<u8>,
    what: &str,
) -> Result<()> {
    let output = output.map_err(|e| format!("{what}: {e}"))?;
    let text = String::from_utf8_lossy(&complaints(&output)).into_owned();
    let text: Vec<_> = text.lines().filter(|line| !about_this_machine(line)).collect();
    if text.is_empty() { Ok(()) } else { Err(format!("{what}:\n{}", text.join("\n"))) }
}

/// Which manuals of others are installed here, and whether their index is up to date, says nothing about ours.
fn about_this_machine(complaint: &str) -> bool {
    let missing = complaint.split_once("referenced manual not found: Xr ").map(|(_, page)| page);
    complaint.contains("outdated mandoc.db") || missing.is_some_and(|page| !page.starts_with('h'))
}
