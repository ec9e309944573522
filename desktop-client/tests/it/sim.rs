//! Both brains, a bad network, apps that die and a server that loses power: does everybody still
//! tell one story?
//!
//! One thread, no clock, one seed per case. `SIM_SEED=n` replays one, `SIM_SEEDS=n` runs more.

mod check;
mod client;
mod disk;
pub(crate) mod memory;
mod server;

use client::{Client, Line, Outgoing};
use parlor_desktop::model::{AccountWish, Closed, Intent, LinkNews};
use parlor_server::chat::ConnectionId;
use parlor_shared::{Fingerprint, RoomId};
use server::{Power, Server};

/// Where everybody joins.
const PLACE: &str = "10.0.0.7";
/// By which its server is known.
const KEY: Fingerprint = Fingerprint([0x5e; 32]);
/// Newest events of a room that an app starts with, so that older ones have to be asked for.
const NEWEST: usize = 4;
const SEEDS: u64 = 2_000;
const STEPS: usize = 600;
const ROOMS: [&str; 3] = ["tea", "dogs", "work"];

/// Luck that can be had again (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }
}

struct World {
    dice: Dice,
    now: u64,
    server: Server,
    clients: Vec<Client>,
    drops: u64,
}

/// What happened in all seeds, so that a simulation in which nothing happens is noticed.
#[derive(Debug, Default)]
struct Tally {
    said: u64,
    drops: u64,
    slow_readers: u64,
    power_losses: u64,
    full_disks: u64,
    app_crashes: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let count = 2 + dice.below(3);
        let clients = (1..=count).map(|number| Client::new(number, 0, &mut dice)).collect();
        let mut world = Self { dice, now: 0, server: Server::new(), clients, drops: 0 };
        for i in 0..count {
            let (name, address) = (world.clients[i].name.clone(), PLACE.to_owned());
            world.want(i, Intent::Join { name, address });
        }
        world.heal();
        world
    }

    // ---- What can happen ----

    fn step(&mut self) {
        let i = self.dice.below(self.clients.len());
        self.now += self.dice.roll() % 20;
        match self.dice.below(100) {
            0 => self.cut(i),
            1 => self.crash_app(i),
            2 => self.server.stop(self.now),
            3 => {
                self.now += self.dice.roll() % 20_000;
                self.server.tick();
            }
            4..=6 => self.live(i),
            7..=18 => self.talk(i),
            19..=34 => self.connection_reads(),
            35..=50 => self.hub_works(),
            51..=72 => self.hear(i),
            73..=84 => self.archive_works(i),
            85..=90 => self.connect(i),
            _ => self.tick(i),
        }
        self.server.cut_slow_readers();
        self.end_wires();
        if self.dice.one_in(8) {
            self.bury_orphans();
        }
    }

    /// Says something in one of the rooms.
    fn talk(&mut self, i: usize) {
        let rooms: Vec<_> = self.clients[i].model.rooms.keys().copied().collect();
        if !self.clients[i].is_talking() || rooms.is_empty() {
            return;
        }
        let room = rooms[self.dice.below(rooms.len())];
        let outgoing = self.clients[i].say(room, self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    /// Looks about, and comes and goes.
    fn live(&mut self, i: usize) {
        let client = &self.clients[i];
        if !client.is_talking() {
            let (name, address) = (client.name.clone(), PLACE.to_owned());
            return self.want(i, Intent::Join { name, address });
        }
        let rooms: Vec<_> = client.model.rooms.keys().copied().collect();
        let Some(&room) = rooms.get(self.dice.below(rooms.len().max(1))) else { return };
        let name = ROOMS[self.dice.below(ROOMS.len())].to_owned();
        let last = client.model.rooms[&room].timeline.last_seq();
        let failed_before = client.words.len();
        let intent = match self.dice.below(20) {
            0..=3 => Intent::OpenRoom { name },
            4..=7 => Intent::Select(room),
            8..=11 => Intent::Seen { room, seq: last },
            12 => Intent::Focus(self.dice.one_in(2)),
            13..=14 => Intent::LoadOlder(room),
            15 => Intent::ListRooms,
            16 => Intent::ConnectNow,
            17 if room != parlor_shared::LOBBY_ID => {
                let outgoing = self.clients[i].leave(room, self.now, &mut self.dice);
                return self.send(i, outgoing);
            }
            18 => {
                let outgoing = self.clients[i].retry_failed(self.now, &mut self.dice);
                return self.send(i, outgoing);
            }
            19 if self.dice.one_in(4) => Intent::SignOut,
            19 if self.dice.one_in(2) => {
                let name = format!("Person {} {}", i + 1, self.dice.below(3));
                Intent::Account(AccountWish::Rename { name })
            }
            _ => Intent::EditDraft { room, text: format!("a draft {failed_before}") },
        };
        self.want(i, intent);
    }

    fn cut(&mut self, i: usize) {
        let Some((_, Line::Open(id))) = self.clients[i].link else { return };
        self.drops += 1;
        if self.dice.one_in(2) {
            return self.server.lose(id);
        }
        // Only the app notices: what it sent still arrives, later than what it sends next.
        let outgoing = self.clients[i].lose(self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn crash_app(&mut self, i: usize) {
        let outgoing = self.clients[i].crash(self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn connection_reads(&mut self) {
        let ids: Vec<_> = self.server.wires.keys().copied().collect();
        if let Some(&id) = ids.get(self.dice.below(ids.len().max(1))) {
            self.server.read(id, &mut self.dice, false);
        }
    }

    fn hub_works(&mut self) {
        if self.server.is_down {
            self.server.is_down = self.dice.one_in(3);
            return;
        }
        if self.server.has_work() {
            let power = match self.dice.below(40) {
                0 => Power::GoesBefore,
                1 => Power::GoesAfter,
                2 => Power::DiskFull,
                _ => Power::Stays,
            };
            let count = 1 + self.dice.below(6);
            self.server.batch(count, self.now, power);
        }
    }

    fn hear(&mut self, i: usize) {
        let Some(id) = self.wire_of(i) else { return };
        let Some(frame) = self.server.wires.get_mut(&id).and_then(|it| it.down.pop_front()) else {
            return;
        };
        let outgoing = self.clients[i].hear_frame(frame, self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn archive_works(&mut self, i: usize) {
        let count = 1 + self.dice.below(8);
        let outgoing = self.clients[i].commit(count, self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn connect(&mut self, i: usize) {
        let Some((link, Line::Wanted)) = self.clients[i].link else { return };
        let news = match self.server.accept() {
            Some(id) => {
                self.clients[i].link = Some((link, Line::Open(id)));
                LinkNews::Connected { key: Some(KEY) }
            }
            None => LinkNews::Closed(Closed::NobodyAnswers),
        };
        let outgoing = self.clients[i].hear(news, self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn tick(&mut self, i: usize) {
        let wake = self.clients[i].model.next_wake();
        if wake.is_some_and(|at| at <= self.now) || self.dice.one_in(8) {
            let outgoing = self.clients[i].tick(self.now, &mut self.dice);
            self.send(i, outgoing);
        }
    }

    /// Wires that the server is done with, once they are empty, and those that are gone: the app
    /// is told.
    fn end_wires(&mut self) {
        let is_over = |it: &server::Wire| it.is_ending && it.down.is_empty();
        let over: Vec<_> =
            self.server.wires.iter().filter(|(_, it)| is_over(it)).map(|(id, _)| *id).collect();
        for id in over {
            self.server.lose(id);
        }
        for i in 0..self.clients.len() {
            if let Some(id) = self.wire_of(i)
                && !self.server.wires.contains_key(&id)
                && self.dice.one_in(2)
            {
                let outgoing = self.clients[i].lose(self.now, &mut self.dice);
                self.send(i, outgoing);
            }
        }
    }

    // ---- Ferrying ----

    fn want(&mut self, i: usize, intent: Intent) {
        let outgoing = self.clients[i].want(intent, self.now, &mut self.dice);
        self.send(i, outgoing);
    }

    fn wire_of(&self, i: usize) -> Option<ConnectionId> {
        match self.clients[i].link {
            Some((_, Line::Open(id))) => Some(id),
            Some((_, Line::Wanted)) | None => None,
        }
    }

    fn send(&mut self, i: usize, outgoing: Outgoing) {
        if let Some(id) = self.wire_of(i)
            && let Some(wire) = self.server.wires.get_mut(&id)
        {
            wire.up.extend(outgoing.frames);
        }
    }

    /// The server notices that nobody is at the other end of some wires.
    fn bury_orphans(&mut self) {
        let mine: Vec<_> = (0..self.clients.len()).filter_map(|it| self.wire_of(it)).collect();
        let orphans: Vec<_> =
            self.server.wires.keys().copied().filter(|it| !mine.contains(it)).collect();
        for id in orphans {
            self.server.lose(id);
        }
    }

    // ---- Coming to rest ----

    /// No more faults: everybody comes back and says what is still to be said.
    fn heal(&mut self) {
        self.server.is_down = false;
        for _ in 0..4_000 {
            self.bury_orphans();
            let mut is_busy = false;
            while self.server.has_work() {
                self.server.batch(usize::MAX, self.now, Power::Stays);
                is_busy = true;
            }
            self.end_wires();
            for i in 0..self.clients.len() {
                is_busy |= self.heal_one(i);
            }
            if is_busy || self.server.has_work() {
                continue;
            }
            // Time passes only when nothing else is to be done, or answers would be overdue.
            let wakes = self.clients.iter().filter_map(|it| it.model.next_wake());
            let Some(at) = wakes.min() else {
                return;
            };
            self.now = self.now.max(at);
            for i in 0..self.clients.len() {
                let outgoing = self.clients[i].tick(self.now, &mut self.dice);
                self.send(i, outgoing);
            }
        }
        panic!("never came to rest");
    }

    /// True: there was something to do.
    fn heal_one(&mut self, i: usize) -> bool {
        let mut is_busy = false;
        if !self.clients[i].is_talking() && self.clients[i].link.is_none() {
            let (name, address) = (self.clients[i].name.clone(), PLACE.to_owned());
            self.want(i, Intent::Join { name, address });
        }
        if let Some((_, Line::Wanted)) = self.clients[i].link {
            self.connect(i);
            is_busy = true;
        }
        if let Some(id) = self.wire_of(i) {
            is_busy |= !self.server.wires.contains_key(&id);
            while self.server.wires.get(&id).is_some_and(|it| !it.up.is_empty()) {
                let before = self.server.wires[&id].up.len();
                self.server.read(id, &mut self.dice, true);
                is_busy = true;
                if self.server.wires.get(&id).is_some_and(|it| it.up.len() == before) {
                    break;
                }
            }
            // What it hears can make it give the wire up.
            while self.wire_of(i) == Some(id)
                && self.server.wires.get(&id).is_some_and(|it| !it.down.is_empty())
            {
                self.hear(i);
                is_busy = true;
            }
        }
        while !self.clients[i].memory.queue.is_empty() {
            self.archive_works(i);
            is_busy = true;
        }
        let outgoing = self.clients[i].retry_failed(self.now, &mut self.dice);
        is_busy |= !outgoing.frames.is_empty() || !self.clients[i].memory.queue.is_empty();
        self.send(i, outgoing);
        // Scrolls up, in every room, until there is nothing above.
        let more: Vec<RoomId> = self.clients[i].model.rooms.keys().copied().collect();
        for room in more {
            self.want(i, Intent::LoadOlder(room));
        }
        is_busy
    }
}

fn run(seed: u64) -> Tally {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.heal();
    world.check();
    Tally {
        said: world.clients.iter().map(|it| it.sent).sum(),
        drops: world.drops,
        slow_readers: world.server.cuts,
        power_losses: world.server.crashes,
        full_disks: world.server.fulls,
        // One of each is the check's own.
        app_crashes: world.clients.iter().map(|it| it.crashes - 1).sum(),
    }
}

#[test]
fn everybody_tells_one_story() {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    let is_replay = seeds.start() == seeds.end();
    let mut all = Tally::default();
    for seed in seeds {
        match std::panic::catch_unwind(|| run(seed)) {
            Ok(tally) => {
                all.said += tally.said;
                all.drops += tally.drops;
                all.slow_readers += tally.slow_readers;
                all.power_losses += tally.power_losses;
                all.full_disks += tally.full_disks;
                all.app_crashes += tally.app_crashes;
            }
            Err(panic) => {
                eprintln!("replay with SIM_SEED={seed}");
                std::panic::resume_unwind(panic)
            }
        }
    }
    println!("{all:?}");
    if !is_replay {
        let happened = [
            all.said,
            all.drops,
            all.slow_readers,
            all.power_losses,
            all.full_disks,
            all.app_crashes,
        ];
        assert!(happened.iter().all(|it| *it > 100), "too little happened: {all:?}");
    }
}
