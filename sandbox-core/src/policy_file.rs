//! The policy file: the options' grants and limits in TOML. Unknown keys are refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::Utf8Chunk;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use toml::Spanned;

use crate::failure::{Failure, NoPort};
use crate::limits::Budget;
use crate::net::Net;
use crate::options::{Rules, Run, Without, nearest};
use crate::profile::Profile;

/// A policy file larger than this many bytes is a mistake.
const LARGEST: u64 = 1 << 20;

const NO_NETWORK: &str = "this host has no network to allow";

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
    One(Name),
    Many(Vec<Name>),
}

/// A name; a port may stand as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Name {
    Number(i64),
    Text(String),
}

impl Name {
    fn text(self, key: &str) -> Option<String> {
        match self {
            Name::Text(text) => Some(text),
            Name::Number(port) => (key == "net").then(|| port.to_string()),
        }
    }
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
    let bytes = bytes_of(path).map_err(|source| Failure::PolicyFile { path: path.to_owned(), source })?;
    parse(path, &bytes, profile)
}

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8], profile: &Profile) -> Result<Rules, Failure> {
    let chunk = bytes.utf8_chunks().next();
    let text = chunk.as_ref().map_or("", Utf8Chunk::valid);
    let reader = Reader { path, text, profile };
    if text.len() < bytes.len() {
        return Err(reader.wrong(text.len(), "this is no UTF-8 text"));
    }
    let keys: BTreeMap<Spanned<String>, IgnoredAny> = reader.read()?;
    if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.get_ref().as_str())) {
        return Err(reader.unknown(key, "", KEYS.into_iter()));
    }
    reader.rules(reader.read()?)
}

/// What stands at the top of a policy file.
const KEYS: [&str; 4] = ["allow", "limits", "rlimit", "without"];

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    profile: &'a Profile,
}

impl Reader<'_> {
    fn wrong(&self, offset: usize, cause: &str) -> Failure {
        self.failure(offset, cause, None)
    }

    fn failure(&self, offset: usize, cause: &str, suggestion: Option<String>) -> Failure {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Failure::PolicyText {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            // The message of the parser may have several lines; ours is one.
            cause: cause.lines().collect::<Vec<_>>().join("; "),
            suggestion,
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        toml::from_str(self.text)
            .map_err(|error| self.wrong(error.span().map_or(0, |span| span.start), error.message()))
    }

    /// The error of a key that nobody knows; `place` says in which table, `known` what there is.
    fn unknown<'n>(
        &self,
        key: &Spanned<String>,
        place: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Failure {
        let name = key.get_ref();
        let suggestion = nearest(name, known.map(str::to_owned));
        self.failure(key.span().start, &format!("unknown key '{name}'{place}"), suggestion)
    }

    fn unknown_grant(&self, key: &Spanned<String>) -> Failure {
        let extras = self.profile.extras.iter().map(|extra| extra.name);
        self.unknown(key, " in [allow]", ["read", "write", "run", "env"].into_iter().chain(extras))
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
        let names = list.into_iter().map(|name| name.text(key.get_ref())).collect::<Option<Vec<_>>>();
        let list = names.ok_or_else(|| expected("a list of names is expected"))?;
        if list.iter().any(|name| name.is_empty() || name.contains('\0')) {
            return Err(expected("an empty name"));
        }
        match key.get_ref().as_str() {
            "read" => rules.read = self.paths(list),
            "write" => rules.write = self.paths(list),
            "run" => rules.run = Some(Run::programs(self.programs(list))),
            "env" if list.iter().any(|name| name.contains('=')) => {
                return Err(expected("a variable's name is expected"));
            }
            "env" => rules.env = list.into_iter().map(Into::into).collect(),
            "net" if !self.profile.sockets => return Err(expected(NO_NETWORK)),
            "net" => {
                for name in list {
                    let net = Net::parse(&name).map_err(|cause| expected(&format!("{name}: {cause}")))?;
                    rules.net.extend(net);
                }
            }
            _ if self.extra(key.get_ref()).is_some() => return Err(expected("true or false is expected")),
            _ => return Err(self.unknown_grant(key)),
        }
        Ok(())
    }

    fn switch(&self, rules: &mut Rules, key: &Spanned<String>, on: bool) -> Result<(), Failure> {
        let name = key.get_ref().as_str();
        let extra = self.extra(name);
        if name != "run" && extra.is_none() {
            let cause = match name {
                "read" | "write" | "env" => format!("{name}: a list of names is expected"),
                "net" if !self.profile.sockets => format!("net: {NO_NETWORK}"),
                "net" => format!("net: {}", NoPort::Number),
                _ => return Err(self.unknown_grant(key)),
            };
            return Err(self.wrong(key.span().start, &cause));
        }
        if name == "run" {
            rules.run = Some(Run::system(on));
        }
        if on {
            rules.extras.extend(extra);
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
            .ok_or_else(|| self.unknown(key, " in [limits]", Budget::ALL.into_iter().map(Budget::key)))?;
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
    use crate::profile::{Extra, Grammar};
    use crate::units::Limit;

    static PROFILE: Profile = Profile {
        name: "hx",
        synopsis: "",
        version: "",
        switches: &[],
        grammar: Grammar::PLAIN,
        environment: &[],
        library: &[],
        launchers: &[],
        sockets: true,
        messages: false,
        extras: &[Extra { name: "bytecode", help: "" }],
        neutered: &[],
        filters: &[],
        threads: false,
        counts_memory: true,
        memory: 1 << 30,
        jit: None,
        memory_overhead: 0,
        least_memory: 0,
        launches: false,
    };

    fn parse(text: &str) -> Result<Rules, String> {
        super::parse(Path::new("d/p.toml"), text.as_bytes(), &PROFILE).map_err(|failure| failure.to_string())
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
        assert_eq!(rules.run, Some(Run::system(true)));
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
            ("[allow]\nreed = [\"a\"]", "d/p.toml:2: unknown key 'reed' in [allow]"),
            (
                "[limits]\nmemory = \"7X\"",
                "d/p.toml:2: memory: bytes are expected, such as 4096, 512M, 1GiB, or none",
            ),
            ("[limits]\n\nspeed = 1", "d/p.toml:3: unknown key 'speed' in [limits]"),
            ("[allow]\nread = true", "d/p.toml:2: read: a list of names is expected"),
            (
                "[allow]\nnet = true",
                "d/p.toml:2: net: a TCP port from 1 to 65535 is expected, such as 8080, connect:443 or listen:8080",
            ),
            (
                "[allow]\nnet = [80, 70000]",
                "d/p.toml:2: net: 70000: a TCP port from 1 to 65535 is expected, such as 8080, connect:443 or \
                 listen:8080",
            ),
            ("[allow]\nread = [7]", "d/p.toml:2: read: a list of names is expected"),
            ("[allow]\nbytecode = \"x\"", "d/p.toml:2: bytecode: true or false is expected"),
            ("[allow]\nread = [\"\"]", "d/p.toml:2: read: an empty name"),
            ("[rlimit]\nfoo = 1", "d/p.toml:2: no such resource; see getrlimit(2)"),
            ("[limits]\n[alow]\nread = []", "d/p.toml:2: unknown key 'alow'"),
            ("x = 1", "d/p.toml:1: unknown key 'x'"),
            ("without = [\"sleep\"]", "d/p.toml:1: landlock, seccomp, neutering or scopes is expected"),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        for text in ["[allow", "[allow]\nread = 7", "[limits]\ncpu = -1", "a = 1\na = 2"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("d/p.toml:") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn what_is_no_text_has_a_line() {
        let failure =
            super::parse(Path::new("p.toml"), b"[allow]\n\nread = [\"\xff\"]", &PROFILE).unwrap_err();
        assert_eq!(failure.to_string(), "p.toml:3: this is no UTF-8 text");
    }

    #[test]
    fn the_nearest_key_is_named() {
        for (text, hint) in [
            ("[alow]", Some("'allow' exists")),
            ("[allow]\nreed = [\"a\"]", Some("'read' exists")),
            ("[allow]\nbitecode = true", Some("'bytecode' exists")),
            ("[limits]\nmemroy = 1", Some("'memory' exists")),
            ("[limits]\nfrobnicate = 1", None),
        ] {
            let failure = super::parse(Path::new("p"), text.as_bytes(), &PROFILE).unwrap_err();
            assert_eq!(failure.hint().as_deref(), hint, "{text}");
        }
    }

    #[test]
    fn false_grants_nothing() {
        assert_eq!(
            parse("[allow]\nrun = false\nbytecode = false"),
            Ok(Rules { run: Some(Run::system(false)), ..Rules::default() })
        );
    }
}
