//! The small language of the probe: words, and what they mean as arguments of a system call.
//!
//! | word | argument |
//! |---|---|
//! | `12` `-1` `0x1f` `O_RDONLY\|O_CLOEXEC` | the number |
//! | `"text"` | a pointer to the text, NUL terminated |
//! | `buf` | a pointer to 64 KiB of zeros |
//! | `@0a000000` | a pointer to these bytes, followed by zeros |
//! | `self` `parent` | a process id; `self` may have further bits |

use crate::constants;

/// Room behind every pointer that is handed to the kernel.
const ROOM: usize = 1 << 16;

/// Words are separated by blanks; double quotes keep blanks, and stay, so that text can be told from names.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A word without its quotes.
pub fn text(word: &str) -> &str {
    word.trim_matches('"')
}

/// What a word means as an argument. The memory behind a pointer is never freed: the probe ends soon.
pub fn argument(word: &str) -> Result<u64, String> {
    if word.starts_with('"') {
        return Ok(leaked(text(word).as_bytes()));
    }
    if let Some(hex) = word.strip_prefix('@') {
        return Ok(leaked(&bytes(hex)?));
    }
    match word {
        "buf" => Ok(leaked(&[])),
        "parent" => Ok(u64::from(std::os::unix::process::parent_id())),
        _ => number(word),
    }
}

/// A number, or constants joined by `|`.
pub fn number(word: &str) -> Result<u64, String> {
    let mut sum = 0;
    for part in word.split('|') {
        sum |= one(part).ok_or_else(|| format!("what is {part}?"))?;
    }
    Ok(sum)
}

fn one(word: &str) -> Option<u64> {
    if let Some(hex) = word.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    if let Ok(number) = word.parse::<i64>() {
        return Some(number as u64);
    }
    if let Ok(number) = word.parse::<u64>() {
        return Some(number);
    }
    match word {
        "self" => Some(u64::from(std::process::id())),
        _ => constants::value(word),
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = hex.bytes().filter(|b| *b != b'_').collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(|e| e.to_string())?;
            u8::from_str_radix(pair, 16).map_err(|_| format!("not hexadecimal: {pair}"))
        })
        .collect()
}

fn leaked(start: &[u8]) -> u64 {
    let mut room = vec![0; ROOM.max(start.len() + 1)];
    room[..start.len()].copy_from_slice(start);
    room.leak().as_mut_ptr() as u64
}
