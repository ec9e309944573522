//! The same table through every door of a real server: everybody asks everything about what is
//! their own, what is somebody else's, and what does not exist.

use std::collections::BTreeMap;
use std::time::Instant;

use parlor_server::shell::way_into;
use parlor_shared::{Request, RoomId};

use super::TABLE;
use super::asks::{self, About, Names, names};
use super::doors::DOORS;
use super::people::{House, Kind, ask, nothing};
use super::table::{Place, Table, Whom};
use crate::client::Client;
use crate::harness::Setup;
use crate::pinned::Pin;

/// The places and people that such a request is tried with.
fn targets(names: Names) -> (&'static [Place], &'static [Whom]) {
    const ALL: &[Place] = &[Place::None, Place::There, Place::Missing];
    const PEOPLE: &[Whom] = &[Whom::Own, Whom::Guest, Whom::Nothing];
    match names {
        Names::Nothing => (&[Place::None], &[Whom::Nobody]),
        Names::Room => (&[Place::There, Place::Missing], &[Whom::Nobody]),
        Names::RoomAndUser => (&[Place::There, Place::Missing], PEOPLE),
        Names::Narrow => (ALL, &[Whom::Nobody]),
        Names::NarrowAndUser => (ALL, PEOPLE),
        Names::User | Names::Session => (&[Place::None], PEOPLE),
        Names::Ban => (&[Place::None, Place::There], &[Whom::Nobody, Whom::Nothing]),
    }
}

/// Once it was allowed, whoever asked is not what it was.
fn uses_up_asker(cell: &Cell<'_>) -> bool {
    let is_own = cell.whom == Whom::Own;
    match cell.label {
        "leave" | "join" | "say farewell" | "goodbye" | "sign_out" | "register"
        | "delete_account" => true,
        "end_session" | "set_role member" | "set_role admin" | "set_room_role" => is_own,
        _ => uses_up_room(cell),
    }
}

/// Once it was allowed, whom it was about is not what it was.
fn uses_up_victim(cell: &Cell<'_>) -> bool {
    matches!(
        cell.label,
        "end_session"
            | "end_sessions"
            | "set_role member"
            | "set_role admin"
            | "set_role owner"
            | "set_room_role"
            | "kick"
            | "ban"
    )
}

fn uses_up_room(cell: &Cell<'_>) -> bool {
    cell.label == "end_room"
}

/// What comes of what may be asked, where that is not simply "ok".
fn later(label: &str, kind: Kind) -> &'static str {
    let is_guest = matches!(kind, Kind::Guest | Kind::GuestMember);
    match label {
        "hello" => "name_needed",
        "recover" | "verify_email" | "claim" => "code_unknown",
        "forgot" => "no_mail",
        // The house itself is no user.
        "create_room" | "join" | "rename" | "delete_account" | "register"
            if kind == Kind::Shell =>
        {
            "not_allowed"
        }
        "join" if kind == Kind::BannedFromRoom => "banned",
        "change_password" | "new_recovery_codes" | "set_email" => "wrong_password",
        "delete_account" if !is_guest => "wrong_password",
        _ => "ok",
    }
}

struct Cell<'a> {
    label: &'a str,
    kind: Kind,
    place: Place,
    whom: Whom,
}

struct Trial<'a> {
    house: House<'a>,
    table: Table,
    garden: (RoomId, String),
    /// Made when they are needed.
    asker: Option<Client>,
    victim: Option<Client>,
    number: u64,
}

impl Trial<'_> {
    /// The column and row that this is in.
    fn allowed(&self, cell: &Cell<'_>) -> &'static str {
        // Whoever is a member of the room that is named is one, whatever else.
        let whom = match cell.whom {
            Whom::Guest if cell.place == Place::There => Whom::Member,
            other => other,
        };
        self.table.outcome(cell.label, cell.kind.who(), cell.place, whom)
    }

    /// What the request names; where that is used up, something fresh.
    fn about(&mut self, cell: &Cell<'_>) -> About {
        self.number += 1;
        let mut about = nothing(self.number);
        about.title.clone_from(&self.garden.1);
        match cell.place {
            Place::There => {
                about.room = self.garden.0;
                about.narrow = Some(self.garden.0);
            }
            Place::Missing => about.narrow = Some(about.room),
            Place::None => {}
        }
        if names(cell.label) == Names::Ban && cell.whom == Whom::Nobody {
            about.ban = self.house.banned(about.narrow);
        }
        if cell.label == "cancel_invite" {
            about.invite = self.house.invitation();
        }
        let named = match cell.whom {
            Whom::Own => self.asker.as_ref(),
            Whom::Guest => self.victim.as_ref(),
            _ => None,
        };
        if let Some(welcome) = named.and_then(|it| it.welcome.as_ref()) {
            (about.user, about.session) = (welcome.user, welcome.session);
        }
        about
    }

    fn try_it(&mut self, cell: &Cell<'_>) -> String {
        let (room, title) = self.garden.clone();
        if self.asker.is_none() {
            self.asker = Some(self.house.make(cell.kind, room, &title));
        }
        if self.victim.is_none() {
            self.victim = Some(self.house.make(Kind::GuestMember, room, &title));
        }
        let about = self.about(cell);
        let asked = asks::all(&about).into_iter().find(|it| it.0 == cell.label);
        let request: Request = asked.expect("one of all").1;
        let (code, line) = ask(self.asker.as_mut().expect("made above"), request);
        let allowed = self.allowed(cell);
        let expected = if allowed == "ok" { later(cell.label, cell.kind) } else { allowed };
        let Cell { label, kind, place, whom } = cell;
        let door = self.house.door.name;
        assert_eq!(
            code, expected,
            "{label} by {kind:?} in {place:?} about {whom:?} through {door}: {line}"
        );
        if code == "ok" {
            if uses_up_asker(cell) {
                self.asker = None;
            }
            if uses_up_victim(cell) {
                self.victim = None;
            }
            if uses_up_room(cell) {
                self.garden = self.house.room();
                self.victim = None;
            }
        }
        line
    }
}

#[test]
fn everybody_asks_everything_through_every_door() {
    let data = tempfile::tempdir().expect("a folder");
    let many = ["rooms_made", "hello_tries", "tries_at_once", "tries_per_account", "rooms_joined"];
    let setup = many
        .into_iter()
        .fold(Setup::on(data.path()).unhurried(), |setup, name| setup.limit(name, 1_000_000));
    let server = setup.limit("rename_millis", 0).start();
    let pin = Pin::new(crate::tls::key_of(&server));
    let token = way_into(data.path()).expect("a way in").token;
    let mut cells = 0;
    let start = Instant::now();
    for door in DOORS {
        let mut shell = server.client();
        shell.resume(token).expect("the shell comes in");
        let pin = std::sync::Arc::clone(&pin);
        let mut house = House { server: &server, door, pin, token, shell, made: cells };
        let garden = house.room();
        let table = Table::read(TABLE);
        let (asker, victim) = (None, None);
        let mut trial = Trial { house, table, garden, asker, victim, number: cells };
        for kind in Kind::ALL {
            trial.asker = None;
            cells += everything(&mut trial, kind);
        }
    }
    println!("{cells} requests in {:.1?}", start.elapsed());
    server.stop();
}

/// Everything that somebody of that kind can ask.
fn everything(trial: &mut Trial<'_>, kind: Kind) -> u64 {
    let mut cells = 0;
    let table = Table::read(TABLE);
    for label in table.labels() {
        let (places, whoms) = targets(names(label));
        let mut lines = BTreeMap::new();
        for place in places {
            for whom in whoms {
                let is_nobody = kind.is_stranger() || kind == Kind::Shell;
                if *whom == Whom::Own && is_nobody {
                    continue;
                }
                if !names(label).can_be(*place, *whom) {
                    continue;
                }
                let cell = Cell { label, kind, place: *place, whom: *whom };
                lines.insert((*place, *whom), trial.try_it(&cell));
                cells += 1;
            }
        }
        check_silence(label, kind, &lines);
    }
    cells
}

/// What one may not know of is answered byte for byte as if it were not there.
fn check_silence(label: &str, kind: Kind, lines: &BTreeMap<(Place, Whom), String>) {
    let same = |one: (Place, Whom), other: (Place, Whom)| {
        if let (Some(one), Some(other)) = (lines.get(&one), lines.get(&other)) {
            assert_eq!(one, other, "{label} by {kind:?}");
        }
    };
    // `goodbye` is no question.
    if kind.is_outsider() && label != "say farewell" {
        for whom in [Whom::Nobody, Whom::Guest, Whom::Nothing] {
            same((Place::There, whom), (Place::Missing, whom));
        }
    }
    if !kind.is_in_charge() {
        same((Place::None, Whom::Guest), (Place::None, Whom::Nothing));
        same((Place::None, Whom::Nobody), (Place::None, Whom::Nothing));
    }
    if kind.is_outsider() && names(label) == Names::Ban {
        same((Place::There, Whom::Nobody), (Place::None, Whom::Nothing));
    }
}
