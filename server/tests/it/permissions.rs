//! Who may do what: the whole table of `chat::access`, and the same through every door.
//!
//! `tests/data/access.txt` is the table, to be read. It is complete by construction: every verb
//! there is meets every standing and every target, and exactly one row has to say what comes of
//! it. `UPDATE_ACCESS=1 cargo test -p parlor-server permissions` writes it anew; look at the
//! difference before it is committed.

mod asks;
mod doors;
mod people;
mod sockets;
mod table;

use std::collections::BTreeSet;

use parlor_server::chat::access::{Named, Standing, Target, may};
use parlor_shared::{Request, Role, RoomRole};

use asks::{Names, names};
use table::{Place, Table, Who, Whom};

pub(super) const TABLE: &str = include_str!("../data/access.txt");

/// Somebody of that standing towards what is in that place.
fn standing(who: Who, place: Place) -> Standing {
    let (role, is_account, in_room) = match who {
        Who::SignedOut => (None, false, None),
        Who::Guest => (Some(Role::Guest), false, None),
        Who::GuestInside => (Some(Role::Guest), false, Some(RoomRole::Member)),
        Who::User => (Some(Role::Member), true, None),
        Who::Member => (Some(Role::Member), true, Some(RoomRole::Member)),
        Who::Moderator => (Some(Role::Member), true, Some(RoomRole::Moderator)),
        Who::RoomOwner => (Some(Role::Member), true, Some(RoomRole::Owner)),
        Who::Admin => (Some(Role::Admin), true, None),
        Who::AdminInside => (Some(Role::Admin), true, Some(RoomRole::Member)),
        Who::Owner => (Some(Role::Owner), true, None),
        Who::OwnerInside => (Some(Role::Owner), true, Some(RoomRole::Member)),
        Who::Shell => (Some(Role::Owner), false, None),
    };
    Standing { role, is_account, in_room: in_room.filter(|_| place == Place::There) }
}

fn target(place: Place, whom: Whom) -> Target {
    let other = |role, in_room| Named::Other { role, in_room };
    let is = match whom {
        Whom::Nobody => Named::Nobody,
        Whom::Nothing => Named::Nothing,
        Whom::Own => Named::Own,
        Whom::Guest => other(Role::Guest, None),
        Whom::User => other(Role::Member, None),
        Whom::Member => other(Role::Member, Some(RoomRole::Member)),
        Whom::Moderator => other(Role::Member, Some(RoomRole::Moderator)),
        Whom::RoomOwner => other(Role::Member, Some(RoomRole::Owner)),
        Whom::Admin => other(Role::Admin, None),
        Whom::AdminInside => other(Role::Admin, Some(RoomRole::Member)),
        Whom::Owner => other(Role::Owner, None),
    };
    Target { has_room: place != Place::Missing, names_room: place != Place::None, is }
}

fn outcome(request: &Request, who: Who, place: Place, whom: Whom) -> &'static str {
    may(request, standing(who, place), target(place, whom)).map_or_else(|no| no.code(), |()| "ok")
}

#[test]
fn every_request_of_everybody_about_everything_is_in_the_table() {
    let asks = asks::one_of_each();
    let verbs: BTreeSet<&str> = asks.iter().map(|(_, request)| request.verb()).collect();
    let missing: Vec<_> = Request::VERBS.iter().filter(|it| !verbs.contains(*it)).collect();
    assert_eq!(missing, [&""; 0], "requests of which nobody said who may ask them");
    let decided = |label: &str, who, place, whom| {
        let (_, request) = asks.iter().find(|it| it.0 == label).expect("it is one of them");
        outcome(request, who, place, whom)
    };
    let labels: Vec<&str> = asks.iter().map(|it| it.0).collect();
    if std::env::var_os("UPDATE_ACCESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/access.txt");
        std::fs::write(path, table::write(&labels, decided)).expect("the table is written");
        return;
    }
    let table = Table::read(TABLE);
    assert_eq!(table.labels(), labels.iter().copied().collect(), "the table's requests");
    let mut cells = 0;
    for (label, who, place, whom) in table::all(&labels) {
        let says = table.outcome(label, who, place, whom);
        let decided = decided(label, who, place, whom);
        assert_eq!(decided, says, "{label} by {who:?} in {place:?} about {whom:?}");
        cells += 1;
    }
    assert!(cells > 1_500, "{cells} cells");
}

/// Nobody learns from a refusal what is none of their business.
#[test]
fn what_one_may_not_know_of_is_refused_as_if_it_were_not_there() {
    let table = Table::read(TABLE);
    let mut compared = 0;
    for label in table.labels() {
        let can_be = |place, whom| names(label).can_be(place, whom);
        for who in [Who::Guest, Who::User] {
            for whom in Whom::ALL.into_iter().filter(|it| can_be(Place::There, *it)) {
                let missing = if can_be(Place::Missing, whom) { whom } else { Whom::Nothing };
                if can_be(Place::Missing, missing) {
                    let there = table.outcome(label, who, Place::There, whom);
                    let missing = table.outcome(label, who, Place::Missing, missing);
                    assert_eq!(there, missing, "{label} by {who:?}: is there such a room?");
                    compared += 1;
                }
            }
            for whom in Whom::OTHERS.into_iter().filter(|it| can_be(Place::None, *it)) {
                let other = table.outcome(label, who, Place::None, whom);
                let nothing = table.outcome(label, who, Place::None, Whom::Nothing);
                assert_eq!(other, nothing, "{label} by {who:?}: is there such a {whom:?}?");
                compared += 1;
            }
        }
        if names(label) == Names::Ban {
            let nothing = table.outcome(label, Who::User, Place::None, Whom::Nothing);
            for place in [Place::None, Place::There] {
                assert_eq!(table.outcome(label, Who::User, place, Whom::Nobody), nothing);
            }
        }
    }
    assert!(compared > 100, "{compared} pairs");
}
