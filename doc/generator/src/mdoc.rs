//! The parts of manual pages that are generated, in mdoc(7).

use std::fmt::Write as _;

use sandbox_core::flags::Takes;
use sandbox_core::limits::{Budget, Limits};
use sandbox_core::options::Without;
use sandbox_core::{Lift, Neutered, Switch, outcome};

use crate::shell::{Command, Shown};

/// Begins a part that is generated; its name follows.
const BEGIN: &str = r#".\" begin "#;
/// Ends it.
const END: &str = r#".\" end"#;

/// The page with what stands between the comments written anew.
///
/// # Errors
/// A name that nobody knows, or a part without an end.
pub fn refresh(text: &str, command: Option<&Command>) -> Result<String, String> {
    let mut fresh = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        fresh.push('\n');
        if let Some(name) = line.strip_prefix(BEGIN) {
            fresh.push_str(&part(name, command).ok_or_else(|| format!("nobody knows the part '{name}'"))?);
            lines.find(|line| *line == END).ok_or_else(|| format!("the part '{name}' does not end"))?;
            fresh.push_str(END);
            fresh.push('\n');
        }
    }
    Ok(fresh)
}

fn part(name: &str, command: Option<&Command>) -> Option<String> {
    let host = command.and_then(|command| command.host);
    Some(match (name, command) {
        ("synopsis", Some(command)) => synopsis(host.map(|_| "sandbox_options"), command.synopsis),
        ("options", Some(command)) => options(&command.options),
        ("switches", Some(command)) => switches(command.switches()),
        ("neutered", Some(_)) => neutered(host?.neutered),
        ("statuses", Some(_)) => host.map(|_| statuses())?,
        ("limits", None) => limits(),
        ("parts", None) => list(Without::ALL.map(|part| (format!("Cm {}", part.name()), String::new()))),
        _ => return None,
    })
}

/// Text that no line of it can be taken for a request, nor a backslash for an escape.
fn escape(text: &str) -> String {
    let text = text.replace('\\', r"\e");
    if text.starts_with(['.', '\'']) { format!(r"\&{text}") } else { text }
}

/// A word as an argument of a macro.
fn word(text: &str) -> String {
    let text = escape(text).replace('"', r"\(dq");
    if text.contains(' ') { format!("\"{text}\"") } else { text }
}

/// A table's line, which begins small and has no full stop, as a sentence.
fn sentence(text: &str) -> String {
    let (text, default) = match text.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
        Some((text, default)) => (text, format!("\nThe default is {default}.")),
        None => (text, String::new()),
    };
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{}{default}", wrap(&format!("{first}{}.", letters.as_str())))
}

/// Lines that mandoc(1) takes for no mistake.
fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}

/// Columns of a line of text.
const WIDTH: usize = 76;

/// A list of tags, each with a text.
fn list(items: impl IntoIterator<Item = (String, String)>) -> String {
    let mut text = ".Bl -tag -width Ds\n".to_owned();
    for (tag, body) in items {
        // Writing to a string cannot fail.
        let _ = write!(text, ".It {tag}\n{body}{}", if body.is_empty() { "" } else { "\n" });
    }
    text + ".El\n"
}

fn options(options: &[Shown]) -> String {
    list(options.iter().map(|option| {
        let value = match option.takes {
            Takes::Nothing => String::new(),
            Takes::Value(name) => format!(" Ns = Ns Ar {name}"),
            Takes::Optional(name) => format!(" Ns Op = Ns Ar {name}"),
        };
        (format!("Fl -{}{value}", option.name), sentence(&option.help))
    }))
}

fn switches(switches: &[Switch]) -> String {
    list(switches.iter().map(|switch| {
        let name = word(switch.name.strip_prefix('-').unwrap_or(switch.name));
        (format!("Fl {name}{}", if switch.value { " Ar value" } else { "" }), sentence(switch.help))
    }))
}

fn neutered(neutered: &[Neutered]) -> String {
    list(neutered.iter().map(|neutered| {
        let body = match (neutered.lift, neutered.lift.flag()) {
            (Lift::Nothing(why), _) => wrap(&format!("Nothing lifts it: {why}.")),
            (_, flag) => {
                let flag = flag.unwrap_or_default();
                let (name, value) = flag.split_once('=').unwrap_or((&flag, ""));
                let value = match value {
                    "" => String::new(),
                    name if name.chars().all(|c| c.is_ascii_uppercase()) => format!(" Ns = Ns Ar {name}"),
                    name => format!(" Ns = Ns Cm {name}"),
                };
                format!(".Fl {}{value}\nlifts it.", name.trim_start_matches('-').replacen("", "-", 1))
            }
        };
        (format!("Li {}", word(neutered.what)), body)
    }))
}

fn statuses() -> String {
    let rows = [
        (outcome::TIME, "The budget of\n.Fl -limit-time\nis used up."),
        (
            outcome::SANDBOX,
            "An option of the sandbox, a policy file or a grant is wrong, or the sandbox\ncannot be entered.",
        ),
        (outcome::CPU, "The budget of\n.Fl -limit-cpu\nis used up."),
    ];
    list(rows.map(|(status, text)| (status.to_string(), text.to_owned())))
}

fn limits() -> String {
    list(Budget::ALL.map(|budget| {
        let tag = format!("Cm {}", budget.key());
        (tag, format!("The default is\n.Cm {} .", Limits::default().show(budget)))
    }))
}

/// The usage line: what stands in brackets is optional, words with a dash are options.
fn synopsis(first: Option<&str>, usage: &str) -> String {
    let mut text = ".Nm\n".to_owned();
    text.extend(first.map(|first| format!(".Op Ar {first}\n")));
    let spaced = usage.replace('[', " [ ").replace(']', " ] ");
    let (mut depth, mut line) = (0_usize, String::new());
    for token in spaced.split_whitespace() {
        match token {
            "[" => {
                depth += 1;
                line.push_str(if line.is_empty() { ".Op" } else { " Op" });
            }
            "]" => depth = depth.saturating_sub(1),
            _ if line.is_empty() => line = format!(".{}", argument(token)),
            _ => line.push_str(&format!(" {}", argument(token))),
        }
        if depth == 0 {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        }
    }
    text
}

fn argument(token: &str) -> String {
    match token.strip_prefix('-') {
        _ if token == "|" => "|".to_owned(),
        Some("") => "Fl".to_owned(),
        Some(name) => format!("Fl {}", word(name)),
        None => format!("Ar {}", word(token.trim_matches('"'))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        assert_eq!(sentence("open files [256]"), "Open files.\nThe default is 256.");
        assert_eq!(sentence("a \\ in it"), "A \\e in it.");
    }

    #[test]
    fn usage_lines() {
        let text = synopsis(Some("first"), "[-e stat] [-] [script [args]] file ...");
        let expected = ".Op Fl e Ar stat\n.Op Fl\n.Op Ar script Op Ar args\n.Ar file\n.Ar \\&...\n";
        assert_eq!(text.strip_prefix(".Nm\n.Op Ar first\n"), Some(expected));
    }

    #[test]
    fn parts_are_replaced_and_the_rest_is_kept() {
        let page = "a\n.\\\" begin limits\nold\n.\\\" end\nb\n";
        let fresh = refresh(page, None).unwrap();
        assert!(fresh.starts_with("a\n.\\\" begin limits\n.Bl ") && fresh.ends_with(".El\n.\\\" end\nb\n"));
        assert!(refresh(".\\\" begin nothing\n.\\\" end\n", None).is_err());
        assert!(refresh(".\\\" begin limits\n", None).is_err());
    }
}
