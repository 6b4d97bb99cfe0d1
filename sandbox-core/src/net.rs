//! The network as far as it can be granted: TCP ports, by direction.

use std::collections::BTreeSet;

use crate::failure::NoPort;

/// TCP ports and what may be done there, whatever the address: Landlock compares nothing else (landlock(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Net {
    /// Ports that may be connected to.
    pub connect: BTreeSet<u16>,
    /// Ports that may be listened on.
    pub listen: BTreeSet<u16>,
}

impl Net {
    /// Reads `PORT`, `connect:PORT` or `listen:PORT`.
    ///
    /// # Errors
    /// [`NoPort`], whose text is the cause.
    pub fn parse(text: &str) -> Result<Net, NoPort> {
        let (connect, rest) = directed(text, "connect:");
        let (listen, rest) = if connect { (false, rest) } else { directed(text, "listen:") };
        let port = port(rest).ok_or_else(|| not_a_port(rest, listen))?;
        let ports = |granted: bool| granted.then_some(port).into_iter().collect();
        Ok(Net { connect: ports(!listen), listen: ports(!connect) })
    }

    /// Adds what another grant allows.
    pub fn extend(&mut self, other: Net) {
        self.connect.extend(other.connect);
        self.listen.extend(other.listen);
    }

    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connect.is_empty() && self.listen.is_empty()
    }
}

/// Whether a direction stands before the rest, and the rest.
fn directed<'a>(text: &'a str, direction: &str) -> (bool, &'a str) {
    text.strip_prefix(direction).map_or((false, text), |rest| (true, rest))
}

/// A port's number; 0 is none: there it means one that the kernel chooses.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// Who names a host and a port means that host only, which nobody could hold.
fn not_a_port(text: &str, listen: bool) -> NoPort {
    let Some(port) = text.rsplit_once(':').and_then(|(_, last)| port(last)) else {
        return NoPort::Number;
    };
    NoPort::Host { direction: if listen { "listen" } else { "connect" }, port }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Option<(Vec<u16>, Vec<u16>)> {
        let net = Net::parse(text).ok()?;
        Some((net.connect.into_iter().collect(), net.listen.into_iter().collect()))
    }

    #[test]
    fn ports_and_directions() {
        assert_eq!(ports("8080"), Some((vec![8080], vec![8080])));
        assert_eq!(ports("connect:1"), Some((vec![1], vec![])));
        assert_eq!(ports("listen:65535"), Some((vec![], vec![65535])));
    }

    #[test]
    fn what_is_no_port() {
        let table = [
            "",
            "0",
            "65536",
            "-1",
            "+80",
            " 80",
            "80 ",
            "http",
            "80-90",
            "80,81",
            "0x50",
            "connect",
            "connect:",
            "listen:0",
            "listen:http",
            "tcp:",
            "host:http",
            "host:0",
            "example.com",
            "connect:listen",
            "80/tcp",
        ];
        for text in table {
            assert_eq!(Net::parse(text), Err(NoPort::Number), "{text}");
        }
    }

    #[test]
    fn a_host_is_refused_and_told_what_can_be_granted() {
        let table = [
            ("example.com:443", "connect", 443),
            ("connect:example.com:443", "connect", 443),
            ("listen:127.0.0.1:8000", "listen", 8000),
            ("[::1]:80", "connect", 80),
            ("*:80", "connect", 80),
            ("connect:listen:80", "connect", 80),
        ];
        for (text, direction, port) in table {
            assert_eq!(Net::parse(text), Err(NoPort::Host { direction, port }), "{text}");
        }
    }

    #[test]
    fn grants_add_up() {
        let mut net = Net::default();
        assert!(net.is_empty());
        for text in ["connect:443", "listen:80", "443", "connect:443"] {
            net.extend(Net::parse(text).unwrap());
        }
        assert!(!net.is_empty());
        assert_eq!((Vec::from_iter(net.connect), Vec::from_iter(net.listen)), (vec![443], vec![80, 443]));
    }
}
