//! Completions for bash, zsh and fish. (clap's generator cannot say that options end at the script.)

use std::path::PathBuf;

use sandbox_core::flags::Takes;
use sandbox_core::{Profile, Switch};

use crate::shell::{self, Shown, Value};

/// What `compgen` and `case` are given where there is nothing: no word is this.
const NOTHING: &str = "-";

/// The files, by the names under which the shells look for them.
pub fn of(host: &Profile) -> [(PathBuf, String); 3] {
    let options = shell::options(host);
    let named = |text: String| text.replace("@HOST@", host.name);
    [
        (PathBuf::from("bash").join(host.name), named(bash(host, &options))),
        (PathBuf::from("zsh").join(format!("_{}", host.name)), named(zsh(host, &options))),
        (PathBuf::from("fish").join(format!("{}.fish", host.name)), named(fish(host, &options))),
    ]
}

/// Names separated by something, or a word that stands for none.
fn joined(names: impl Iterator<Item = String>, by: &str) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { NOTHING.to_owned() } else { names.join(by) }
}

/// Options that take the next argument for their value.
fn valued(options: &[Shown]) -> impl Iterator<Item = String> {
    options.iter().filter(|option| matches!(option.takes, Takes::Value(_))).map(|o| format!("--{}", o.name))
}

/// The interpreter's options whose value is the program.
fn programs(host: &Profile) -> impl Iterator<Item = String> {
    host.grammar.programs.iter().map(|name| (*name).to_owned())
}

/// Its other options that take a value.
fn valued_switches(host: &Profile) -> impl Iterator<Item = String> {
    let others = host.switches.iter().filter(|switch| switch.value);
    others.map(|switch| switch.name.to_owned()).filter(|name| !host.grammar.programs.contains(&name.as_str()))
}

fn bash(host: &Profile, options: &[Shown]) -> String {
    let (long, short): (Vec<_>, Vec<_>) = host.switches.iter().partition(|s| s.name.starts_with("--"));
    let ours = options.iter().map(|option| match option.takes {
        Takes::Value(_) => format!("--{}=", option.name),
        Takes::Nothing | Takes::Optional(_) => format!("--{}", option.name),
    });
    let ours = ours.chain(long.iter().map(|switch| switch.name.to_owned()));
    let values: Vec<_> = options.iter().filter_map(bash_value).collect();
    // A question mark would stand for any letter.
    let quoted = |name: String| if name.contains('?') { format!("'{name}'") } else { name };
    include_str!("../templates/bash")
        .replace("@VALUE_OPTIONS@", &joined(valued(options), " | "))
        .replace("@PROGRAM_SWITCHES@", &joined(programs(host), " | "))
        .replace("@VALUE_SWITCHES@", &joined(valued_switches(host).map(quoted), " | "))
        .replace("@OPTIONS@", &joined(ours, " "))
        .replace("@SWITCHES@", &joined(short.iter().map(|switch| switch.name.to_owned()), " "))
        .replace("@VALUES@", &values.join("\n"))
}

fn bash_value(option: &Shown) -> Option<String> {
    let reply = |by: &str| format!(r#"mapfile -t COMPREPLY < <(compgen {by} -- "$value")"#);
    let action = match &option.value {
        Value::Unknown => return None,
        Value::File => "compopt -o default".to_owned(),
        Value::Program => reply("-c"),
        Value::Variable => reply("-e"),
        Value::Words(words) => reply(&format!("-W '{}'", words.join(" "))),
    };
    Some(format!("    --{}) {action} ;;", option.name))
}

fn zsh(host: &Profile, options: &[Shown]) -> String {
    let ours = options.iter().map(|option| {
        let (sign, value) = match option.takes {
            Takes::Nothing => ("", String::new()),
            Takes::Value(name) => ("=", format!(":{name}:{}", zsh_value(&option.value))),
            Takes::Optional(name) => ("=-", format!("::{name}:{}", zsh_value(&option.value))),
        };
        format!("    '*--{}{sign}[{}]{value}' \\", option.name, zsh_text(option.help))
    });
    let theirs = host.switches.iter().map(|switch| {
        let (sign, value) = match switch.value {
            _ if host.grammar.programs.contains(&switch.name) => ("", ":program: :*::argument:_files"),
            true => ("+", ":value: "),
            false => ("", ""),
        };
        let name = switch.name.replace('?', "\\?");
        format!("    '*{name}{sign}[{}]{value}' \\", zsh_text(switch.help))
    });
    let lines: Vec<_> = ours.chain(theirs).collect();
    include_str!("../templates/zsh").replace("@OPTIONS@", &lines.join("\n"))
}

fn zsh_value(value: &Value) -> String {
    match value {
        Value::Unknown => " ".to_owned(),
        Value::File => "_files".to_owned(),
        Value::Program => "_command_names -e".to_owned(),
        Value::Variable => "_parameters -g \"*export*\"".to_owned(),
        // These go on, so no blank follows.
        Value::Words(words) if words.iter().all(|word| word.ends_with([':', '='])) => {
            format!("{{compadd -S \"\" - {}}}", words.join(" ").replace(':', "\\:"))
        }
        Value::Words(words) => format!("({})", words.join(" ")),
    }
}

/// A help line between brackets and single quotes.
fn zsh_text(help: &str) -> String {
    help.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

fn fish(host: &Profile, options: &[Shown]) -> String {
    let valued = valued(options).chain(valued_switches(host));
    let ours = options.iter().map(|option| {
        let value = match option.takes {
            Takes::Nothing => String::new(),
            Takes::Value(_) => format!(" -r{}", fish_value(&option.value)),
            // fish has no word for a value that may be left out.
            Takes::Optional(_) => fish_value(&option.value),
        };
        fish_line(&format!("-l {}{value}", option.name), option.help)
    });
    let theirs = host.switches.iter().map(|switch| {
        let value = if switch.value { " -x" } else { "" };
        fish_line(&format!("{}{value}", fish_name(switch)), switch.help)
    });
    include_str!("../templates/fish")
        .replace("@PROGRAM_SWITCHES@", &joined(programs(host), " "))
        .replace("@VALUED@", &joined(valued, " "))
        .replace("@OPTIONS@", &ours.chain(theirs).collect::<Vec<_>>().join("\n"))
}

fn fish_name(switch: &Switch) -> String {
    let name = switch.name.trim_start_matches('-');
    match (switch.name.strip_prefix("--"), name.len()) {
        (Some(name), _) => format!("-l {name}"),
        (None, 1) => format!("-s '{name}'"),
        (None, _) => format!("-o {name}"),
    }
}

fn fish_line(option: &str, help: &str) -> String {
    let help = help.replace('\\', "\\\\").replace('\'', "\\'");
    format!("complete -c @HOST@ -n __@HOST@_before_script {option} -d '{help}'")
}

fn fish_value(value: &Value) -> String {
    match value {
        Value::Unknown => " -f".to_owned(),
        Value::File => " -F".to_owned(),
        Value::Program => " -f -a '(__fish_complete_command)'".to_owned(),
        Value::Variable => " -f -a '(set --names --export)'".to_owned(),
        Value::Words(words) => format!(" -f -a '{}'", words.join(" ")),
    }
}
