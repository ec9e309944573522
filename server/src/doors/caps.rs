//! How many connections there may be: in all, per address, and of those that nobody knows yet.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use parlor_shared::Limits;

/// The counts of all live connections. Its map is as large as there are connections.
pub(super) struct Caps {
    limits: Arc<Limits>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: u64,
    strangers: u64,
    sources: HashMap<IpAddr, Source>,
}

#[derive(Default)]
struct Source {
    all: u64,
    strangers: u64,
}

/// One connection's place; given back when dropped.
pub(super) struct Place {
    caps: Arc<Caps>,
    source: IpAddr,
    is_stranger: bool,
}

impl Caps {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self { limits, counts: Mutex::new(Counts::default()) }
    }

    /// A place for a stranger from `source`; `None` when there is none.
    pub(super) fn enter(caps: &Arc<Self>, source: IpAddr) -> Option<Place> {
        let (limits, source) = (&caps.limits, network_of(source));
        let mut counts = caps.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= limits.connections || counts.strangers >= limits.strangers {
            return None;
        }
        if drops_early(counts.strangers, limits) {
            return None;
        }
        let here = counts.sources.entry(source).or_default();
        let is_full = here.all >= limits.connections_per_source
            || here.strangers >= limits.strangers_per_source;
        if is_full && !source.is_loopback() {
            return None;
        }
        here.all += 1;
        here.strangers += 1;
        counts.all += 1;
        counts.strangers += 1;
        drop(counts);
        Some(Place { caps: Arc::clone(caps), source, is_stranger: true })
    }
}

impl Place {
    /// The connection has signed in: it makes room for another stranger.
    pub(super) fn sit_down(&mut self) {
        if std::mem::take(&mut self.is_stranger) {
            let mut counts = self.caps.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.strangers -= 1;
            if let Some(here) = counts.sources.get_mut(&self.source) {
                here.strangers -= 1;
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sit_down();
        let mut counts = self.caps.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(here) = counts.sources.get_mut(&self.source) {
            here.all -= 1;
            if here.all == 0 {
                counts.sources.remove(&self.source);
            }
        }
    }
}

/// Who can have one IPv6 address can have 2^64 of them.
fn network_of(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) if address.is_loopback() => source,
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
    }
}

/// Random early drop: above the free number of strangers the more likely the more there are, so
/// that a flood does not keep everybody else out by filling the last place.
fn drops_early(strangers: u64, limits: &Limits) -> bool {
    let free = limits.strangers_free;
    if strangers < free {
        return false;
    }
    let mut byte = [0];
    if getrandom::fill(&mut byte).is_err() {
        return false;
    }
    let span = limits.strangers.saturating_sub(free).max(1);
    u64::from(byte[0]) * span < (strangers - free) * 256
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(limits: Limits) -> Arc<Caps> {
        Arc::new(Caps::new(Arc::new(limits)))
    }

    #[test]
    fn a_place_comes_back() {
        let caps = caps(Limits { connections: 2, ..Limits::default() });
        let home = IpAddr::from([127, 0, 0, 1]);
        let first = Caps::enter(&caps, home);
        let second = Caps::enter(&caps, home);
        assert!(first.is_some() && second.is_some());
        assert!(Caps::enter(&caps, home).is_none());
        drop(first);
        assert!(Caps::enter(&caps, home).is_some());
    }

    #[test]
    fn one_source_takes_its_share_only() {
        let caps = caps(Limits {
            strangers_per_source: 3,
            connections_per_source: 4,
            ..Limits::default()
        });
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut places: Vec<Place> = (0..3).filter_map(|_| Caps::enter(&caps, one)).collect();
        assert_eq!(places.len(), 3);
        assert!(Caps::enter(&caps, one).is_none(), "a fourth stranger");
        assert!(Caps::enter(&caps, other).is_some());
        places.iter_mut().for_each(Place::sit_down);
        places.extend(Caps::enter(&caps, one));
        assert_eq!(places.len(), 4);
        assert!(Caps::enter(&caps, one).is_none(), "a fifth connection");
        drop(places);
        assert!(caps.counts.lock().unwrap().sources.is_empty());
    }

    #[test]
    fn a_v6_network_is_one_source() {
        let network = |it: &str| network_of(it.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
    }
}
