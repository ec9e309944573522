//! How often somebody may guess (P17). Three counts at once, all of tries that were let through:
//!
//! - of one account from one source: 5, then 1 per 3 minutes. Nobody is exempt.
//! - from one source (an IPv4 address or an IPv6 /64), whatever the account: 20 in any minute.
//!   Loopback is exempt.
//! - on one account from all sources where nobody got in before: 100 in any day. So whoever
//!   hammers an account keeps its owner out of nothing but new places.
//!
//! An account is the name that was typed, not a user: names that nobody has are counted the same,
//! or the answer would tell who exists. One [`Throttle`] per kind of secret: passwords, recovery
//! codes, requests for mail.
//!
//! Invariant: nobody gets rid of a count cheaply. Each table is bounded, and when it is full a
//! newcomer takes the place of the entry with the smallest count *and that count with it*: to
//! push a count out, one has to make as many tries on every other entry. A count may so be too
//! high, which keeps strangers waiting; who is known stands apart and is not touched.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use parlor_shared::name::Skeleton;
use parlor_shared::{EmailAddress, Limits};
use sha2::{Digest as _, Sha256};

const MINUTE_MILLIS: u64 = 60_000;
const DAY_MILLIS: u64 = 24 * 60 * MINUTE_MILLIS;

/// Whose secret is being guessed: what was typed, hashed, so that it takes little room and says
/// nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AccountKey([u8; 16]);

impl AccountKey {
    /// By the name that was typed; look-alikes of a name are one account.
    #[must_use]
    pub fn of_name(name: &Skeleton) -> Self {
        Self::of(b"name", name.as_str())
    }

    /// By the address that was typed, in any case.
    #[must_use]
    pub fn of_email(email: &EmailAddress) -> Self {
        Self::of(b"mail", &email.as_str().to_lowercase())
    }

    fn of(kind: &[u8; 4], text: &str) -> Self {
        let mut key = [0; 16];
        let hash = Sha256::new().chain_update(kind).chain_update(text).finalize();
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// See the module. Shared by all gates.
#[derive(Debug)]
pub struct Throttle {
    started: Instant,
    tries: Mutex<Tries>,
}

impl Throttle {
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { started: Instant::now(), tries: Mutex::new(Tries::new(limits)) }
    }

    /// Asked before each try, right or wrong, and before any work is done for it. A try that may
    /// be made is counted, one that may not is not.
    ///
    /// # Errors
    /// The wait in milliseconds after which it could be made.
    pub fn may_try(&self, account: AccountKey, source: IpAddr, now: Instant) -> Result<(), u64> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).may_try(
            account,
            source,
            self.millis(now),
        )
    }

    /// Told of each try that was right, and after a start of each sign-in that is remembered:
    /// from then on that source is known for that account, and its own count starts anew.
    pub fn succeeded(&self, account: AccountKey, source: IpAddr, now: Instant) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).succeeded(
            account,
            source,
            self.millis(now),
        );
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis() as u64
    }
}

/// The counts themselves, with the time given. Times never go back.
#[derive(Debug)]
pub struct Tries {
    at_once: u64,
    again_millis: u64,
    per_source: usize,
    per_account: usize,
    pairs: Table<(AccountKey, IpAddr), Pair>,
    sources: Table<IpAddr, Window>,
    accounts: Table<AccountKey, Window>,
    known: Known,
}

impl Tries {
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let entries = limits.tries_remembered.max(1) as usize;
        Self {
            at_once: limits.tries_at_once.max(1),
            again_millis: limits.tries_again_millis.max(1),
            per_source: limits.tries_per_source.max(1) as usize,
            per_account: limits.tries_per_account.max(1) as usize,
            pairs: Table::new(entries),
            sources: Table::new(entries),
            accounts: Table::new(entries),
            known: Known::new(entries, limits.sources_remembered.max(1) as usize),
        }
    }

    /// See [`Throttle::may_try`]; `now` in milliseconds since any fixed moment.
    ///
    /// # Errors
    /// The wait in milliseconds.
    pub fn may_try(&mut self, account: AccountKey, source: IpAddr, now: u64) -> Result<(), u64> {
        let source = network_of(source);
        let pair_rule = PairRule { at_once: self.at_once, again_millis: self.again_millis };
        let is_local = source.is_loopback();
        let known = self.known.pair(account, source);
        let is_known = known.is_some();
        let pair = match known {
            Some(pair) => pair,
            None => self.pairs.entry((account, source), now, &pair_rule),
        };
        let source_rule = WindowRule { most: self.per_source, millis: MINUTE_MILLIS };
        let account_rule = WindowRule { most: self.per_account, millis: DAY_MILLIS };
        let of_source = (!is_local).then(|| self.sources.entry(source, now, &source_rule));
        let of_account = (!is_known).then(|| self.accounts.entry(account, now, &account_rule));
        let waits = [
            pair_rule.wait(pair, now),
            of_source.as_deref().map_or(0, |it| source_rule.wait(it, now)),
            of_account.as_deref().map_or(0, |it| account_rule.wait(it, now)),
        ];
        match waits.into_iter().max() {
            None | Some(0) => {}
            Some(wait) => return Err(wait),
        }
        pair_rule.count(pair, now);
        if let Some(it) = of_source {
            source_rule.count(it, now);
        }
        if let Some(it) = of_account {
            account_rule.count(it, now);
        }
        Ok(())
    }

    /// See [`Throttle::succeeded`].
    pub fn succeeded(&mut self, account: AccountKey, source: IpAddr, now: u64) {
        let source = network_of(source);
        self.pairs.entries.remove(&(account, source));
        self.known.add(account, source, now);
    }
}

/// Who can have one IPv6 address can have 2^64 of them.
fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
        source @ (IpAddr::V4(_) | IpAddr::V6(_)) => source,
    }
}

/// When the last of the counted tries will be forgotten, in milliseconds: each try moves it on.
#[derive(Clone, Copy, Debug, Default)]
struct Pair(u64);

/// The moments of the counted tries, the oldest first.
#[derive(Clone, Debug, Default)]
struct Window(VecDeque<u64>);

/// How a count grows old.
trait Rule {
    type Count: Default;

    /// How much of a count still matters: 0 is nothing.
    fn burden(&self, count: &Self::Count, now: u64) -> u64;
}

/// `at_once` tries, then one in `again_millis`.
#[derive(Clone, Copy)]
struct PairRule {
    at_once: u64,
    again_millis: u64,
}

impl PairRule {
    fn wait(&self, pair: &Pair, now: u64) -> u64 {
        (pair.0.max(now) + self.again_millis).saturating_sub(now + self.at_once * self.again_millis)
    }

    fn count(&self, pair: &mut Pair, now: u64) {
        pair.0 = pair.0.max(now) + self.again_millis;
    }
}

impl Rule for PairRule {
    type Count = Pair;

    fn burden(&self, count: &Pair, now: u64) -> u64 {
        count.0.saturating_sub(now)
    }
}

/// `most` tries in any `millis`.
#[derive(Clone, Copy)]
struct WindowRule {
    most: usize,
    millis: u64,
}

impl WindowRule {
    fn wait(&self, window: &Window, now: u64) -> u64 {
        let oldest = window.0.len().checked_sub(self.most).and_then(|it| window.0.get(it));
        oldest.map_or(0, |it| (it + self.millis).saturating_sub(now))
    }

    fn count(&self, window: &mut Window, now: u64) {
        while window.0.front().is_some_and(|it| it + self.millis <= now) {
            window.0.pop_front();
        }
        window.0.push_back(now);
    }
}

impl Rule for WindowRule {
    type Count = Window;

    fn burden(&self, count: &Window, now: u64) -> u64 {
        (count.0.len() - count.0.partition_point(|it| it + self.millis <= now)) as u64
    }
}

/// A bounded map of counts; see the module's invariant.
#[derive(Debug)]
struct Table<K, C> {
    entries_max: usize,
    entries: HashMap<K, C>,
}

impl<K: Copy + Eq + Hash, C: Default> Table<K, C> {
    fn new(entries_max: usize) -> Self {
        Self { entries_max, entries: HashMap::new() }
    }

    /// The count of `key`.
    fn entry(&mut self, key: K, now: u64, rule: &impl Rule<Count = C>) -> &mut C {
        let mut inherited = C::default();
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(&key) {
            self.entries.retain(|_, count| rule.burden(count, now) > 0);
            if self.entries.len() >= self.entries_max {
                inherited = self.take_smallest(now, rule);
            }
        }
        self.entries.entry(key).or_insert(inherited)
    }

    /// Looks through the whole table; only while somebody has filled it.
    fn take_smallest(&mut self, now: u64, rule: &impl Rule<Count = C>) -> C {
        let smallest = self.entries.iter().min_by_key(|it| rule.burden(it.1, now)).map(|it| *it.0);
        smallest.and_then(|it| self.entries.remove(&it)).unwrap_or_default()
    }
}

/// Sources from which somebody got into an account, with their counts: they stand apart, so that
/// no stranger can push them out. A few per account, the one that was away longest goes first;
/// when all places are taken, so it goes with the accounts.
#[derive(Debug)]
struct Known {
    accounts_max: usize,
    sources_max: usize,
    accounts: HashMap<AccountKey, Vec<KnownSource>>,
}

#[derive(Debug)]
struct KnownSource {
    source: IpAddr,
    pair: Pair,
    at: u64,
}

impl Known {
    fn new(accounts_max: usize, sources_max: usize) -> Self {
        Self { accounts_max, sources_max, accounts: HashMap::new() }
    }

    fn pair(&mut self, account: AccountKey, source: IpAddr) -> Option<&mut Pair> {
        let sources = self.accounts.get_mut(&account)?;
        sources.iter_mut().find(|it| it.source == source).map(|it| &mut it.pair)
    }

    fn add(&mut self, account: AccountKey, source: IpAddr, now: u64) {
        if self.accounts.len() >= self.accounts_max && !self.accounts.contains_key(&account) {
            let latest = |it: &[KnownSource]| it.iter().map(|it| it.at).max();
            let longest = self.accounts.iter().min_by_key(|it| latest(it.1)).map(|it| *it.0);
            longest.and_then(|it| self.accounts.remove(&it));
        }
        let sources = self.accounts.entry(account).or_default();
        sources.retain(|it| it.source != source);
        if sources.len() >= self.sources_max
            && let Some(longest) = (0..sources.len()).min_by_key(|it| sources[*it].at)
        {
            sources.remove(longest);
        }
        sources.push(KnownSource { source, pair: Pair::default(), at: now });
    }
}

#[cfg(test)]
mod tests;
