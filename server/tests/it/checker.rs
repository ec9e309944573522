//! The history checker: what clients saw, against what there is.
//!
//! Every client notes each try and how it ended. `ok` is there exactly once at its seq;
//! `rejected` is absent; `unknown` (a timeout, a cut) is there at most once; a resent id has one
//! seq; every reader saw the same sequence without holes.

use std::collections::{BTreeMap, BTreeSet};

use parlor_shared::{ClientId, Fact, RoomEvent, RoomId, Seq, UserId};

/// How a try to say something ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Ok(Seq),
    Rejected,
    Unknown,
}

/// One try.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) by: UserId,
    pub(crate) room: RoomId,
    pub(crate) client_id: ClientId,
    pub(crate) text: String,
    pub(crate) outcome: Outcome,
}

/// What one reader saw of one room, in the order in which it saw it, from some place on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) who: String,
    pub(crate) events: Vec<RoomEvent>,
}

type Said = (UserId, ClientId);
type Place<'a> = (RoomId, Seq, &'a str);

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) tries: Vec<Try>,
    pub(crate) readings: Vec<Reading>,
    /// Each room from its first event to its last, as read when all was over.
    pub(crate) rooms: BTreeMap<RoomId, Vec<RoomEvent>>,
}

impl Seen {
    /// Notes what somebody heard, room by room.
    pub(crate) fn heard(&mut self, who: &str, events: impl IntoIterator<Item = RoomEvent>) {
        let mut rooms: BTreeMap<RoomId, Vec<RoomEvent>> = BTreeMap::new();
        for event in events {
            rooms.entry(event.room).or_default().push(event);
        }
        let who = who.to_owned();
        let readings = rooms.into_values().map(|events| Reading { who: who.clone(), events });
        self.readings.extend(readings);
    }

    /// Panics with everything that is wrong.
    pub(crate) fn assert_right(&self) {
        let wrong = self.check();
        assert!(wrong.is_empty(), "the history is wrong:\n{}\n", wrong.join("\n"));
    }

    /// Everything that is wrong.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (room, events) in &self.rooms {
            for (place, event) in (1..).zip(events) {
                if event.room != *room || event.seq != Seq(place) {
                    wrong.push(format!("room {room}: {} stands at place {place}", event.seq));
                }
            }
        }
        self.check_tries(&mut wrong);
        for reading in &self.readings {
            self.check_reading(reading, &mut wrong);
        }
        wrong
    }

    /// Where each message stands, by who said it and its client id.
    fn places(&self) -> BTreeMap<Said, Vec<Place<'_>>> {
        let mut there: BTreeMap<Said, Vec<Place<'_>>> = BTreeMap::new();
        for event in self.rooms.values().flatten() {
            if let Fact::Said { client_id, text, .. } = &event.fact {
                let place = (event.room, event.seq, text.as_str());
                there.entry((event.by, *client_id)).or_default().push(place);
            }
        }
        there
    }

    fn check_tries(&self, wrong: &mut Vec<String>) {
        let there = self.places();
        let mut tried: BTreeMap<Said, Vec<&Try>> = BTreeMap::new();
        for it in &self.tries {
            tried.entry((it.by, it.client_id)).or_default().push(it);
        }
        for key in there.keys().filter(|it| !tried.contains_key(it)) {
            wrong.push(format!("{key:?} is there and was never said"));
        }
        for ((by, id), tries) in tried {
            let found = there.get(&(by, id)).map_or(&[][..], Vec::as_slice);
            let acked: BTreeSet<Seq> = tries
                .iter()
                .filter_map(|it| if let Outcome::Ok(seq) = it.outcome { Some(seq) } else { None })
                .collect();
            let is_unknown = tries.iter().any(|it| it.outcome == Outcome::Unknown);
            if found.len() > 1 {
                wrong.push(format!("{by} {id}: there {} times: {found:?}", found.len()));
            }
            if acked.len() > 1 {
                wrong.push(format!("{by} {id}: acked at several places: {acked:?}"));
            }
            match (acked.first(), found.first()) {
                (Some(seq), None) => wrong.push(format!("{by} {id}: acked at {seq} and LOST")),
                (Some(seq), Some(place)) if place.1 != *seq => {
                    wrong.push(format!("{by} {id}: acked at {seq}, there at {}", place.1));
                }
                (None, Some(place)) if !is_unknown => {
                    wrong.push(format!("{by} {id}: rejected, and there at {}", place.1));
                }
                _ => {}
            }
            for (room, seq, text) in found {
                let same = tries.iter().any(|it| it.room == *room && it.text == *text);
                if !same {
                    wrong.push(format!("{by} {id}: at {seq} of room {room} is another text"));
                }
            }
        }
    }

    fn check_reading(&self, reading: &Reading, wrong: &mut Vec<String>) {
        let Some(first) = reading.events.first() else { return };
        let Some(all) = self.rooms.get(&first.room) else {
            wrong.push(format!("{} heard of room {}, which is not there", reading.who, first.room));
            return;
        };
        for (place, event) in (first.seq.0..).zip(&reading.events) {
            if event.seq.0 != place {
                wrong.push(format!("{} heard {} where {place} was due", reading.who, event.seq));
                return;
            }
            match all.get(place as usize - 1) {
                Some(it) if it == event => {}
                Some(_) => wrong.push(format!("{} heard another event {place}", reading.who)),
                None => wrong.push(format!("{} heard {place}, which is LOST", reading.who)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_shared::{Nth, UnixMillis};

    fn said(seq: u64, id: &str, text: &str) -> RoomEvent {
        RoomEvent {
            room: RoomId(1),
            seq: Seq(seq),
            at: UnixMillis(5),
            by: UserId(1),
            name: "Ann".parse().expect("a name"),
            fact: Fact::Said {
                nth: Nth(seq),
                client_id: id.parse().expect("an id"),
                text: text.parse().expect("a text"),
            },
        }
    }

    fn tried(id: &str, text: &str, outcome: Outcome) -> Try {
        let (by, room) = (UserId(1), RoomId(1));
        let client_id = id.parse().expect("an id");
        Try { by, room, client_id, text: text.to_owned(), outcome }
    }

    fn good() -> Seen {
        let events = vec![said(1, "a-1", "one"), said(2, "a-2", "two"), said(3, "a-4", "four")];
        let mut seen = Seen::default();
        seen.heard("Ann", events[1..].to_vec());
        seen.heard("Bob", events.clone());
        seen.rooms.insert(RoomId(1), events);
        seen.tries = vec![
            tried("a-1", "one", Outcome::Ok(Seq(1))),
            tried("a-2", "two", Outcome::Unknown),
            tried("a-2", "two", Outcome::Ok(Seq(2))),
            tried("a-3", "three", Outcome::Rejected),
            tried("a-4", "four", Outcome::Unknown),
            tried("a-5", "five", Outcome::Unknown),
        ];
        seen
    }

    #[test]
    fn a_good_history_is_right() {
        good().assert_right();
        Seen::default().assert_right();
    }

    /// Each kind of wrong is seen, and named.
    #[test]
    fn every_bad_history_is_wrong() {
        type Spoil = fn(&mut Seen);
        let cases: [(&str, Spoil); 12] = [
            ("LOST", |it| it.tries.push(tried("a-9", "x", Outcome::Ok(Seq(9))))),
            ("acked at several", |it| it.tries.push(tried("a-1", "one", Outcome::Ok(Seq(2))))),
            ("acked at 3, there at 2", |it| it.tries[2].outcome = Outcome::Ok(Seq(3))),
            ("rejected, and there", |it| it.tries[4].outcome = Outcome::Rejected),
            ("never said", |it| drop(it.tries.remove(4))),
            ("another text", |it| it.tries[0].text = "other".to_owned()),
            ("there 2 times", |it| {
                it.rooms.entry(RoomId(1)).or_default().push(said(4, "a-1", "one"));
            }),
            ("stands at place 2", |it| drop(it.rooms.entry(RoomId(1)).or_default().remove(1))),
            ("where 2 was due", |it| drop(it.readings[1].events.remove(1))),
            ("another event 2", |it| it.readings[0].events[0] = said(2, "a-2", "too")),
            ("which is LOST", |it| it.readings[0].events.push(said(4, "a-5", "five"))),
            ("not there", |it| drop(it.rooms.remove(&RoomId(1)))),
        ];
        for (expected, spoil) in cases {
            let mut seen = good();
            spoil(&mut seen);
            let wrong = seen.check();
            assert!(wrong.iter().any(|it| it.contains(expected)), "{expected}: {wrong:?}");
        }
    }
}
