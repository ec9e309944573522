//! Ranges of addresses, as bans name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reply::Refusal;

/// `10.1.2.0/24`, `2001:db8::/32`, or one address. Host bits are zero, and an IPv4 address that
/// came through IPv6 is the IPv4 address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses that share their first `prefix` bits with `address`.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let base = match address.to_canonical() {
            IpAddr::V4(it) => {
                let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix.into())?).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(it.to_bits() & mask))
            }
            IpAddr::V6(it) => {
                let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix.into())?).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & mask))
            }
        };
        Some(Self { base, prefix })
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && Self::new(address, self.prefix) == Some(*self)
    }

    fn is_one(&self) -> bool {
        self.prefix == if self.base.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let given: IpAddr = address.parse().map_err(|_not_an_address| Refusal::NetworkMalformed)?;
        let address = given.to_canonical();
        let prefix = match prefix {
            None => Some(if address.is_ipv4() { 32 } else { 128 }),
            // Of an IPv4 address that came through IPv6 the first 96 bits are only the way.
            Some(digits) => number(digits).and_then(|it| {
                it.checked_sub(if given.is_ipv4() == address.is_ipv4() { 0 } else { 96 })
            }),
        };
        let prefix = prefix.ok_or(Refusal::NetworkMalformed)?;
        Self::new(address, prefix).ok_or(Refusal::NetworkMalformed)
    }
}

/// Digits and nothing else: `parse` takes a plus sign, too.
fn number(digits: &str) -> Option<u8> {
    digits.parse().ok().filter(|_| digits.bytes().all(|it| it.is_ascii_digit()))
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() { self.base.fmt(f) } else { write!(f, "{}/{}", self.base, self.prefix) }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}
