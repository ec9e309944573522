//! The works in which talkers talk, and what is wanted of each; the others have their own files.

use std::io;
use std::time::Duration;

use crate::contestant::{Contestant, Seating};
use crate::ground::Ground;
use crate::report::{Row, Verdict, median, micros, quantity};
use crate::talk::{Measured, Pace, measure};

/// 200 bytes, as everywhere in this benchmark.
pub(crate) const TEXT: &str = "It is a truth universally acknowledged, that a single message in \
possession of two hundred bytes must be in want of a room; however little known the views of \
the others on such a thing may be tonight.";
const _: () = assert!(TEXT.len() == 200);

/// Cores that something else may take before a measurement counts as disturbed.
const DISTURBED: f64 = 0.15;

/// What TLS has to leave of the plain rate.
const SEALED_AT_LEAST: f64 = 0.4;

/// One room or many in which people talk.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    title: &'static str,
    seating: Seating,
    pace: Pace,
    wants: &'static [Want],
}

/// A figure, and its bound in multiples of the floor's.
struct Want {
    figure: Figure,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Figure {
    Deliveries,
    Messages,
    CpuPerDelivery,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// The four of them, in the order of the table.
pub(crate) const WORKS: &[Work] = &[
    Work {
        name: "fan_out",
        title: "one room, 100 members, 1 talker, 64 in flight",
        seating: Seating { rooms: 1, members: 100, talkers_per_room: 1 },
        pace: Pace::InFlight(64),
        wants: &[
            Want { figure: Figure::Deliveries, bound: Bound::AtLeast(0.4) },
            Want { figure: Figure::CpuPerDelivery, bound: Bound::AtMost(3.0) },
        ],
    },
    Work {
        name: "fan_out_10",
        title: "one room, 100 members, 10 talkers, 64 in flight each",
        seating: Seating { rooms: 1, members: 100, talkers_per_room: 10 },
        pace: Pace::InFlight(64),
        wants: &[Want { figure: Figure::Deliveries, bound: Bound::AtLeast(0.4) }],
    },
    Work {
        name: "wide",
        title: "one room, 1,000 members, 20 messages/s",
        seating: Seating { rooms: 1, members: 1_000, talkers_per_room: 1 },
        pace: Pace::Every(Duration::from_millis(50)),
        wants: &[Want { figure: Figure::CpuPerDelivery, bound: Bound::AtMost(1.3) }],
    },
    Work {
        name: "many_rooms",
        title: "500 rooms of 10, 1 talker each, 8 in flight",
        seating: Seating { rooms: 500, members: 10, talkers_per_room: 1 },
        pace: Pace::InFlight(8),
        wants: &[Want { figure: Figure::Messages, bound: Bound::AtLeast(0.4) }],
    },
];

impl Work {
    /// Measures every contestant `runs` times, in turn, each time with a fresh server.
    ///
    /// # Errors
    /// What [`measure`] says, with the contestant's name and last words.
    pub(crate) fn run(
        &self,
        ground: &Ground,
        contestants: &[Contestant],
        runs: usize,
        window: Duration,
    ) -> io::Result<Vec<Row>> {
        let mut measured = vec![Vec::new(); contestants.len()];
        for run in 1..=runs {
            for (contestant, measured) in contestants.iter().zip(&mut measured) {
                let mut tries = 1 + ground.retries;
                let figures = loop {
                    let figures = ground.with(*contestant, |server, load| {
                        let window = self.pace.window(window);
                        measure(*contestant, server, load, self.seating, self.pace, window)
                    })?;
                    ground.progress(format_args!(
                        "{} {run}/{runs} {}: {}",
                        self.name,
                        contestant.name(),
                        summary(&figures)
                    ));
                    tries -= 1;
                    if tries == 0 || figures.other_cores < DISTURBED {
                        break figures;
                    }
                };
                measured.push(figures);
            }
        }
        Ok(self.rows(contestants, &measured))
    }

    fn rows(&self, contestants: &[Contestant], measured: &[Vec<Measured>]) -> Vec<Row> {
        let mut rows: Vec<Row> =
            self.wants.iter().map(|it| it.row(self.title, contestants, measured)).collect();
        rows.extend(self.sealed_row(contestants, measured));
        let mut more = |figure: &str, show: &dyn Fn(&[Measured]) -> String| {
            rows.push(Row {
                work: self.title.to_owned(),
                figure: figure.to_owned(),
                wanted: String::new(),
                cells: measured.iter().map(|it| show(it)).collect(),
                verdict: Verdict::None,
            });
        };
        more("answer p50 / p99", &|runs| {
            let p50 = median(runs.iter().map(|it| it.ack_p50));
            let p99 = median(runs.iter().map(|it| it.ack_p99));
            format!("{} / {}", micros(p50), micros(p99))
        });
        more("cores used: server + load", &|runs| {
            let server = median(runs.iter().map(|it| it.server_cores));
            let load = median(runs.iter().map(|it| it.load_cores));
            format!("{server:.2} + {load:.2}")
        });
        more("cores taken by others, at worst", &|runs| {
            format!("{:.2}", runs.iter().map(|it| it.other_cores).fold(0.0, f64::max))
        });
        rows
    }
}

impl Work {
    /// What TLS leaves of the rate, where a rate is measured.
    fn sealed_row(&self, contestants: &[Contestant], measured: &[Vec<Measured>]) -> Option<Row> {
        let runs = |of| Some(&measured[contestants.iter().position(|it| *it == of)?]);
        let (plain, sealed) = (runs(Contestant::Parlor)?, runs(Contestant::ParlorOverTls)?);
        let Pace::InFlight(_) = self.pace else { return None };
        let rate = |it: &Measured| it.deliveries_per_second;
        let ratio = median(sealed.iter().zip(plain).map(|(sealed, it)| rate(sealed) / rate(it)));
        let mut cells = vec![String::new(); contestants.len()];
        let at = contestants.iter().position(|it| *it == Contestant::ParlorOverTls)?;
        cells[at] = format!("{ratio:.2} × plain");
        Some(Row {
            work: self.title.to_owned(),
            figure: "deliveries/s over TLS".to_owned(),
            wanted: format!("≥ {SEALED_AT_LEAST} × plain"),
            cells,
            verdict: Verdict::of(ratio >= SEALED_AT_LEAST),
        })
    }
}

impl Want {
    fn row(&self, title: &str, contestants: &[Contestant], measured: &[Vec<Measured>]) -> Row {
        let figure = self.figure;
        let floor = contestants.iter().position(|it| *it == Contestant::Floor);
        // Each run is compared with the floor of the same run: noise comes and goes.
        let ratio = |runs: &[Measured]| {
            let floor = &measured[floor?];
            Some(median(runs.iter().zip(floor).map(|(it, floor)| figure.of(it) / figure.of(floor))))
        };
        let cell = |(contestant, runs): (&Contestant, &Vec<Measured>)| {
            let value = figure.show(median(runs.iter().map(|it| figure.of(it))));
            match ratio(runs).filter(|_| *contestant != Contestant::Floor) {
                Some(ratio) => format!("{value} ({ratio:.2} ×)"),
                None => value,
            }
        };
        let own = contestants.iter().position(|it| *it == Contestant::Parlor);
        let verdict = match own.and_then(|it| ratio(&measured[it])) {
            Some(ratio) => Verdict::of(self.bound.holds(ratio)),
            None => Verdict::None,
        };
        Row {
            work: title.to_owned(),
            figure: figure.title().to_owned(),
            wanted: self.bound.show(),
            cells: contestants.iter().zip(measured).map(cell).collect(),
            verdict,
        }
    }
}

impl Bound {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
        }
    }

    fn show(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound} × floor"),
            Self::AtMost(bound) => format!("≤ {bound} × floor"),
        }
    }
}

impl Figure {
    fn title(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries/s",
            Self::Messages => "messages/s",
            Self::CpuPerDelivery => "server CPU per delivery",
        }
    }

    fn of(self, measured: &Measured) -> f64 {
        match self {
            Self::Deliveries => measured.deliveries_per_second,
            Self::Messages => measured.messages_per_second,
            Self::CpuPerDelivery => measured.micros_per_delivery,
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Deliveries | Self::Messages => quantity(value),
            Self::CpuPerDelivery => format!("{value:.3} µs"),
        }
    }
}

fn summary(it: &Measured) -> String {
    let by_thread: Vec<String> = it
        .threads
        .iter()
        .filter(|it| it.1 >= 0.005)
        .map(|(name, cores)| format!("{name} {cores:.2}"))
        .collect();
    format!(
        "{} messages/s, {} deliveries/s, {:.0} MB/s, {:.3} µs, answer {} / {}, \
         cores {:.2} ({}) + {:.2}, others {:.2}",
        quantity(it.messages_per_second),
        quantity(it.deliveries_per_second),
        it.megabytes_per_second,
        it.micros_per_delivery,
        micros(it.ack_p50),
        micros(it.ack_p99),
        it.server_cores,
        by_thread.join(", "),
        it.load_cores,
        it.other_cores
    )
}
