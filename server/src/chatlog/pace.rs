//! When the chat logs wait: for their pace, for the next round, and never beyond the order to
//! stop.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, select};

/// The order to stop, which brings the time until which what is pending may still be written.
#[derive(Debug)]
pub(super) struct Stop {
    orders: Receiver<Instant>,
    until: Option<Instant>,
}

impl Stop {
    pub(super) fn new(orders: Receiver<Instant>) -> Self {
        Self { orders, until: None }
    }

    pub(super) fn is_ordered(&mut self) -> bool {
        self.pause(Duration::ZERO);
        self.until.is_some()
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.is_ordered() && self.until.is_some_and(|it| it <= Instant::now())
    }

    /// Waits that long, or until the order comes.
    pub(super) fn pause(&mut self, long: Duration) {
        if self.until.is_none() {
            let order = self.orders.recv_timeout(long);
            if order != Err(RecvTimeoutError::Timeout) {
                self.obey(order.ok());
            }
        }
    }

    /// Waits for the bell, or until the order comes.
    pub(super) fn pause_until_rung(&mut self, bell: &Receiver<()>) {
        if self.until.is_none() {
            select! {
                recv(bell) -> rung => if rung.is_err() { self.obey(None) },
                recv(self.orders) -> order => self.obey(order.ok()),
            }
        }
    }

    /// Nobody left to give an order is one too.
    fn obey(&mut self, order: Option<Instant>) {
        self.until = Some(order.unwrap_or_else(Instant::now));
    }
}

/// The pace is kept over this time and not for each file: a wait costs more than a small write.
const SLACK: Duration = Duration::from_millis(10);

/// So many bytes a second, and no more.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: u64,
    free_at: Instant,
}

impl Pace {
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), free_at: Instant::now() }
    }

    /// Waits until these bytes may be written; false when they may not any more. Once it is to
    /// stop there is nothing that writing could disturb.
    pub(super) fn wait(&mut self, bytes: u64, stop: &mut Stop) -> bool {
        let now = Instant::now();
        let ahead = self.free_at.saturating_duration_since(now);
        if ahead > SLACK {
            stop.pause(ahead);
        }
        let seconds = bytes as f64 / self.bytes_per_second as f64;
        self.free_at = self.free_at.max(now) + Duration::from_secs_f64(seconds);
        !stop.is_over()
    }
}
