//! Properties of `Chat::apply` under any sequence of commands, cut into any batches, some of
//! which the disk refuses: one dense story per room, saved before said, heard by exactly those
//! who may hear it, and the same chat again when it is loaded from what was saved.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the answer that it waits for; whatever else there may be one day is wrong"
)]

mod asks;
mod disk;
mod listening;
mod sqlite;
mod world;

use parlor_shared::{Limits, Seq};
use proptest::prelude::*;

use asks::{Ask, asks};
use world::World;

const SLOTS: u64 = 6;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Small, so that they are met.
fn limits() -> Limits {
    Limits {
        rooms: 5,
        rooms_joined: 3,
        rooms_made: 2,
        users: 5,
        sessions_per_user: 2,
        sessions_stored: 2,
        devices_remembered: 1,
        list_entries: 3,
        names_kept: 1,
        bans: 3,
        invites: 2,
        own_events: 4,
        audit_entries: 5,
        ..Limits::default()
    }
}

/// One thing that may happen. Small numbers, so that things meet.
#[derive(Clone, Debug)]
enum Op {
    Guest {
        slot: u64,
        name: u8,
        code: Option<u8>,
    },
    Known {
        slot: u64,
        who: u8,
    },
    /// Somebody signs in with a password that was right; `is_old`: until a moment ago.
    SignIn {
        slot: u64,
        user: u64,
        is_old: bool,
    },
    Shell {
        slot: u64,
    },
    Ask {
        slot: u64,
        ask: Ask,
    },
    Lost {
        slot: u64,
    },
    Pass {
        millis: u64,
    },
    ClockBack {
        millis: u64,
    },
    Commit,
    Full,
    Restart,
    Stop,
}

fn ops() -> impl Strategy<Value = Op> {
    let slot = || 0..SLOTS;
    let code = proptest::option::weighted(0.2, any::<u8>());
    prop_oneof![
        4 => (slot(), 0..8_u8, code).prop_map(|(slot, name, code)| Op::Guest { slot, name, code }),
        4 => (slot(), 0..8_u8).prop_map(|(slot, who)| Op::Known { slot, who }),
        3 => (slot(), 1..5_u64, proptest::bool::weighted(0.1))
            .prop_map(|(slot, user, is_old)| Op::SignIn { slot, user, is_old }),
        1 => slot().prop_map(|slot| Op::Shell { slot }),
        30 => (slot(), asks()).prop_map(|(slot, ask)| Op::Ask { slot, ask }),
        2 => slot().prop_map(|slot| Op::Lost { slot }),
        3 => prop_oneof![1..30_000_u64, Just(DAY_MILLIS), Just(31 * DAY_MILLIS)]
            .prop_map(|millis| Op::Pass { millis }),
        1 => prop_oneof![Just(1_000_u64), Just(DAY_MILLIS)]
            .prop_map(|millis| Op::ClockBack { millis }),
        5 => Just(Op::Commit),
        1 => Just(Op::Full),
        1 => Just(Op::Restart),
        1 => Just(Op::Stop),
    ]
}

/// One story: what the store has is 1, 2, 3 … in every room.
fn check_stories(world: &World) {
    for (room, events) in &world.state.disk.events {
        for (place, event) in (1..).zip(events) {
            assert_eq!((event.room, event.seq), (*room, Seq(place)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_commands_in_any_batches_make_one_story(
        ops in proptest::collection::vec(ops(), 1..160),
    ) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
        world.commit();
        check_stories(&world);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// What the records mean is said once, in `Stored::keep`; SQLite has to mean the same.
    #[test]
    fn what_is_loaded_from_sqlite_is_what_the_records_say(
        ops in proptest::collection::vec(ops(), 1..160),
    ) {
        let mut world = World::with_store();
        for op in ops {
            world.run(op);
        }
        world.commit();
    }
}
