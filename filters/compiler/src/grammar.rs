//! From text to rules. Every name is looked up here, for every architecture, so that a rule cannot hold a misspelling.

use std::fmt;

use crate::constants::{constant_value, errno_value};
use crate::ruleset::{Action, Condition, Rule};
use crate::{Arch, Call};

/// What a file may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `base.filter` and the host's own: always in force.
    Closed,
    /// A grant: it may only open.
    Grant,
}

/// A file of rules, already read.
#[derive(Clone, Debug)]
pub struct Text {
    /// How errors name it.
    pub name: String,
    /// What it may say.
    pub role: Role,
    /// What it says.
    pub content: String,
}

/// Where a rule stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why the rules were not accepted, with file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn at(place: &Place, cause: impl fmt::Display) -> Error {
        Error(format!("{place}: {cause}"))
    }

    pub(crate) fn new(sentence: String) -> Error {
        Error(sentence)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What one statement says.
pub(crate) enum Statement {
    /// The answer to calls that no rule decides.
    Default(Place, Action),
    /// One rule for each call that the line names.
    Rules(Vec<Rule>),
}

/// A line with its continuations.
struct Sentence {
    place: Place,
    words: Vec<String>,
    has_reason: bool,
}

impl Sentence {
    /// Appends words. A word that begins with `|` goes on with the last one: `A|B` may be broken before the bar.
    fn extend(&mut self, statement: &str) {
        for word in statement.split_whitespace() {
            match self.words.last_mut() {
                Some(last) if word.starts_with('|') => last.push_str(word),
                _ => self.words.push(word.to_owned()),
            }
        }
    }
}

/// Reads all statements of a file.
pub(crate) fn statements(text: &Text) -> Result<Vec<Statement>, Error> {
    sentences(text)?.iter().map(|sentence| statement(sentence, text.role)).collect()
}

/// Joins continued lines. A blank line or a comment at the margin ends a sentence.
fn sentences(text: &Text) -> Result<Vec<Sentence>, Error> {
    let mut found: Vec<Sentence> = Vec::new();
    let mut open = false;
    for (index, line) in text.content.lines().enumerate() {
        let place = Place { file: text.name.clone(), line: index + 1 };
        let indented = line.starts_with([' ', '\t']);
        let (statement, reason) = line.split_once('#').unwrap_or((line, ""));
        let empty = statement.trim().is_empty();
        if empty && !(indented && open && !reason.is_empty()) {
            open = false;
            continue;
        }
        if !indented {
            found.push(Sentence { place: place.clone(), words: Vec::new(), has_reason: false });
            open = true;
        }
        match found.last_mut() {
            Some(sentence) if open => {
                sentence.extend(statement);
                sentence.has_reason |= !reason.trim().is_empty();
            }
            _ => return Err(Error::at(&place, "an indented line that continues nothing")),
        }
    }
    Ok(found)
}

fn statement(sentence: &Sentence, role: Role) -> Result<Statement, Error> {
    let place = &sentence.place;
    if !sentence.has_reason {
        return Err(Error::at(place, "a rule without a reason: end it with '# why'"));
    }
    let words: Vec<&str> = sentence.words.iter().map(String::as_str).collect();
    if let ["default", rest @ ..] = words.as_slice() {
        return default(place, rest, role);
    }
    let (action, rest) = action(place, &words)?;
    if role == Role::Grant && action != Action::Allow {
        return Err(Error::at(place, "a grant may only hold 'allow'"));
    }
    let (calls, conditions) = split_conditions(rest);
    let when = conditions.map_or(Ok(Vec::new()), |words| all_conditions(place, words))?;
    if calls.is_empty() {
        return Err(Error::at(place, "the rule names no system call"));
    }
    let rule = |name: &&str| rule(sentence, role, action, name, &when);
    Ok(Statement::Rules(calls.iter().map(rule).collect::<Result<_, _>>()?))
}

fn default(place: &Place, words: &[&str], role: Role) -> Result<Statement, Error> {
    if role == Role::Grant {
        return Err(Error::at(place, "a grant may only hold 'allow'"));
    }
    match words {
        ["errno", name] => Ok(Statement::Default(place.clone(), errno(place, name)?)),
        _ => Err(Error::at(place, "expected 'default errno NAME'")),
    }
}

fn action<'a, 'b>(place: &Place, words: &'a [&'b str]) -> Result<(Action, &'a [&'b str]), Error> {
    match words {
        ["allow", rest @ ..] => Ok((Action::Allow, rest)),
        ["kill", rest @ ..] => Ok((Action::Kill, rest)),
        ["errno", name, rest @ ..] => Ok((errno(place, name)?, rest)),
        _ => Err(Error::at(place, "expected 'default', 'allow', 'errno NAME' or 'kill'")),
    }
}

fn errno(place: &Place, name: &str) -> Result<Action, Error> {
    errno_value(name)
        .map(Action::Errno)
        .ok_or_else(|| Error::at(place, format!("unknown error name '{name}'")))
}

fn rule(
    sentence: &Sentence,
    role: Role,
    action: Action,
    name: &str,
    when: &[Condition],
) -> Result<Rule, Error> {
    let place = sentence.place.clone();
    match Call::named(name) {
        Some(call) => Ok(Rule::new(action, call, when.to_vec(), place, role)),
        None => Err(Error::at(&place, format!("unknown system call '{name}'"))),
    }
}

/// Splits at the first 'if'.
fn split_conditions<'a, 'b>(words: &'a [&'b str]) -> (&'a [&'b str], Option<&'a [&'b str]>) {
    match words.iter().position(|word| *word == "if") {
        Some(at) => (&words[..at], Some(&words[at + 1..])),
        None => (words, None),
    }
}

fn all_conditions(place: &Place, words: &[&str]) -> Result<Vec<Condition>, Error> {
    words.split(|word| *word == "and").map(|words| condition(place, words)).collect()
}

fn condition(place: &Place, words: &[&str]) -> Result<Condition, Error> {
    let [argument, operator, value] = words else {
        return Err(Error::at(
            place,
            "expected 'argN is VALUE', 'argN has BITS' or 'argN lacks BITS', joined by 'and'",
        ));
    };
    let argument = argument_index(place, argument)?;
    if (*operator, *value) == ("is", "NULL") {
        return Ok(Condition::null(argument));
    }
    let bits = [bits(place, value, Arch::ALL[0])?, bits(place, value, Arch::ALL[1])?];
    match *operator {
        "is" => Ok(Condition::is(argument, bits)),
        "has" | "lacks" if bits.contains(&0) => {
            Err(Error::at(place, format!("'{value}' has no bits to test")))
        }
        "has" => Ok(Condition::has(argument, bits)),
        "lacks" => Ok(Condition::lacks(argument, bits)),
        _ => Err(Error::at(
            place,
            format!("unknown comparison '{operator}': there are 'is', 'has' and 'lacks'"),
        )),
    }
}

fn argument_index(place: &Place, word: &str) -> Result<usize, Error> {
    ["arg0", "arg1", "arg2", "arg3", "arg4", "arg5"]
        .iter()
        .position(|name| *name == word)
        .ok_or_else(|| Error::at(place, format!("expected arg0 to arg5, not '{word}'")))
}

/// `A|B|0x10`: names and numbers, joined without blanks.
fn bits(place: &Place, word: &str, arch: Arch) -> Result<u32, Error> {
    let mut all = 0;
    for part in word.split('|') {
        all |= number(part)
            .or_else(|| constant_value(part, arch))
            .ok_or_else(|| Error::at(place, format!("unknown constant '{part}'")))?;
    }
    Ok(all)
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}
