//! What the probe can do with sockets.

use crate::actions::{call_with, of, value};
use crate::outcome::Outcome;
use crate::{sys, words};
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::fd::IntoRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

type Result = std::result::Result<u64, i32>;

/// Do what the action says, if it is one of these.
pub fn perform(action: &str, rest: &[String]) -> Option<Outcome> {
    let first = rest.first().map_or("", |word| words::text(word));
    let here = port(first);
    Some(match action {
        "tcp-connect" => Outcome::from_io(TcpStream::connect(("127.0.0.1", here))),
        "tcp-raw-connect" => of(tcp("0").and_then(|socket| connect(socket, libc::AF_INET, here))),
        "tcp6-mapped-connect" => of(mapped_connect(here)),
        "mptcp-connect" => of(tcp("262").and_then(|socket| connect(socket, libc::AF_INET, here))),
        "reconnect" => of(reconnect(here, rest.get(1).map_or(0, |word| port(word)))),
        "tcp-bind" => of(bound(libc::AF_INET, here)),
        "tcp-bind-unspecified" => of(bound(libc::AF_UNSPEC, here)),
        "tcp-listen" => of(bound(libc::AF_INET, here).and_then(listen)),
        "listen-unbound" => of(tcp("0").and_then(listen)),
        "tcp-exchange" => of(exchange(here)),
        "tcp-call" => tcp("0").map_or_else(Outcome::Errno, |socket| call_on(socket, rest)),
        "fast-open" => of(fast_open(here)),
        "fast-open-message" => of(fast_open_message(here)),
        "fast-open-option" => of(fast_open_option(here)),
        "udp-send" => Outcome::from_io(udp_send(here)),
        "unix-connect" => Outcome::from_io(UnixStream::connect(first)),
        "abstract-connect" => Outcome::from_io(abstract_connect(first)),
        _ => return None,
    })
}

fn port(word: &str) -> u16 {
    word.parse().unwrap_or(0)
}

fn number(word: &str) -> u64 {
    words::number(word).unwrap_or(u64::MAX)
}

fn tcp(protocol: &str) -> Result {
    value("socket", [number("AF_INET"), number("SOCK_STREAM"), number(protocol), 0, 0, 0])
}

/// `struct sockaddr_in` for a port of this machine: its room, and its size.
fn address(family: i32, port: u16) -> (u64, u64) {
    let [high, low] = port.to_be_bytes();
    // AF_UNSPEC may be bound only to no address in particular (ip(7)).
    let host = if family == libc::AF_INET { [127, 0, 0, 1] } else { [0; 4] };
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&[family as u8, 0, high, low, host[0], host[1], host[2], host[3]]);
    (sys::pointer(bytes), 16)
}

fn connect(socket: u64, family: i32, port: u16) -> Result {
    let (address, size) = address(family, port);
    value("connect", [socket, address, size, 0, 0, 0])
}

/// `struct sockaddr_in6` with an IPv4 address in it.
fn mapped_connect(port: u16) -> Result {
    let socket = value("socket", [number("AF_INET6"), number("SOCK_STREAM"), 0, 0, 0, 0])?;
    let mut bytes = [0u8; 28];
    bytes[0] = libc::AF_INET6 as u8;
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[18..24].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
    value("connect", [socket, sys::pointer(bytes), 28, 0, 0, 0])
}

/// Connects, ends the connection by an address of no family, and connects the same socket elsewhere.
fn reconnect(first: u16, second: u16) -> Result {
    let socket = tcp("0")?;
    connect(socket, libc::AF_INET, first)?;
    connect(socket, libc::AF_UNSPEC, second)?;
    connect(socket, libc::AF_INET, second)
}

fn bound(family: i32, port: u16) -> Result {
    let socket = tcp("0")?;
    let (address, size) = address(family, port);
    value("bind", [socket, address, size, 0, 0, 0]).map(|_| socket)
}

fn listen(socket: u64) -> Result {
    value("listen", [socket, 1, 0, 0, 0, 0])
}

/// Both ends of a connection on one port: a byte goes through.
fn exchange(port: u16) -> Result {
    let server = bound(libc::AF_INET, port)?;
    listen(server)?;
    let client = tcp("0")?;
    connect(client, libc::AF_INET, port)?;
    let accepted = value("accept4", [server, 0, 0, number("SOCK_CLOEXEC"), 0, 0])?;
    value("sendto", [client, sys::pointer(*b"x"), 1, 0, 0, 0])?;
    value("recvfrom", [accepted, sys::pointer([0u8; 8]), 1, 0, 0, 0])
}

/// A call whose first argument is the socket.
fn call_on(socket: u64, line: &[String]) -> Outcome {
    call_with(&[socket], line)
}

fn fast_open(port: u16) -> Result {
    let socket = tcp("0")?;
    let (address, size) = address(libc::AF_INET, port);
    value("sendto", [socket, sys::pointer(*b"x"), 1, number("MSG_FASTOPEN"), address, size])
}

fn fast_open_message(port: u16) -> Result {
    let socket = tcp("0")?;
    let (address, size) = address(libc::AF_INET, port);
    let data = sys::pointer([sys::pointer(*b"x"), 1]);
    // struct msghdr: name and its size, vector and its length, control and its length, flags.
    let message = sys::pointer([address, size, data, 1, 0, 0, 0]);
    value("sendmsg", [socket, message, number("MSG_FASTOPEN"), 0, 0, 0])
}

/// With this option connect only takes note of the address; the first byte that is sent connects.
fn fast_open_option(port: u16) -> Result {
    const TCP_FASTOPEN_CONNECT: u64 = 30;
    let socket = tcp("0")?;
    let on = sys::pointer(1u32);
    value("setsockopt", [socket, number("IPPROTO_TCP"), TCP_FASTOPEN_CONNECT, on, 4, 0])?;
    connect(socket, libc::AF_INET, port)?;
    value("write", [socket, sys::pointer(*b"x"), 1, 0, 0, 0])
}

fn udp_send(port: u16) -> std::io::Result<usize> {
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", ("127.0.0.1", port))
}

fn abstract_connect(name: &str) -> std::io::Result<()> {
    let address = SocketAddr::from_abstract_name(name)?;
    let mut stream = UnixStream::connect_addr(&address)?;
    stream.write_all(b"x")?;
    // The descriptor goes with the process.
    let _ = stream.into_raw_fd();
    Ok(())
}
