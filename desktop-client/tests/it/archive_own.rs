//! What the archive keeps of one's own, and what it forgets for good.

use std::path::Path;
use std::sync::Arc;

use parlor_desktop::archive::{Archive, NoKeyring};
use parlor_desktop::model::{Keep, KeptSession, Own, Session, SessionId};
use parlor_shared::reply::PersonName;
use parlor_shared::{
    ClientId, Epoch, Fact, LOBBY_ID, Nth, Role, RoomEvent, Seq, UnixMillis, UserEvent, UserId,
    UserNews,
};

const SESSION: SessionId = SessionId(1);

fn said(seq: u64, by: u64) -> RoomEvent {
    let client_id = ClientId { device: "dev".parse().expect("a device"), counter: seq };
    let text = format!("word {seq}").parse().expect("a text");
    let fact = Fact::Said { nth: Nth(seq), client_id, text };
    let name = "Ben".parse().expect("a name");
    RoomEvent { room: LOBBY_ID, seq: Seq(seq), at: UnixMillis(seq), by: UserId(by), name, fact }
}

fn session() -> Keep {
    Keep::Session(Session {
        id: SESSION,
        address: "10.0.0.7".parse().expect("an address"),
        user: UserId(7),
        name: "Ann".parse().expect("a name"),
        token: None,
        is_locked: false,
        epoch: Epoch([1; 8]),
        signed_in: true,
        hosted: false,
    })
}

fn room() -> Keep {
    Keep::Room {
        session: SESSION,
        room: LOBBY_ID,
        name: "lobby".parse().expect("a name"),
        read_seq: Seq(0),
        read_nth: Nth(0),
        last_seq: Seq(6),
        last_nth: Nth(6),
    }
}

/// What is there after these orders, in another life of the app.
fn kept_after(profile: &Path, orders: Vec<Keep>) -> KeptSession {
    let open = || Archive::open(profile, Box::new(NoKeyring), Arc::new(|| {}));
    let (mut archive, _) = open().expect("a profile");
    for order in orders {
        archive.keep(order);
    }
    drop(archive);
    let (_, opened) = open().expect("the profile again");
    *opened.current.expect("a session")
}

#[test]
fn erased_texts_are_rewritten_on_disk_and_nobody_elses() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = (1..=6).map(|seq| said(seq, 8 + seq % 2)).collect();
    let kept = kept_after(
        folder.path(),
        vec![
            session(),
            room(),
            Keep::Events { session: SESSION, room: LOBBY_ID, events, nth: Nth(6) },
            Keep::Erase { session: SESSION, room: LOBBY_ID, user: UserId(9), through: Seq(4) },
        ],
    );
    let blank: Vec<u64> = kept.rooms[0]
        .newest
        .iter()
        .filter(|it| matches!(it.fact, Fact::Blank { .. }))
        .map(|it| it.seq.0)
        .collect();
    assert_eq!(blank, [1, 3], "of that user, up to that place");
    let log = folder.path().join("archive.db-wal");
    let left = std::fs::metadata(log).map_or(0, |it| it.len());
    assert_eq!(left, 0, "nor do they lie in the log");
}

#[test]
fn the_own_stream_and_names_survive_and_go_with_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let notice = UserEvent { mine: Seq(5), at: UnixMillis(1), news: UserNews::PasswordChanged {} };
    let own = Own {
        mine: Seq(5),
        role: Role::Admin,
        account: true,
        notices: vec![notice],
        ..Own::default()
    };
    let names = vec![PersonName { user: UserId(8), name: "Rob".parse().expect("a name") }];
    let kept = kept_after(
        folder.path(),
        vec![
            session(),
            Keep::Own { session: SESSION, own: Own::default() },
            Keep::Own { session: SESSION, own: own.clone() },
            Keep::Names { session: SESSION, names: names.clone() },
        ],
    );
    assert_eq!((kept.own, kept.names), (own, names));
    let kept = kept_after(folder.path(), vec![Keep::ForgetNames(SESSION)]);
    assert_eq!(kept.names, []);
    let again = vec![Keep::ForgetSession(SESSION), session()];
    assert_eq!(kept_after(folder.path(), again).own, Own::default());
}
