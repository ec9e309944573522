//! Sending mail: one thread, `mail`, between an outbox that survives a restart and an SMTP
//! server that may be slow, down or wrong.
//!
//! 1. Nobody waits for mail. Whoever has put a letter into the outbox rings the bell and goes on.
//! 2. A letter stays in the outbox until the SMTP server has taken it, has refused it for good,
//!    or three days have passed. A crash in between can send it twice, with one `Message-ID`.
//! 3. What an SMTP server refuses about *us* (sign-in, sender, TLS) is trouble with the server:
//!    letters wait. What it refuses about the recipient or the text is final.
//! 4. No code, no text and no name before an `@` is ever logged.
//!
//! Invariant: this module knows neither the store nor the chat. The outbox is somebody else's.

mod config;
mod letter;
mod smtp;

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parlor_shared::{Limits, UnixMillis};

use crate::{platform, threads};
pub use config::{MailArgs, MailConfig, MailConfigError};
pub use letter::{Code, Letter, LetterId, Words};
use smtp::Trouble;

/// The longest sleep between two looks at the outbox: a clock that was set back must not make a
/// letter wait for longer than it went back, and a bell can be missed in a crash.
const LOOK: Duration = Duration::from_secs(60);
/// The shortest.
const BREATH: Duration = Duration::from_millis(10);

/// What waits to be sent. Rows of a database, or a list in a test.
pub trait Outbox: Send + 'static {
    /// The letter that is due the longest, or when the next one will be. It stays inside.
    fn next(&mut self, now: UnixMillis) -> Due;
    /// The letter arrived at the SMTP server; it goes.
    fn sent(&mut self, id: LetterId);
    /// The letter did not arrive, for the reason `says`. It is due again at `retry_at` with one
    /// try more; `None`: it is given up and goes.
    fn failed(&mut self, id: LetterId, says: &str, retry_at: Option<UnixMillis>);
    /// The SMTP server takes no letters at all for now: those that were not tried wait as well.
    fn all_wait(&mut self) {}
}

/// What an outbox has to say.
#[derive(Debug)]
pub enum Due {
    Now(Letter),
    /// Nothing before this moment.
    At(UnixMillis),
    /// Nothing at all.
    Never,
}

/// The running thread. When it was dropped without [`Mail::stop`], the thread ends after the
/// letter that it is at.
#[derive(Debug)]
pub struct Mail {
    stop: Sender<()>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Mail {
    /// Starts the thread `mail`, which looks into the outbox whenever `rung` says so.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        config: MailConfig,
        limits: &Limits,
        outbox: impl Outbox,
        rung: Receiver<()>,
    ) -> io::Result<Self> {
        let (stop, stopped) = bounded(1);
        let (ends, ended) = bounded::<()>(1);
        let pace = Pace::new(limits);
        let mut sender = Postman { config, pace, outbox, rung, stopped, pause: Duration::ZERO };
        let thread = threads::start("mail", move || {
            sender.run();
            drop(ends);
        })?;
        Ok(Self { stop, ended, thread })
    }

    /// Ends the thread. One that is in the middle of a letter to a server that does not answer is
    /// left behind at `deadline`: it holds nothing that a crash would not let go of, either.
    pub fn stop(self, deadline: Instant) {
        self.stop.try_send(()).ok();
        if self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Timeout) {
            log::warn!("the mail server did not answer in time; its letter waits");
        } else if self.thread.join().is_err() {
            log::error!("the mail thread panicked");
        }
    }
}

/// How long everything may take.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Duration,
    most: Duration,
    give_up: Duration,
    timeout: Duration,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        let first = Duration::from_millis(limits.mail_retry_millis.max(1));
        Self {
            first,
            most: Duration::from_millis(limits.mail_retry_millis_max).max(first),
            give_up: Duration::from_millis(limits.mail_give_up_millis),
            timeout: Duration::from_millis(limits.mail_timeout_millis.max(1)),
        }
    }

    /// The wait after this many failed tries: twice as long each time.
    fn wait(&self, tries: u32) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(tries)).min(self.most)
    }

    /// When a letter that just failed is tried again; `None` when it is too old for that.
    fn retry_at(&self, letter: &Letter, now: UnixMillis) -> Option<UnixMillis> {
        let at = UnixMillis(now.0 + self.wait(letter.tries).as_millis() as u64);
        (at.since(letter.made_at) <= self.give_up.as_millis() as u64).then_some(at)
    }
}

struct Postman<O> {
    config: MailConfig,
    pace: Pace,
    outbox: O,
    rung: Receiver<()>,
    stopped: Receiver<()>,
    /// How long to leave the SMTP server alone: it had trouble with the last letter.
    pause: Duration,
}

impl<O: Outbox> Postman<O> {
    fn run(&mut self) {
        let mut sleep = Duration::ZERO;
        // A ring during a pause must not end it, or a new letter would be a way to hammer.
        while self.sleep(sleep) {
            let now = platform::wall_time();
            sleep = match self.outbox.next(now) {
                Due::Now(letter) => {
                    self.deliver(&letter, now);
                    self.pause
                }
                // An outbox that names a moment in the past must not make this spin.
                Due::At(at) => Duration::from_millis(at.since(now)).clamp(BREATH, LOOK),
                Due::Never => LOOK,
            };
        }
    }

    /// Sleeps until the time is over or the bell rings; false when the thread is to end.
    fn sleep(&self, time: Duration) -> bool {
        let never = crossbeam_channel::never();
        let rung = if self.pause.is_zero() { &self.rung } else { &never };
        crossbeam_channel::select! {
            recv(self.stopped) -> _ => false,
            recv(rung) -> ring => ring.is_ok() || !self.is_stopped_within(time),
            default(time) => !self.is_stopped_within(Duration::ZERO),
        }
    }

    /// All bells are gone: only the time and the stop are left to wait for.
    fn is_stopped_within(&self, time: Duration) -> bool {
        self.stopped.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    fn deliver(&mut self, letter: &Letter, now: UnixMillis) {
        let (id, to) = (letter.id, &letter.to);
        match smtp::send(&self.config, letter, self.pace.timeout) {
            Ok(()) => {
                self.pause = Duration::ZERO;
                log::info!("letter {id} to {to:?} was sent");
                self.outbox.sent(id);
            }
            Err(Trouble::Refused(says)) => {
                self.pause = Duration::ZERO;
                log::warn!("letter {id} to {to:?} was refused and is given up: {says:?}");
                self.outbox.failed(id, &says, None);
            }
            Err(Trouble::Later(says)) => {
                self.pause = Duration::ZERO;
                self.put_off(letter, &says, now);
            }
            Err(Trouble::Server(says)) => {
                // Other letters would fare no better, and are not charged with a try.
                // Never for longer than a look: a code that somebody waits for may come next.
                let longest = self.pace.most.min(LOOK).max(self.pace.first);
                self.pause = (self.pause * 2).clamp(self.pace.first, longest);
                self.put_off(letter, &says, now);
                self.outbox.all_wait();
            }
        }
    }

    fn put_off(&mut self, letter: &Letter, says: &str, now: UnixMillis) {
        let (id, to) = (letter.id, &letter.to);
        let retry_at = self.pace.retry_at(letter, now);
        match retry_at {
            Some(at) => {
                let wait = Duration::from_millis(at.since(now));
                log::warn!("letter {id} to {to:?} waits for {wait:?}: {says:?}");
            }
            None => log::error!("letter {id} to {to:?} is given up: {says:?}"),
        }
        self.outbox.failed(id, says, retry_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_ends_after_three_days() {
        let pace = Pace::new(&Limits::default());
        let waits: Vec<u64> = (0..12).map(|it| pace.wait(it).as_secs()).collect();
        assert_eq!(waits[..4], [10, 20, 40, 80]);
        assert_eq!(waits[9..], [3_600, 3_600, 3_600]);
        assert_eq!(pace.wait(u32::MAX).as_secs(), 3_600);
        let (mut letter, mut now) = (letter::tests::letter("Ann"), UnixMillis(1_000));
        letter.made_at = now;
        while let Some(at) = pace.retry_at(&letter, now) {
            (now, letter.tries) = (at, letter.tries + 1);
        }
        let hours = now.since(letter.made_at) / 3_600_000;
        assert!((71..=72).contains(&hours), "{hours} h, {} tries", letter.tries);
        assert!((70..90).contains(&letter.tries), "{}", letter.tries);
    }
}
