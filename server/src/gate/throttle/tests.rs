//! What P17 promises, counted.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn account(number: u64) -> AccountKey {
    AccountKey::of(b"name", &number.to_string())
}

fn source(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))
}

fn tries() -> Tries {
    Tries::new(&Limits::default())
}

/// Tries as often as it may until `until`, waiting as long as it is told; the moments it made it.
fn hammer(
    tries: &mut Tries,
    account: AccountKey,
    source: IpAddr,
    from: u64,
    until: u64,
) -> Vec<u64> {
    let (mut now, mut made) = (from, Vec::new());
    while now < until {
        match tries.may_try(account, source, now) {
            Ok(()) => made.push(now),
            Err(wait) => now += wait,
        }
    }
    made
}

#[test]
fn five_tries_then_one_every_three_minutes() {
    let made = hammer(&mut tries(), account(1), source(1), 0, 3_600_000);
    assert_eq!(made[..5], [0; 5]);
    assert_eq!(made[5..8], [180_000, 360_000, 540_000]);
    assert_eq!(made.len(), 5 + 19);
    let mut late = tries();
    assert_eq!(hammer(&mut late, account(1), source(1), 0, 1).len(), 5);
    assert_eq!(late.may_try(account(1), source(1), 1_000), Err(179_000));
    assert_eq!(late.may_try(account(1), source(1), 1_000), Err(179_000), "asking costs nothing");
    assert_eq!(late.may_try(account(1), source(1), 180_000), Ok(()));
}

#[test]
fn twenty_in_a_minute_from_one_source_except_loopback() {
    let mut tries = tries();
    let made =
        (0..100).filter(|it| tries.may_try(account(*it), source(1), it * 100).is_ok()).count();
    assert_eq!(made, 20);
    assert_eq!(tries.may_try(account(500), source(1), 10_000), Err(50_000));
    assert_eq!(tries.may_try(account(500), source(1), 60_000), Ok(()));
    assert_eq!(tries.may_try(account(501), source(1), 60_000), Err(100));
    let local: IpAddr = Ipv4Addr::LOCALHOST.into();
    assert!((1_000..1_100).all(|it| tries.may_try(account(it), local, 10_000).is_ok()));
    assert_eq!(
        hammer(&mut tries, account(2_000), local, 10_000, 10_001).len(),
        5,
        "each account is held"
    );
}

#[test]
fn an_ipv6_network_is_one_source_and_so_is_a_mapped_address() {
    for (first, second) in [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:10.0.0.1", "10.0.0.1")] {
        let (first, second): (IpAddr, IpAddr) = (first.parse().unwrap(), second.parse().unwrap());
        let mut tries = tries();
        assert_eq!(hammer(&mut tries, account(1), first, 0, 1).len(), 5);
        assert!(tries.may_try(account(1), second, 0).is_err());
    }
    let mut tries = tries();
    assert_eq!(hammer(&mut tries, account(1), "2001:db8::1".parse().unwrap(), 0, 1).len(), 5);
    assert!(tries.may_try(account(1), "2001:db8:0:1::1".parse().unwrap(), 0).is_ok());
}

#[test]
fn a_hundred_a_day_on_one_account_and_its_owner_still_gets_in() {
    let mut tries = tries();
    let (victim, home, new_place) = (account(1), source(1), source(2));
    tries.succeeded(victim, home, 0);
    let made: usize =
        (10..1_010).map(|it| hammer(&mut tries, victim, source(it), 1, 2).len()).sum();
    assert_eq!(made, 100);
    assert_eq!(tries.may_try(victim, new_place, 3), Err(DAY_MILLIS - 2), "new places wait");
    assert_eq!(tries.may_try(victim, home, 3), Ok(()), "home does not");
    tries.succeeded(victim, home, 4);
    assert_eq!(hammer(&mut tries, victim, home, 5, 6).len(), 5, "but is held like everybody");
    assert_eq!(tries.may_try(victim, new_place, 1 + DAY_MILLIS), Ok(()));
}

#[test]
fn a_success_clears_the_own_count_and_no_other() {
    let mut tries = tries();
    assert_eq!(hammer(&mut tries, account(1), source(1), 0, 1).len(), 5);
    assert_eq!(hammer(&mut tries, account(2), source(1), 0, 1).len(), 5);
    tries.succeeded(account(2), source(1), 1);
    assert!(tries.may_try(account(1), source(1), 2).is_err(), "an own account is no way round");
    assert!(tries.may_try(account(2), source(1), 2).is_ok());
}

#[test]
fn filling_the_tables_clears_nobodys_count() {
    let mut limits = Limits::default();
    (limits.tries_remembered, limits.sources_remembered) = (64, 4);
    let mut tries = Tries::new(&limits);
    let (victim, attacker, home) = (account(0), source(0), source(1));
    tries.succeeded(victim, home, 0);
    assert_eq!(hammer(&mut tries, victim, attacker, 0, 1).len(), 5);
    // 200 other sources, each trying another name twice.
    for it in 0..200 {
        for _ in 0..2 {
            tries.may_try(account(1_000 + it), source(1_000 + it as u32), 1).ok();
        }
    }
    assert!(tries.may_try(victim, attacker, 2).is_err(), "five are five");
    assert!(tries.may_try(victim, home, 2).is_ok(), "who is known is not touched");
    for table in
        [tries.pairs.entries.len(), tries.sources.entries.len(), tries.accounts.entries.len()]
    {
        assert!(table <= 64);
    }
    // Known places are bounded as well, and an account pushes out only its own.
    for it in 0..100 {
        tries.succeeded(account(7), source(5_000 + it), 3 + u64::from(it));
    }
    assert_eq!(tries.known.accounts[&account(7)].len(), 4);
    assert!(tries.known.pair(victim, home).is_some());
    for it in 0..500 {
        tries.succeeded(account(10_000 + it), source(1), 200 + it);
    }
    assert_eq!(tries.known.accounts.len(), 64);
}

/// Between two tries on one account its entry is pushed out of a full table, again and again.
#[test]
fn being_pushed_out_of_a_full_table_is_no_new_start() {
    let limits = Limits { tries_remembered: 16, tries_per_account: 12, ..Limits::default() };
    let mut tries = Tries::new(&limits);
    let mut from = (100..).map(source);
    let mut fresh = (1..).map(account);
    let mut made = 0;
    for round in 0..100 {
        made += u64::from(tries.may_try(account(0), from.next().unwrap(), 1).is_ok());
        // Whoever comes after this finds nobody with a smaller count.
        for of in fresh.by_ref().take(if round == 0 { 20 } else { 1 }) {
            for source in from.by_ref().take(3) {
                tries.may_try(of, source, 1).ok();
            }
        }
    }
    assert!((1..=12).contains(&made), "{made} tries on one account");
}

/// A name that nobody has is counted like any other: the key is what was typed.
#[test]
fn the_key_is_what_was_typed() {
    let of = |name: &str| AccountKey::of_name(&Skeleton::of(name));
    assert_eq!(of("Ann"), of("аNN"));
    assert_ne!(of("Ann"), of("Anne"));
    let mail = |it: &str| AccountKey::of_email(&it.parse().unwrap());
    assert_eq!(mail("Ann@example.org"), mail("ann@EXAMPLE.org"));
    assert_ne!(mail("ann@example.org"), of("ann@example.org"));
}

proptest! {
    /// Whatever is tried from wherever and in whatever order, no window holds more than promised.
    #[test]
    fn no_window_holds_more_than_promised(
        entries in prop::sample::select(vec![4, 16, 8_192]),
        steps in prop::collection::vec((0..3_u64, 0..6_u32, 0..40_000_u64, prop::bool::weighted(0.02)), 1..600),
    ) {
        let limits =
            Limits { tries_remembered: entries, tries_per_account: 12, ..Limits::default() };
        let mut tries = Tries::new(&limits);
        let mut now = 0;
        let mut made: Vec<(u64, u32, u64, bool)> = Vec::new();
        let mut known: Vec<(u64, u32)> = Vec::new();
        let mut since: HashMap<(u64, u32), u64> = HashMap::new();
        for (of, from, pause, succeeds) in steps {
            now += pause;
            if tries.may_try(account(of), source(from), now).is_err() {
                continue;
            }
            made.push((of, from, now, known.contains(&(of, from))));
            if succeeds {
                tries.succeeded(account(of), source(from), now);
                known.push((of, from));
                since.insert((of, from), now);
            }
        }
        for (at, &(of, from, last, is_known)) in made.iter().enumerate() {
            let before = |millis: u64| made[..=at].iter().filter(move |it| it.2 + millis > last);
            let per_source = before(MINUTE_MILLIS).filter(|it| it.1 == from).count();
            prop_assert!(per_source <= 20, "{per_source} from one source in a minute");
            if !is_known {
                let per_account = before(DAY_MILLIS).filter(|it| it.0 == of && !it.3).count();
                prop_assert!(per_account <= 12, "{per_account} on one account in a day");
            }
            // In the span of n waits at most 5 + n, as long as nobody got in there.
            if !since.contains_key(&(of, from)) {
                for waits in 0..6 {
                    let span = before(waits * 180_000 + 1).filter(|it| (it.0, it.1) == (of, from)).count();
                    prop_assert!(span as u64 <= 5 + waits, "{span} in {waits} waits");
                }
            }
        }
    }

    /// Whatever strangers do, who got in from home before gets in from home again.
    #[test]
    fn home_is_never_shut_by_strangers(
        hammering in prop::collection::vec((0..50_u64, 2..400_u32, 0..5_000_u64), 1..800),
    ) {
        let limits = Limits { tries_remembered: 32, ..Limits::default() };
        let mut tries = Tries::new(&limits);
        let (victim, home) = (account(0), source(1));
        tries.succeeded(victim, home, 0);
        let mut now = 0;
        for (of, from, pause) in hammering {
            now += pause;
            tries.may_try(account(of), source(from), now).ok();
        }
        prop_assert_eq!(tries.may_try(victim, home, now), Ok(()));
    }
}
