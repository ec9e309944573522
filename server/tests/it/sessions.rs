//! Sessions over sockets: they end at once, on whatever connection.

use std::time::Duration;

use parlor_shared::reply::SessionEntry;
use parlor_shared::request::{ChangePassword, EndSession, EndSessions, Nothing, Read, Sessions};
use parlor_shared::{LOBBY_ID, Refusal, Reply, Request, Seq, UserNews};

use crate::accounts::{WORD, account, server};
use crate::client::Client;
use crate::harness::{self, PATIENCE};
use crate::kill::SmallDisk;

/// A revoked session is dead within this.
const AT_ONCE: Duration = Duration::from_secs(1);

fn sessions(client: &mut Client) -> Vec<SessionEntry> {
    match client.ask(Request::Sessions(Sessions { user: None })) {
        Ok(Reply::Sessions { sessions }) => sessions,
        other => panic!("{other:?}"),
    }
}

/// It hears why, and then nothing more.
fn is_out(client: &mut Client) {
    let (after, why) = client.put_out();
    assert_eq!(why, Refusal::SessionEnded);
    assert!(after < AT_ONCE, "{after:?}");
}

#[test]
fn a_changed_password_ends_all_other_sessions_at_once() {
    let (_data, server) = server(|it| it);
    let mut desk = account(&server, "Ann");
    let [mut phone, mut tablet] = [server.client(), server.client()];
    for it in [&mut phone, &mut tablet] {
        it.sign_in("Ann", WORD).unwrap();
    }
    let change = |old: &str| {
        let (old, new) = (old.parse().unwrap(), "another word to know".parse().unwrap());
        Request::ChangePassword(ChangePassword { old, new })
    };
    assert_eq!(desk.ask(change("not the old one")), Err(Refusal::WrongPassword));
    assert_eq!(phone.ping(), Ok(Reply::Pong {}));
    assert_eq!(desk.ask(change(WORD)), Ok(Reply::PasswordChanged { sessions_ended: 2 }));
    for mut it in [phone, tablet] {
        is_out(&mut it);
        assert_eq!(server.client().resume(it.token.unwrap()), Err(Refusal::TokenUnknown));
    }
    assert_eq!(desk.ping(), Ok(Reply::Pong {}));
    assert_eq!(server.client().sign_in("Ann", WORD), Err(Refusal::WrongPassword));
    server.stop();
}

#[test]
fn one_session_all_others_or_this_one() {
    let (_data, server) = server(|it| it);
    let mut desk = account(&server, "Ann");
    let mut others: Vec<Client> = (0..3)
        .map(|_| {
            let mut it = server.client();
            it.sign_in("Ann", WORD).unwrap();
            it
        })
        .collect();
    // A second connection of the first of them.
    let mut double = server.client();
    double.resume(others[0].token.unwrap()).unwrap();
    let listed = sessions(&mut desk);
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|it| it.here && it.address == "127.0.0.1"), "{listed:?}");
    assert_eq!(listed.iter().filter(|it| it.this).count(), 1);

    let session = others[0].welcome.as_ref().unwrap().session;
    let one = Request::EndSession(EndSession { session });
    assert_eq!(desk.ask(one.clone()), Ok(Reply::SessionsEnded { count: 1 }));
    is_out(&mut others[0]);
    is_out(&mut double);
    assert_eq!(desk.ask(one), Err(Refusal::NoSuchSession));

    let rest = Request::EndSessions(EndSessions { user: None });
    assert_eq!(desk.ask(rest), Ok(Reply::SessionsEnded { count: 2 }));
    others[1..].iter_mut().for_each(is_out);

    // Signing out: the token is worth nothing any more, on all of its connections.
    let mut double = server.client();
    double.resume(desk.token.unwrap()).unwrap();
    assert_eq!(desk.ask(Request::SignOut(Nothing {})), Ok(Reply::SignedOut {}));
    assert!(desk.is_closed_within(PATIENCE));
    is_out(&mut double);
    assert_eq!(server.client().resume(desk.token.unwrap()), Err(Refusal::TokenUnknown));
    server.client().sign_in("Ann", WORD).unwrap();
    server.stop();
}

#[test]
fn of_what_was_read_only_the_latest_is_kept_and_the_stream_comes_in_pages() {
    let (_data, server) = server(|it| it.limit("page_events", 2));
    let mut ann = account(&server, "Ann");
    for number in 1..=5 {
        let seq = ann.say(LOBBY_ID, &format!("desk-{number}"), "Hello.").unwrap();
        assert!(ann.ask(Request::Read(Read { room: LOBBY_ID, seq })).is_ok());
    }
    let back = Request::Read(Read { room: LOBBY_ID, seq: Seq(1) });
    assert!(matches!(ann.ask(back), Ok(Reply::Read { seq: Seq(6), .. })), "never back");
    let (mut all, mut after, mut pages) = (Vec::new(), Seq(0), 0);
    loop {
        let (events, more) = ann.mine(after);
        assert!(events.len() <= 2 && (!more || events.len() == 2), "{events:?}");
        pages += 1;
        after = events.last().map_or(after, |it| it.mine);
        all.extend(events);
        if !more {
            break;
        }
    }
    assert!(pages > 1 && all.windows(2).all(|it| it[0].mine < it[1].mine), "{all:?}");
    let reads: Vec<_> = all.iter().filter(|it| matches!(it.news, UserNews::Read { .. })).collect();
    assert!(matches!(reads[..], [it] if it.mine == after), "one, and the last: {all:?}");
    let welcome = server.client().resume(ann.token.unwrap()).unwrap();
    assert_eq!(welcome.mine, after, "the welcome names the newest place");
    server.stop();
}

/// On a full disk nothing half is done: the session that could not be ended is good, and nobody is
/// left with a connection that is neither in nor out.
#[test]
fn on_a_full_disk_sessions_stay_and_everybody_comes_back() {
    let Some(disk) = SmallDisk::of(6 * 1024) else { return };
    let server = crate::kill::setup(&disk.data()).start();
    let mut desk = account(&server, "Ann");
    let mut phone = server.client();
    phone.sign_in("Ann", WORD).unwrap();
    disk.fill(64 * 1024);
    let mut guest = server.guest("Talker");
    let mut number = 0;
    let text = "words ".repeat(1_000);
    let full = harness::wait_for(PATIENCE, || {
        number += 1;
        guest.say(LOBBY_ID, &format!("x-{number}"), &text).is_err().then_some(())
    });
    assert!(full.is_some(), "the disk never got full");
    assert_eq!(guest.register(WORD), Err(Refusal::StorageFull));
    let rest = Request::EndSessions(EndSessions { user: None });
    assert_eq!(desk.ask(rest), Err(Refusal::StorageFull));
    // The other one was as good as out; it comes back with the token that it still has.
    assert!(phone.is_closed_within(PATIENCE));
    let mut again = server.client();
    again.resume(phone.token.unwrap()).unwrap();
    assert_eq!(again.ping(), Ok(Reply::Pong {}));
    assert_eq!(desk.ping(), Ok(Reply::Pong {}));
    std::fs::remove_file(disk.filler()).unwrap();
    let ended = harness::wait_for(PATIENCE, || {
        desk.ask(Request::EndSessions(EndSessions { user: None })).ok()
    });
    assert_eq!(ended, Some(Reply::SessionsEnded { count: 1 }));
    is_out(&mut again);
    server.stop();
}
