//! Where a server is, as people write it: `host`, `host:port`, an IPv4 or IPv6 address, and
//! `plain://` before it for a server on this computer that is to be spoken to unencrypted.
//!
//! Invariant: a plain address leads to this computer and nowhere else. It is another server than
//! the same address without `plain://`, so nothing that was pinned or kept for one serves the
//! other.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::limits::ADDRESS_BYTES_MAX;

/// A server's host and port. Nothing is looked up here.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// A name or an IP address, without brackets, in lower case; IPv6 in its shortest form.
    pub host: String,
    pub port: u16,
    /// Spoken to without encryption; only ever true on this computer.
    pub is_plain: bool,
}

/// Why a text is not an address to connect to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadAddress {
    #[error("not an address")]
    Unreadable,
    /// `plain://` with a host that is not this computer.
    #[error("without encryption only to this computer")]
    PlainElsewhere,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(BadAddress::Unreadable);
        }
        let (text, is_plain) = match text.strip_prefix("plain://") {
            Some(rest) => (rest, true),
            None => (text.strip_prefix("parlor://").unwrap_or(text), false),
        };
        let (host, port) = parse_place(text.trim_end_matches('/'))?;
        if is_plain && !is_this_computer(&host) {
            return Err(BadAddress::PlainElsewhere);
        }
        Ok(Self { host, port, is_plain })
    }
}

fn parse_place(text: &str) -> Result<(String, u16), BadAddress> {
    // An IPv6 address is full of colons, so it takes a port only in brackets.
    if let Ok(ip) = text.parse::<Ipv6Addr>() {
        return Ok((ip.to_string(), parlor_shared::PORT));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or(BadAddress::Unreadable)?;
        let ip: Ipv6Addr = host.parse().map_err(|_error| BadAddress::Unreadable)?;
        let port = match port.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if port.is_empty() => parlor_shared::PORT,
            None => return Err(BadAddress::Unreadable),
        };
        return Ok((ip.to_string(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, parse_port(port)?),
        None => (text, parlor_shared::PORT),
    };
    let plain = |it: char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_');
    if host.is_empty() || !host.chars().all(plain) {
        return Err(BadAddress::Unreadable);
    }
    Ok((host.to_lowercase(), port))
}

fn parse_port(text: &str) -> Result<u16, BadAddress> {
    text.parse().ok().filter(|port| *port != 0).ok_or(BadAddress::Unreadable)
}

/// Names other than this one could mean anything tomorrow.
fn is_this_computer(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Address {
    /// As short as it can be read back: the usual port is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain {
            f.write_str("plain://")?;
        }
        let is_v6 = self.host.contains(':');
        match (is_v6, self.port == parlor_shared::PORT) {
            (_, true) => f.write_str(&self.host),
            (true, false) => write!(f, "[{}]:{}", self.host, self.port),
            (false, false) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
