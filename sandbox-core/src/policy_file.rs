//! The policy file: the options' grants and limits in TOML. Unknown keys are refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::failure::Failure;
use crate::limits::Budget;
use crate::options::{Rules, Run, Without};
use crate::profile::Profile;

/// A policy file larger than this many bytes is a mistake.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    allow: BTreeMap<Spanned<String>, Spanned<Allowed>>,
    limits: BTreeMap<Spanned<String>, Spanned<Amount>>,
    rlimit: BTreeMap<Spanned<String>, Spanned<u64>>,
    without: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Allowed {
    Switch(bool),
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
}

/// Reads a policy file. Relative paths in it begin at its own directory.
///
/// # Errors
/// [`Failure::PolicyFile`] or, with the line, [`Failure::PolicyText`].
pub(crate) fn read(path: &Path, profile: &Profile) -> Result<Rules, Failure> {
    let text = text_of(path).map_err(|source| Failure::PolicyFile { path: path.to_owned(), source })?;
    let reader = Reader { path, text: &text, profile };
    let file: File = toml::from_str(&text)
        .map_err(|error| reader.wrong(error.span().map_or(0, |span| span.start), error.message()))?;
    reader.rules(file)
}

fn text_of(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    let mut text = String::new();
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    Ok(text)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    profile: &'a Profile,
}

impl Reader<'_> {
    fn wrong(&self, offset: usize, cause: &str) -> Failure {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Failure::PolicyText {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            // The message of the parser may have several lines; ours is one.
            cause: cause.lines().collect::<Vec<_>>().join("; "),
        }
    }

    fn rules(&self, file: File) -> Result<Rules, Failure> {
        let mut rules = Rules::default();
        for (key, value) in file.allow {
            self.allow(&mut rules, &key, value)?;
        }
        for (key, value) in file.limits {
            rules.limits.push(self.limit(&key, value)?);
        }
        for (key, value) in file.rlimit {
            let resource = crate::limits::resource(key.get_ref())
                .ok_or_else(|| self.wrong(key.span().start, "no such resource; see getrlimit(2)"))?;
            rules.rlimits.push((resource, value.into_inner()));
        }
        for name in file.without {
            let part = Without::parse(name.get_ref());
            rules.without.push(part.map_err(|cause| self.wrong(name.span().start, cause))?);
        }
        Ok(rules)
    }

    fn allow(
        &self,
        rules: &mut Rules,
        key: &Spanned<String>,
        value: Spanned<Allowed>,
    ) -> Result<(), Failure> {
        let at = key.span().start;
        let expected = |what: &str| self.wrong(at, &format!("{}: {what}", key.get_ref()));
        let list = match value.into_inner() {
            Allowed::Switch(on) => return self.switch(rules, key, on),
            Allowed::One(name) => vec![name],
            Allowed::Many(names) => names,
        };
        if list.iter().any(|name| name.is_empty() || name.contains('\0')) {
            return Err(expected("an empty name"));
        }
        match key.get_ref().as_str() {
            "read" => rules.read = self.paths(list),
            "write" => rules.write = self.paths(list),
            "run" => rules.run = Some(Run::Programs(self.programs(list))),
            "env" if list.iter().any(|name| name.contains('=')) => {
                return Err(expected("a variable's name is expected"));
            }
            "env" => rules.env = list.into_iter().map(Into::into).collect(),
            "net" => return Err(expected("this host has no network to allow")),
            _ if self.extra(key.get_ref()).is_some() => return Err(expected("true or false is expected")),
            _ => return Err(self.wrong(at, &format!("unknown key `{}` in [allow]", key.get_ref()))),
        }
        Ok(())
    }

    fn switch(&self, rules: &mut Rules, key: &Spanned<String>, on: bool) -> Result<(), Failure> {
        let name = key.get_ref().as_str();
        let extra = self.extra(name);
        if name != "run" && extra.is_none() {
            let cause = match name {
                "read" | "write" | "env" => format!("{name}: a list of names is expected"),
                "net" => "net: this host has no network to allow".into(),
                _ => format!("unknown key `{name}` in [allow]"),
            };
            return Err(self.wrong(key.span().start, &cause));
        }
        if on {
            rules.extras.extend(extra);
            rules.run = if name == "run" { Some(Run::System) } else { rules.run.take() };
        }
        Ok(())
    }

    fn extra(&self, name: &str) -> Option<&'static str> {
        let found = self.profile.extras.iter().find(|extra| extra.name == name);
        found.map(|extra| extra.name)
    }

    fn limit(
        &self,
        key: &Spanned<String>,
        value: Spanned<Amount>,
    ) -> Result<(Budget, crate::units::Limit), Failure> {
        let name = key.get_ref();
        let budget = Budget::ALL
            .into_iter()
            .find(|budget| budget.key() == name)
            .ok_or_else(|| self.wrong(key.span().start, &format!("unknown key `{name}` in [limits]")))?;
        let at = value.span().start;
        let text = match value.into_inner() {
            Amount::Number(number) => number.to_string(),
            Amount::Text(text) => text,
        };
        let limit = budget.unit().parse(&text);
        Ok((budget, limit.map_err(|cause| self.wrong(at, &format!("{name}: {cause}")))?))
    }

    fn paths(&self, list: Vec<String>) -> Vec<PathBuf> {
        let base = self.path.parent().unwrap_or(Path::new(""));
        list.into_iter().map(|name| base.join(name)).collect()
    }

    /// A program without a slash is looked up in `PATH`, like one that was typed.
    fn programs(&self, list: Vec<String>) -> Vec<PathBuf> {
        let (paths, names): (Vec<_>, Vec<_>) = list.into_iter().partition(|name| name.contains('/'));
        let names = names.into_iter().map(PathBuf::from);
        self.paths(paths).into_iter().chain(names).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Extra, Grammar, Script};
    use crate::units::Limit;

    static PROFILE: Profile = Profile {
        name: "hx",
        synopsis: "",
        version: "",
        switches: &[],
        grammar: Grammar::PLAIN,
        script: Script::Text,
        environment: &[],
        library: &[],
        launchers: &[],
        extras: &[Extra { name: "bytecode", help: "" }],
        filters: &[],
        threads: false,
        counts_memory: true,
        memory_overhead: 0,
        least_memory: 0,
    };

    fn parse(text: &str) -> Result<Rules, String> {
        let reader = Reader { path: Path::new("d/p.toml"), text, profile: &PROFILE };
        let file = toml::from_str(text)
            .map_err(|error| reader.wrong(error.span().map_or(0, |span| span.start), error.message()));
        file.and_then(|file| reader.rules(file)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_whole_policy() {
        let rules = parse(
            "without = [\"neutering\"]\n[allow]\nread = [\"a\", \"/b\"]\nwrite = \"c\"\nrun = true\nenv = [\"X\"]\n\
             bytecode = true\n[limits]\nmemory = \"7M\"\nfiles = 9\ntime = \"none\"\n[rlimit]\nnofile = 5\n",
        )
        .unwrap();
        assert_eq!(rules.read, [PathBuf::from("d/a"), PathBuf::from("/b")]);
        assert_eq!(rules.write, [PathBuf::from("d/c")]);
        assert_eq!(rules.run, Some(Run::System));
        assert_eq!(rules.env, ["X"]);
        assert_eq!(rules.extras, ["bytecode"]);
        let limits = [
            (Budget::Files, Limit::At(9)),
            (Budget::Memory, Limit::At(7 << 20)),
            (Budget::Time, Limit::None),
        ];
        assert_eq!(rules.limits, limits);
        assert_eq!(rules.rlimits, [(rlimit::Resource::NOFILE, 5)]);
        assert_eq!(rules.without, [Without::Neutering]);
    }

    #[test]
    fn mistakes_have_a_line() {
        let table = [
            ("[allow]\nreed = [\"a\"]", "d/p.toml:2: unknown key `reed` in [allow]"),
            (
                "[limits]\nmemory = \"7X\"",
                "d/p.toml:2: memory: bytes are expected, such as 4096, 512M, 1GiB, or none",
            ),
            ("[limits]\n\nspeed = 1", "d/p.toml:3: unknown key `speed` in [limits]"),
            ("[allow]\nread = true", "d/p.toml:2: read: a list of names is expected"),
            ("[allow]\nnet = true", "d/p.toml:2: net: this host has no network to allow"),
            ("[allow]\nbytecode = \"x\"", "d/p.toml:2: bytecode: true or false is expected"),
            ("[allow]\nread = [\"\"]", "d/p.toml:2: read: an empty name"),
            ("[rlimit]\nfoo = 1", "d/p.toml:2: no such resource; see getrlimit(2)"),
            ("without = [\"sleep\"]", "d/p.toml:1: landlock, seccomp, neutering or scopes is expected"),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        for text in ["[allow", "x = 1", "[allow]\nread = 7", "[limits]\ncpu = -1", "a = 1\na = 2"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("d/p.toml:") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn false_grants_nothing() {
        assert_eq!(parse("[allow]\nrun = false\nbytecode = false"), Ok(Rules::default()));
    }
}
