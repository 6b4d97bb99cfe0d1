//! What the environment says to Lua. It is asked late, when it holds only what was let in.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Where Debian's Lua looks for modules.
pub const PATH: &str = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;\
    /usr/local/lib/lua/5.4/?.lua;/usr/local/lib/lua/5.4/?/init.lua;\
    /usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;./?.lua;./?/init.lua";

/// Where Debian's Lua looks for C libraries; the words stay, though hlua loads none.
#[cfg(target_arch = "x86_64")]
pub const C_PATH: &str = "/usr/local/lib/lua/5.4/?.so;\
    /usr/lib/x86_64-linux-gnu/lua/5.4/?.so;/usr/lib/lua/5.4/?.so;\
    /usr/local/lib/lua/5.4/loadall.so;./?.so";
/// The same on other machines.
#[cfg(not(target_arch = "x86_64"))]
pub const C_PATH: &str = "/usr/local/lib/lua/5.4/?.so;\
    /usr/lib/aarch64-linux-gnu/lua/5.4/?.so;/usr/lib/lua/5.4/?.so;\
    /usr/local/lib/lua/5.4/loadall.so;./?.so";

/// A variable under its versioned name or its plain one, with the name that was found.
pub fn variable(versioned: &'static str, plain: &'static str) -> Option<(&'static str, Vec<u8>)> {
    [versioned, plain]
        .into_iter()
        .find_map(|name| std::env::var_os(name).map(|value| (name, OsString::into_vec(value))))
}

/// `value` with the default put where it says `;;`.
pub fn with_default(value: &[u8], default: &str) -> Vec<u8> {
    let Some(place) = value.windows(2).position(|pair| pair == b";;") else {
        return value.to_vec();
    };
    let (before, after) = (&value[..place], &value[place + 2..]);
    let parts = [before, default.as_bytes(), after];
    let named = parts.into_iter().filter(|part| !part.is_empty());
    named.collect::<Vec<_>>().join(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_semicolons_stand_for_the_default() {
        assert_eq!(with_default(b"x", "d"), b"x");
        assert_eq!(with_default(b";;", "d"), b"d");
        assert_eq!(with_default(b"x;;", "d"), b"x;d");
        assert_eq!(with_default(b";;x", "d"), b"d;x");
        assert_eq!(with_default(b"x;;y", "d"), b"x;d;y");
    }
}
