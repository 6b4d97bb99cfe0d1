//! The evaluator as a library: starts what it says, and tells what came of it as `starter.c` does.

use std::ffi::{CString, OsStr};
use std::io::{self, BufRead};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use shebang::{Chain, Local, Verdict, resolve};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        let Ok(path) = CString::new(line.clone()) else { continue };
        let line = line.escape_ascii();
        match resolve(&mut Local::here(), &path) {
            Verdict::Native => println!("{line}: native"),
            Verdict::Fail(errno) => println!("{line}: {errno}"),
            Verdict::Run(chain) => match run(&chain, &path) {
                Ok(output) => println!("{line}: 0 {}", String::from_utf8_lossy(&output)),
                Err(error) => println!("{line}: {}", error.raw_os_error().unwrap_or(-1)),
            },
        }
    }
    Ok(())
}

fn run(chain: &Chain, path: &CString) -> io::Result<Vec<u8>> {
    let words = chain.arguments(path).map(|word| std::ffi::OsString::from_vec(word.to_bytes().to_vec()));
    let words: Vec<_> = words.collect();
    // The kernel looks for no program in `PATH`.
    let program = Path::new(".").join(OsStr::from_bytes(chain.program().to_bytes()));
    let mut command = Command::new(program);
    command.arg0(&words[0]).args(&words[1..]).args(["one", "two words"]);
    Ok(command.stdin(Stdio::null()).stderr(Stdio::null()).output()?.stdout)
}
