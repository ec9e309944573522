//! Ranges of addresses: one form each, and exactly the addresses that are in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;

use parlor_shared::{Network, Refusal};
use proptest::prelude::*;

fn network(text: &str) -> Network {
    Network::from_str(text).unwrap_or_else(|_| panic!("{text} is a network"))
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_network_has_one_form() {
    for (given, shown) in [
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("10.1.2.3/24", "10.1.2.0/24"),
        ("10.1.2.3/0", "0.0.0.0/0"),
        ("255.255.255.255/1", "128.0.0.0/1"),
        ("2001:DB8::7", "2001:db8::7"),
        ("2001:db8::7/128", "2001:db8::7"),
        ("2001:db8:0:0:ffff::7/64", "2001:db8::/64"),
        ("2001:db8::7/0", "::/0"),
        // What came through IPv6 is the IPv4 address.
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::ffff:a01:203", "10.1.2.3"),
        ("::ffff:10.1.2.3/120", "10.1.2.0/24"),
        ("::ffff:10.1.2.3/96", "0.0.0.0/0"),
    ] {
        assert_eq!(network(given).to_string(), shown, "{given}");
    }
}

#[test]
fn what_is_no_network_is_refused() {
    for text in [
        "",
        " ",
        "/",
        "/24",
        "10.1.2.3/",
        "10.1.2.3/33",
        "10.1.2.3/-1",
        "10.1.2.3/+8",
        "10.1.2.3/8.0",
        "10.1.2.3/24/",
        "10.1.2.3/24/24",
        "10.1.2.3/256",
        "10.1.2.3/4294967296",
        "10.1.2.3/ 8",
        " 10.1.2.3",
        "10.1.2.3 ",
        "10.1.2",
        "10.1.2.3.4",
        "010.1.2.3",
        "0x0a.1.2.3",
        "167838211",
        "10.1.2.256",
        "10.1.2.3:80",
        "[2001:db8::7]",
        "2001:db8::7/129",
        "2001:db8::7%eth0",
        "fe80::1%1/64",
        "2001:db8",
        ":::",
        "1::2::3",
        "::ffff:10.1.2.3/95",
        "::ffff:10.1.2.3/8",
        "localhost",
        "example.org",
        "10.1.2.3/٨",
        "１０.1.2.3",
        "*",
        "10.1.2.*",
        "10.1.2.3-10.1.2.9",
        "10.1.2.3/255.255.255.0",
    ] {
        assert_eq!(Network::from_str(text), Err(Refusal::NetworkMalformed), "{text:?}");
    }
}

#[test]
fn the_first_and_the_last_are_in_it_and_their_neighbours_are_not() {
    for (range, inside, outside) in [
        ("10.1.2.0/24", ["10.1.2.0", "10.1.2.255"], ["10.1.1.255", "10.1.3.0"]),
        ("10.1.2.3", ["10.1.2.3", "::ffff:10.1.2.3"], ["10.1.2.2", "10.1.2.4"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
        ("::/0", ["::", "2001:db8::"], ["0.0.0.0", "::ffff:10.1.2.3"]),
        (
            "2001:db8::/64",
            ["2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"],
            ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:0:1::"],
        ),
    ] {
        for it in inside {
            assert!(network(range).contains(address(it)), "{it} is in {range}");
        }
        for it in outside {
            assert!(!network(range).contains(address(it)), "{it} is not in {range}");
        }
    }
}

#[test]
fn a_prefix_past_the_address_is_none() {
    assert_eq!(Network::new(address("10.1.2.3"), 33), None);
    assert_eq!(Network::new(address("2001:db8::7"), 129), None);
    assert_eq!(Network::new(address("::ffff:10.1.2.3"), 128), None);
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|it| IpAddr::V4(Ipv4Addr::from_bits(it))),
        any::<u128>().prop_map(|it| IpAddr::V6(Ipv6Addr::from_bits(it))),
        any::<u32>().prop_map(|it| IpAddr::V6(Ipv4Addr::from_bits(it).to_ipv6_mapped())),
    ]
}

/// The bits of an address from the left, the way one would count them by hand.
fn bits(address: IpAddr) -> Vec<bool> {
    let bytes = match address {
        IpAddr::V4(it) => it.octets().to_vec(),
        IpAddr::V6(it) => it.octets().to_vec(),
    };
    bytes.iter().flat_map(|byte| (0..8).map(move |at| byte << at & 0x80 != 0)).collect()
}

proptest! {
    #[test]
    fn those_are_in_it_that_share_the_first_bits(
        one in any_address(),
        prefix in 0_u8..=128,
        flip in any::<prop::sample::Index>(),
    ) {
        let plain = one.to_canonical();
        let length = bits(plain).len();
        let Some(range) = Network::new(one, prefix) else {
            prop_assert!(usize::from(prefix) > length);
            return Ok(());
        };
        prop_assert!(range.contains(one) && range.contains(plain));
        prop_assert_eq!(Network::from_str(&range.to_string()), Ok(range));
        let json = serde_json::to_string(&range).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Network>(&json).expect("a network"), range);
        // One bit away: inside exactly when the bit is behind the prefix.
        let flip = flip.index(length);
        let away = match plain {
            IpAddr::V4(it) => IpAddr::V4(Ipv4Addr::from_bits(it.to_bits() ^ 1 << (31 - flip))),
            IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() ^ 1 << (127 - flip))),
        };
        if away.to_canonical() == away {
            prop_assert_eq!(range.contains(away), flip >= usize::from(prefix));
        }
    }

    #[test]
    fn any_two_addresses(one in any_address(), other in any_address(), prefix in 0_u8..=128) {
        let (plain, away) = (bits(one.to_canonical()), bits(other.to_canonical()));
        if let Some(range) = Network::new(one, prefix) {
            let prefix = usize::from(prefix);
            let shares = plain.len() == away.len() && plain[..prefix] == away[..prefix];
            prop_assert_eq!(range.contains(other), shares);
        }
    }

    #[test]
    fn hostile_text_is_refused_or_shown_in_its_one_form(text in "[0-9a-f:./+x% -]{0,45}|.{0,20}") {
        match Network::from_str(&text) {
            Ok(range) => prop_assert_eq!(Network::from_str(&range.to_string()), Ok(range)),
            Err(refusal) => prop_assert_eq!(refusal, Refusal::NetworkMalformed),
        }
    }
}
