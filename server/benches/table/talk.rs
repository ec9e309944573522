//! Measured talking: talkers keep a number of messages in flight, or speak at a fixed rate, and
//! every delivery is counted at the socket where it arrives.
//!
//! A warm-up comes first, then the window. At the end everything in flight is waited for, and a
//! single missing delivery makes the measurement fail.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use crate::contestant::{Contestant, Seating, Tongue};
use crate::load::{Hearing, Load, Outbox};
use crate::process::{Running, machine_cpu, own_cpu};

/// A room that is silent this long has heard everything that was on its way.
const SILENCE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);
/// Less than a fiftieth of a core over this time is idle.
const IDLE_LOOK: Duration = Duration::from_millis(500);

/// How the talkers talk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each talker has this many messages unanswered.
    InFlight(usize),
    /// One message in this time, the talkers in turn.
    Every(Duration),
}

impl Pace {
    /// A server that has little to do takes a longer look to be seen.
    pub(crate) fn window(self, usual: Duration) -> Duration {
        match self {
            Self::InFlight(_) => usual,
            Self::Every(_) => usual * 2,
        }
    }
}

/// What one window showed.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) messages_per_second: f64,
    pub(crate) deliveries_per_second: f64,
    /// Server CPU time of one delivery, in microseconds.
    pub(crate) micros_per_delivery: f64,
    /// CPU time of the server in cores.
    pub(crate) server_cores: f64,
    /// The same by the names of its threads.
    pub(crate) threads: Vec<(String, f64)>,
    /// CPU time of the load generator in cores; at 1 it is itself the bottleneck.
    pub(crate) load_cores: f64,
    /// What everything else on this machine took, in cores: above a few hundredths the figures
    /// are disturbed.
    pub(crate) other_cores: f64,
    /// From writing a message to reading its answer, in microseconds.
    pub(crate) ack_p50: f64,
    pub(crate) ack_p99: f64,
    pub(crate) megabytes_per_second: f64,
}

struct Talk<'a> {
    tongue: &'a mut dyn Tongue,
    /// Numbers each message, over all talkers.
    number: u64,
    /// Per connection: when its unanswered messages were said.
    unanswered: Vec<VecDeque<Instant>>,
    said: Vec<u64>,
    acks: u64,
    ack_nanos: Vec<u64>,
    goes_on: bool,
}

/// Cumulative readings at one moment.
struct Reading {
    at: Instant,
    lines: u64,
    acks: u64,
    bytes: u64,
    own_cpu: Duration,
    machine_cpu: Duration,
}

/// Fills a freshly started contestant and lets its talkers talk.
///
/// # Errors
/// A server that refuses, closes, or does not deliver everything to everybody.
pub(crate) fn measure(
    contestant: Contestant,
    server: &Running,
    load: &mut Load,
    seating: Seating,
    pace: Pace,
    window: Duration,
) -> io::Result<Measured> {
    let mut tongue = contestant.tongue();
    tongue.seat(load, server.address, seating)?;
    load.until_quiet(SILENCE, PATIENCE)?;
    until_idle(load, server)?;
    let ears = tongue.ears(seating);
    for conn in 0..seating.conns() {
        load.set_hearing(conn, Hearing::Count);
    }
    for conn in ears {
        load.set_hearing(conn, Hearing::Lines);
    }
    let before: Vec<u64> = (0..seating.conns()).map(|it| load.lines_of(it)).collect();
    let mut talk = Talk {
        tongue: tongue.as_mut(),
        number: 0,
        unanswered: vec![VecDeque::new(); seating.conns()],
        said: vec![0; seating.conns()],
        acks: 0,
        ack_nanos: Vec::new(),
        goes_on: true,
    };
    let talkers: Vec<usize> = seating.talkers().collect();
    if let Pace::InFlight(count) = pace {
        for talker in &talkers {
            for _ in 0..count {
                talk.say(*talker, Instant::now(), load.outbox());
            }
        }
    }
    talk.run(load, pace, &talkers, window / 4)?;
    talk.ack_nanos.clear();
    let server_before = server.cpu()?;
    let start = talk.reading(load)?;
    talk.run(load, pace, &talkers, window)?;
    let end = talk.reading(load)?;
    let server_cpu = difference(server.cpu()?, &server_before);
    let acks = std::mem::take(&mut talk.ack_nanos);
    talk.finish(load, seating, &before)?;
    Ok(measured(&start, &end, &server_cpu, acks, talk.tongue.hears_itself()))
}

/// Waits until the server has nothing left to do about the arrivals, as writing them into
/// everybody's chat log; at most [`PATIENCE`], for a server that is never idle.
fn until_idle(load: &mut Load, server: &Running) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut before = server.cpu()?;
    while Instant::now() < end {
        let look = Instant::now() + IDLE_LOOK;
        while Instant::now() < look {
            let left = look.saturating_duration_since(Instant::now());
            load.turn(left, &mut |_: usize, _: &[u8], _: &mut Outbox| Ok(()))?;
        }
        let now = server.cpu()?;
        if difference(now.clone(), &before).values().sum::<Duration>() < IDLE_LOOK / 50 {
            break;
        }
        before = now;
    }
    Ok(())
}

fn measured(
    start: &Reading,
    end: &Reading,
    server_cpu: &BTreeMap<String, Duration>,
    acks: Vec<u64>,
    hears_itself: bool,
) -> Measured {
    let seconds = (end.at - start.at).as_secs_f64();
    let messages = (end.acks - start.acks) as f64;
    let answers = if hears_itself { messages } else { 0.0 };
    let deliveries = (end.lines - start.lines) as f64 - answers;
    let server = server_cpu.values().sum::<Duration>().as_secs_f64();
    let cores = |it: (&String, &Duration)| (it.0.clone(), it.1.as_secs_f64() / seconds);
    let own = (end.own_cpu - start.own_cpu).as_secs_f64();
    let machine = (end.machine_cpu - start.machine_cpu).as_secs_f64();
    let acks = Percentiles::of(acks);
    Measured {
        messages_per_second: messages / seconds,
        deliveries_per_second: deliveries / seconds,
        micros_per_delivery: server * 1e6 / deliveries.max(1.0),
        server_cores: server / seconds,
        threads: server_cpu.iter().map(cores).collect(),
        load_cores: own / seconds,
        other_cores: ((machine - server - own) / seconds).max(0.0),
        ack_p50: acks.micros(0.5),
        ack_p99: acks.micros(0.99),
        megabytes_per_second: (end.bytes - start.bytes) as f64 / 1e6 / seconds,
    }
}

fn difference(
    mut end: BTreeMap<String, Duration>,
    start: &BTreeMap<String, Duration>,
) -> BTreeMap<String, Duration> {
    for (name, cpu) in &mut end {
        *cpu = cpu.saturating_sub(start.get(name).copied().unwrap_or_default());
    }
    end
}

impl Talk<'_> {
    fn say(&mut self, talker: usize, now: Instant, out: &mut Outbox) {
        self.number += 1;
        self.said[talker] += 1;
        self.unanswered[talker].push_back(now);
        self.tongue.say(talker, self.number, out.of(talker));
    }

    fn turn(&mut self, load: &mut Load, timeout: Duration, pace: Pace) -> io::Result<bool> {
        load.turn(timeout, &mut |conn: usize, line: &[u8], out: &mut Outbox| {
            let Some(talker) = self.tongue.settled(conn, line)? else { return Ok(()) };
            let now = Instant::now();
            let Some(said) = self.unanswered[talker].pop_front() else {
                return Err(io::Error::other("an answer to nothing"));
            };
            self.acks += 1;
            self.ack_nanos.push((now - said).as_nanos() as u64);
            if self.goes_on && matches!(pace, Pace::InFlight(_)) {
                self.say(talker, now, out);
            }
            Ok(())
        })
    }

    fn run(
        &mut self,
        load: &mut Load,
        pace: Pace,
        talkers: &[usize],
        window: Duration,
    ) -> io::Result<()> {
        let start = Instant::now();
        let (mut next, mut turn) = (start, 0);
        let mut answered = (self.acks, start);
        loop {
            let now = Instant::now();
            if now - start >= window {
                return Ok(());
            }
            if self.acks > answered.0 {
                answered = (self.acks, now);
            } else if now - answered.1 > PATIENCE {
                return Err(io::Error::other("no answer for a minute"));
            }
            let mut wait = start + window - now;
            if let Pace::Every(pause) = pace {
                if now >= next {
                    self.say(talkers[turn % talkers.len()], now, load.outbox());
                    turn += 1;
                    next += pause;
                }
                wait = wait.min(next.saturating_duration_since(now));
            }
            self.turn(load, wait, pace)?;
        }
    }

    /// Waits until everything in flight is answered, and every member has heard every message
    /// of its room.
    fn finish(&mut self, load: &mut Load, seating: Seating, before: &[u64]) -> io::Result<()> {
        self.goes_on = false;
        let end = Instant::now() + PATIENCE;
        loop {
            let missing = self.missing(load, seating, before);
            let Some((conn, lines)) = missing else { return Ok(()) };
            if Instant::now() > end {
                let words = format!("connection {conn} never heard {lines} lines");
                return Err(io::Error::other(words));
            }
            self.turn(load, SILENCE, Pace::InFlight(0))?;
        }
    }

    /// The first connection that has not heard everything, and how many lines it waits for.
    fn missing(&self, load: &Load, seating: Seating, before: &[u64]) -> Option<(usize, u64)> {
        let mut room_said = vec![0; seating.rooms];
        for (conn, said) in self.said.iter().enumerate() {
            room_said[seating.room_of(conn)] += said;
        }
        before.iter().enumerate().find_map(|(conn, before)| {
            let (all, own) = (room_said[seating.room_of(conn)], self.said[conn]);
            let wanted = if self.tongue.hears_itself() { all + own } else { all - own };
            let heard = load.lines_of(conn) - before;
            (heard < wanted).then(|| (conn, wanted - heard))
        })
    }

    fn reading(&self, load: &Load) -> io::Result<Reading> {
        Ok(Reading {
            at: Instant::now(),
            lines: load.lines(),
            acks: self.acks,
            bytes: load.bytes(),
            own_cpu: own_cpu()?,
            machine_cpu: machine_cpu()?,
        })
    }
}

/// Sorted durations in nanoseconds.
pub(crate) struct Percentiles(Vec<u64>);

impl Percentiles {
    pub(crate) fn of(mut nanos: Vec<u64>) -> Self {
        nanos.sort_unstable();
        Self(nanos)
    }

    /// The value below which `share` of all are, in microseconds; 0 without any.
    pub(crate) fn micros(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.0.get(at).map_or(0.0, |it| *it as f64 / 1e3)
    }
}
