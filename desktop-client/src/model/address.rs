//! Where a server is, as people write it: `host`, `host:port`, an IPv4 or IPv6 address.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::limits::ADDRESS_BYTES_MAX;

/// A server's host and port. Nothing is looked up here.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// A name or an IP address, without brackets, in lower case.
    pub host: String,
    pub port: u16,
}

/// The text is not an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an address")]
pub struct BadAddress;

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let text = text.strip_prefix("parlor://").unwrap_or(text).trim_end_matches('/');
        if text.is_empty() || text.len() > ADDRESS_BYTES_MAX {
            return Err(BadAddress);
        }
        // An IPv6 address is full of colons, so it takes a port only in brackets.
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self { host: text.to_lowercase(), port: parlor_shared::PORT });
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(BadAddress)?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(BadAddress);
            }
            let port = match port.strip_prefix(':') {
                Some(port) => parse_port(port)?,
                None if port.is_empty() => parlor_shared::PORT,
                None => return Err(BadAddress),
            };
            return Ok(Self { host: host.to_lowercase(), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (text, parlor_shared::PORT),
        };
        let plain = |it: char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(BadAddress);
        }
        Ok(Self { host: host.to_lowercase(), port })
    }
}

fn parse_port(text: &str) -> Result<u16, BadAddress> {
    text.parse().ok().filter(|port| *port != 0).ok_or(BadAddress)
}

impl fmt::Display for Address {
    /// As short as it can be read back: the usual port is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_v6 = self.host.contains(':');
        match (is_v6, self.port == parlor_shared::PORT) {
            (_, true) => f.write_str(&self.host),
            (true, false) => write!(f, "[{}]:{}", self.host, self.port),
            (false, false) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
