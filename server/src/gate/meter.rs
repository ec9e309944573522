//! How fast one user may talk, over all its connections, and how many guests one address makes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use parlor_shared::{Limits, UserId};

/// Sources whose new guests are remembered; beyond it those whose hour is over are forgotten,
/// and if none is, new sources are let in uncounted: the limit on users holds all the same.
const SOURCES_MAX: usize = 16_384;
const GUEST_WINDOW: Duration = Duration::from_secs(60 * 60);

/// What is being metered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Message,
    Request,
}

/// May it go on?
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    Now,
    /// Yes, after this wait.
    After(Duration),
    /// No; it could after this wait.
    Refused(Duration),
}

/// Two token buckets of one user.
#[derive(Debug)]
pub(super) struct Meter {
    messages: Mutex<Bucket>,
    requests: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    burst: f64,
    /// Below zero: what waiting talkers have taken in advance.
    tokens: f64,
    filled: Instant,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        let bucket = |per_second: u64, burst: u64| {
            let (per_second, burst) = (per_second.max(1) as f64, burst.max(1) as f64);
            Mutex::new(Bucket { per_second, burst, tokens: burst, filled: Instant::now() })
        };
        Self {
            messages: bucket(limits.messages_per_second, limits.messages_burst),
            requests: bucket(limits.requests_per_second, limits.requests_burst),
        }
    }

    /// Takes one token, in advance when that means waiting for at most `most`.
    pub(super) fn take(&self, kind: Kind, most: Duration) -> Pace {
        let bucket = match kind {
            Kind::Message => &self.messages,
            Kind::Request => &self.requests,
        };
        bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now(), most)
    }
}

impl Bucket {
    fn take(&mut self, now: Instant, most: Duration) -> Pace {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + since * self.per_second).min(self.burst);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Pace::Now;
        }
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.per_second);
        if wait > most {
            return Pace::Refused(wait);
        }
        self.tokens -= 1.0;
        Pace::After(wait)
    }
}

/// The meters of all users that are here, and the guests made per address.
#[derive(Debug)]
pub struct Meters {
    limits: Arc<Limits>,
    users: Mutex<HashMap<UserId, Weak<Meter>>>,
    guests: Mutex<HashMap<IpAddr, (Instant, u64)>>,
}

impl Meters {
    #[must_use]
    pub fn new(limits: &Arc<Limits>) -> Self {
        Self {
            limits: Arc::clone(limits),
            users: Mutex::new(HashMap::new()),
            guests: Mutex::new(HashMap::new()),
        }
    }

    /// The one meter of `user`, whatever number of connections it has.
    pub(super) fn of(&self, user: UserId) -> Arc<Meter> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = users.get(&user).and_then(Weak::upgrade) {
            return meter;
        }
        // As many as there are users here, give or take a factor of two.
        if users.len() >= 64 && users.len() == users.capacity() {
            users.retain(|_, it| it.strong_count() > 0);
        }
        let meter = Arc::new(Meter::new(&self.limits));
        users.insert(user, Arc::downgrade(&meter));
        meter
    }

    /// Counts a new guest from `source`.
    ///
    /// # Errors
    /// The wait in milliseconds after which that address may bring the next one.
    pub(super) fn new_guest(&self, source: IpAddr) -> Result<(), u64> {
        if source.is_loopback() {
            return Ok(());
        }
        let now = Instant::now();
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        if guests.len() >= SOURCES_MAX {
            guests.retain(|_, (since, _)| now.duration_since(*since) < GUEST_WINDOW);
            if guests.len() >= SOURCES_MAX {
                return Ok(());
            }
        }
        let (since, made) = guests.entry(source).or_insert((now, 0));
        let age = now.duration_since(*since);
        if age >= GUEST_WINDOW {
            (*since, *made) = (now, 0);
        }
        if *made >= self.limits.guests_per_source {
            return Err((GUEST_WINDOW - age).as_millis() as u64);
        }
        *made += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_then_delayed_then_refused() {
        let start = Instant::now();
        let mut bucket = Bucket { per_second: 5.0, burst: 20.0, tokens: 20.0, filled: start };
        let most = Duration::from_secs(2);
        let paces: Vec<Pace> = (0..32).map(|_| bucket.take(start, most)).collect();
        assert!(paces[..20].iter().all(|it| *it == Pace::Now));
        assert!(paces[20..30].iter().all(|it| matches!(it, Pace::After(_))), "{paces:?}");
        assert!(matches!(paces[30], Pace::Refused(_)) && matches!(paces[31], Pace::Refused(_)));
        let later = start + Duration::from_secs(60);
        assert_eq!(bucket.take(later, most), Pace::Now, "and it fills again");
    }
}
