//! Completions for bash, zsh and fish. (clap's generator cannot say that options end at the script.)

use std::path::PathBuf;

use sandbox_core::Switch;
use sandbox_core::flags::Takes;

use crate::shell::{Command, Shown, Value};

/// What `compgen` and `case` are given where there is nothing: no word is this.
const NOTHING: &str = "-";

/// The files, by the names under which the shells look for them.
pub fn of(command: &Command) -> [(PathBuf, String); 3] {
    let rest = match command.host {
        Some(_) => "the script begins: from there on files are completed",
        None => "the command begins, which is completed as ever",
    };
    let named = |text: String| text.replace("@REST@", rest).replace("@NAME@", command.name);
    [
        (PathBuf::from("bash").join(command.name), named(bash(command))),
        (PathBuf::from("zsh").join(format!("_{}", command.name)), named(zsh(command))),
        (PathBuf::from("fish").join(format!("{}.fish", command.name)), named(fish(command))),
    ]
}

/// Names separated by something, or a word that stands for none.
fn joined(names: impl Iterator<Item = String>, by: &str) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { NOTHING.to_owned() } else { names.join(by) }
}

/// What an argument looks like that is an option, as patterns of all three shells.
fn options(command: &Command) -> &'static [&'static str] {
    if command.host.is_some_and(|host| host.grammar.plus) { &["-?*", "+?*"] } else { &["-?*"] }
}

/// Options that take the next argument for their value.
fn valued(options: &[Shown]) -> impl Iterator<Item = String> {
    options.iter().filter(|option| matches!(option.takes, Takes::Value(_))).map(|o| format!("--{}", o.name))
}

/// The interpreter's options whose value is the program.
fn programs(command: &Command) -> impl Iterator<Item = String> {
    command.programs().iter().map(|name| (*name).to_owned())
}

/// Its other options that take a value.
fn valued_switches(command: &Command) -> impl Iterator<Item = String> {
    command.valued_switches().map(|switch| switch.name.to_owned())
}

fn bash(command: &Command) -> String {
    let (long, short): (Vec<_>, Vec<_>) =
        command.switches().iter().partition(|switch| switch.name.starts_with("--"));
    let ours = command.options.iter().map(|option| match option.takes {
        Takes::Value(_) => format!("--{}=", option.name),
        Takes::Nothing | Takes::Optional(_) => format!("--{}", option.name),
    });
    let ours = ours.chain(long.iter().map(|switch| switch.name.to_owned()));
    let values: Vec<_> = command.options.iter().filter_map(bash_value).collect();
    // A question mark would stand for any letter.
    let quoted = |name: String| if name.contains('?') { format!("'{name}'") } else { name };
    let first = match command.host {
        Some(_) => "compopt -o default",
        None => r#"mapfile -t COMPREPLY < <(compgen -c -- "$current")"#,
    };
    include_str!("../templates/bash")
        .replace("@VALUE_OPTIONS@", &joined(valued(&command.options), " | "))
        .replace("@PROGRAM_SWITCHES@", &joined(programs(command), " | "))
        .replace("@VALUE_SWITCHES@", &joined(valued_switches(command).map(quoted), " | "))
        .replace("@ANY_OPTION@", &options(command).join(" | "))
        .replace("@OPTIONS@", &joined(ours, " "))
        .replace("@SWITCHES@", &joined(short.iter().map(|switch| switch.name.to_owned()), " "))
        .replace("@VALUES@", &values.join("\n"))
        .replace("@FIRST@", first)
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

fn zsh(command: &Command) -> String {
    let ours = command.options.iter().map(|option| {
        let (sign, value) = match option.takes {
            Takes::Nothing => ("", String::new()),
            Takes::Value(name) => ("=", format!(":{name}:{}", zsh_value(&option.value))),
            Takes::Optional(name) => ("=-", format!("::{name}:{}", zsh_value(&option.value))),
        };
        format!("    '*--{}{sign}[{}]{value}' \\", option.name, zsh_text(&option.help))
    });
    let theirs = command.switches().iter().map(|switch| {
        let (sign, value) = match switch.value {
            _ if command.programs().contains(&switch.name) => ("", ":program: :*::argument:_files"),
            true if switch.name.starts_with("--") => ("=", ":value: "),
            true => ("+", ":value: "),
            false => ("", ""),
        };
        let name = switch.name.replace('?', "\\?");
        format!("    '*{name}{sign}[{}]{value}' \\", zsh_text(switch.help))
    });
    let lines: Vec<_> = ours.chain(theirs).collect();
    let (first, others) = match command.host {
        Some(_) => ("script:_files", "_files"),
        None => ("command:_command_names -e", "_normal"),
    };
    include_str!("../templates/zsh")
        .replace("@ANY_OPTION@", &options(command).join("|"))
        .replace("@OPTIONS@", &lines.join("\n"))
        .replace("@FIRST@", first)
        .replace("@OTHERS@", others)
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

fn fish(command: &Command) -> String {
    let valued = || valued(&command.options).chain(valued_switches(command));
    let ours = command.options.iter().map(|option| {
        let value = match option.takes {
            Takes::Nothing => String::new(),
            Takes::Value(_) => format!(" -r{}", fish_value(&option.value)),
            // fish has no word for a value that may be left out.
            Takes::Optional(_) => fish_value(&option.value),
        };
        fish_line(&format!("-l {}{value}", option.name), &option.help)
    });
    let theirs = command.switches().iter().map(|switch| {
        let value = if switch.value { " -x" } else { "" };
        fish_line(&format!("{}{value}", fish_name(switch)), switch.help)
    });
    // Files are completed where nothing is said.
    let rest = command.host.is_none().then(|| {
        // Behind the first that is none of its own this function takes them for options with values.
        let skipped = joined(valued(), " ");
        format!("complete -c @NAME@ -f -a '(__fish_complete_subcommand {NOTHING} {skipped})'")
    });
    let patterns: Vec<_> = options(command).iter().map(|pattern| format!("'{pattern}'")).collect();
    include_str!("../templates/fish")
        .replace("@PROGRAM_SWITCHES@", &joined(programs(command), " "))
        .replace("@VALUED@", &joined(valued(), " "))
        .replace("@ANY_OPTION@", &patterns.join(" "))
        .replace("@OPTIONS@", &ours.chain(theirs).chain(rest).collect::<Vec<_>>().join("\n"))
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
    format!("complete -c @NAME@ -n __@NAME@_takes_options {option} -d '{help}'")
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
