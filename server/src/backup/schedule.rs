//! When a scheduled backup is due, and which old ones go. Pure: times come in.
//!
//! What has to outlive a restart is in the backups' names. Wall clocks go wrong, so a name from
//! the future counts for nothing, and within one run of the server its own time has the last
//! word: a clock that jumps makes a backup come early, at most four times as often as planned,
//! and never makes them stop.

use std::time::Duration;

use parlor_shared::{Policy, UnixMillis};

use super::stamp::Stamp;

/// By how much a clock that jumps may shorten the time between two backups of one run.
const HURRY: u32 = 4;
/// After a failure it is tried again, less and less often.
const RETRY: Duration = Duration::from_secs(5 * 60);
const RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// What is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plan {
    /// From one backup to the next; 0: none.
    pub hours: u64,
    /// How many stay; at least one.
    pub keep: u64,
}

impl Plan {
    /// What the server's policy says.
    #[must_use]
    pub fn of(policy: Policy) -> Self {
        Self { hours: policy.backup_hours, keep: policy.backup_keep }
    }

    fn period(self) -> Duration {
        Duration::from_secs(self.hours.saturating_mul(3_600))
    }
}

/// What this run of the server knows by its own time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Since it was started.
    pub(super) age: Duration,
    /// No backup in its first minutes.
    pub(super) delay: Duration,
    /// Since its newest backup.
    pub(super) since_made: Option<Duration>,
    /// Failures in a row, and the time since the last of them.
    pub(super) failures: u32,
    pub(super) since_failed: Duration,
}

/// How long until the next backup is due; `None`: never.
pub(super) fn left(plan: Plan, now: UnixMillis, found: &[Stamp], run: Run) -> Option<Duration> {
    if plan.hours == 0 {
        return None;
    }
    let period = plan.period();
    let newest = found.iter().filter(|it| it.millis() <= now).max();
    let by_names = newest.map_or(Duration::ZERO, |it| {
        period.saturating_sub(Duration::from_millis(now.since(it.millis())))
    });
    let left = match run.since_made {
        None => by_names,
        Some(since) => {
            let hurry = (period / HURRY).saturating_sub(since);
            by_names.max(hurry).min(period.saturating_sub(since))
        }
    };
    let delay = run.delay.saturating_sub(run.age);
    Some(left.max(delay).max(retry(run.failures).saturating_sub(run.since_failed)))
}

/// How long after so many failures in a row it is tried again.
pub(super) fn retry(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        _ => RETRY.saturating_mul(1 << (failures - 1).min(16)).min(RETRY_MAX),
    }
}

/// Those that go, so that `keep` stay: never the one just made. A name later than that is of
/// before the clock was put right, so it is older than whatever was made since.
pub(super) fn surplus(keep: u64, found: &[Stamp], made: Stamp) -> Vec<Stamp> {
    let mut others: Vec<Stamp> = found.iter().copied().filter(|it| *it != made).collect();
    others.sort_by_key(|it| (*it <= made, *it));
    let stay = (keep.max(1) - 1).min(others.len() as u64) as usize;
    others.truncate(others.len() - stay);
    others
}

/// What a scheduled backup is called.
pub(super) fn file_name(stamp: Stamp) -> String {
    format!("parlor-{stamp}.tar")
}

/// `None` for every name that is not exactly one of ours.
pub(super) fn parse_file_name(name: &str) -> Option<Stamp> {
    Stamp::parse(name.strip_prefix("parlor-")?.strip_suffix(".tar")?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600;
    /// 2026-01-01.
    const NEW_YEAR: u64 = 1_767_225_600;
    const STEP: u64 = 600;

    /// A server that looks every ten minutes, by its own time and by a clock on the wall.
    struct Sim {
        plan: Plan,
        time: u64,
        started: u64,
        made: Option<u64>,
        names: Vec<Stamp>,
        /// When, by its own time.
        backups: Vec<u64>,
    }

    impl Sim {
        fn new(hours: u64) -> Self {
            let plan = Plan { hours, keep: 7 };
            Self { plan, time: 0, started: 0, made: None, names: vec![], backups: vec![] }
        }

        fn restart(&mut self) {
            self.started = self.time;
            self.made = None;
        }

        fn step(&mut self, wall: u64) {
            let since = |it: u64| Duration::from_secs(self.time - it);
            let run = Run {
                age: since(self.started),
                delay: Duration::from_secs(120),
                since_made: self.made.map(since),
                ..Run::default()
            };
            let now = UnixMillis(wall * 1_000);
            if left(self.plan, now, &self.names, run) == Some(Duration::ZERO) {
                let made = Stamp(wall);
                self.made = Some(self.time);
                self.names.push(made);
                self.backups.push(self.time);
                for gone in surplus(self.plan.keep, &self.names, made) {
                    self.names.retain(|it| *it != gone);
                }
            }
            self.time += STEP;
        }
    }

    proptest! {
        /// Restarts neither skip one nor repeat one.
        #[test]
        fn with_a_good_clock_they_come_when_they_are_due(
            hours in 1_u64..50,
            restarts in prop::collection::vec(1_u64..300, 0..40),
        ) {
            let mut sim = Sim::new(hours);
            for steps in restarts.into_iter().chain([500]) {
                for _ in 0..steps {
                    sim.step(NEW_YEAR + sim.time);
                }
                sim.restart();
            }
            prop_assert!(!sim.backups.is_empty());
            for pair in sim.backups.windows(2) {
                let gap = pair[1] - pair[0];
                prop_assert!(gap >= hours * HOUR, "repeated after {gap} s");
                // Each restart may fall upon the moment: one look, and the delay after a start.
                prop_assert!(gap <= hours * HOUR + 4 * STEP, "skipped for {gap} s");
            }
            prop_assert!(sim.names.len() <= 7);
        }

        /// A clock that says anything makes them neither stop nor storm.
        #[test]
        fn with_a_mad_clock_they_neither_stop_nor_storm(
            hours in 1_u64..30,
            walls in prop::collection::vec(0_u64..NEW_YEAR * 2, 200..900),
        ) {
            let mut sim = Sim::new(hours);
            for wall in walls {
                sim.step(wall);
            }
            let run = sim.time;
            let most = 1 + run / (hours * HOUR / 4);
            let least = run / (hours * HOUR + STEP);
            let made = sim.backups.len() as u64;
            prop_assert!((least..=most).contains(&made), "{made}, not {least} to {most}");
        }

        /// Three years back, once: one backup early at most.
        #[test]
        fn a_clock_put_back_does_not_stop_them(back in 1_u64..100_000_000, at in 0_u64..400) {
            let mut sim = Sim::new(24);
            for step in 0..1_000 {
                sim.step(NEW_YEAR + sim.time - if step >= at { back } else { 0 });
            }
            let days = sim.time / (24 * HOUR);
            prop_assert!((days..=days + 2).contains(&(sim.backups.len() as u64)));
        }

        #[test]
        fn the_newest_stay(
            keep in 0_u64..10,
            found in prop::collection::btree_set(NEW_YEAR..NEW_YEAR + 1_500, 1..20),
            pick in any::<prop::sample::Index>(),
        ) {
            let found: Vec<Stamp> = found.into_iter().map(Stamp).collect();
            let made = found[pick.index(found.len())];
            let gone = surplus(keep, &found, made);
            prop_assert!(!gone.contains(&made));
            let kept: Vec<Stamp> = found.iter().copied().filter(|it| !gone.contains(it)).collect();
            prop_assert_eq!(kept.len() as u64, keep.max(1).min(found.len() as u64));
            let past = |it: &&Stamp| **it < made;
            if let (Some(oldest), Some(newest)) =
                (kept.iter().filter(past).min(), gone.iter().filter(past).max())
            {
                prop_assert!(newest < oldest);
            }
        }
    }

    #[test]
    fn none_means_none_and_failures_are_retried_patiently() {
        let run = Run::default();
        assert_eq!(left(Plan { hours: 0, keep: 7 }, UnixMillis(1), &[], run), None);
        let failed = |failures| Run { failures, ..run };
        let plan = Plan { hours: 24, keep: 7 };
        let after = |failures| left(plan, UnixMillis(1), &[], failed(failures)).expect("due");
        assert_eq!(after(1), RETRY);
        assert_eq!(after(2), RETRY * 2);
        assert_eq!(after(1_000), RETRY_MAX);
    }

    #[test]
    fn only_our_own_names_are_names() {
        let name = file_name(Stamp(NEW_YEAR));
        assert_eq!(name, "parlor-20260101-000000.tar");
        assert_eq!(parse_file_name(&name), Some(Stamp(NEW_YEAR)));
        for wrong in [
            "parlor-20260101-000000.tar.part",
            "parlor-20260101-000000.tar.gz",
            "parlor-20260101.tar",
            "my-parlor-20260101-000000.tar",
            "parlor-20260199-000000.tar",
            "parlor.tar",
        ] {
            assert_eq!(parse_file_name(wrong), None, "{wrong}");
        }
    }
}
