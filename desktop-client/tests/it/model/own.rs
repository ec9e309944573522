//! One's own stream: what was read, roles, notices, and other devices.

use parlor_desktop::model::{Closed, Intent, Keep, LinkNews};
use parlor_shared::{
    Event, LOBBY_ID, Notice, Nth, Reply, Request, Role, RoomId, Seq, ServerFrame, SessionId,
    UnixMillis, UserEvent, UserNews, Welcome,
};

use super::person::{Person, lobby, page, room_named, welcome, words};

fn own(mine: u64, news: UserNews) -> UserEvent {
    UserEvent { mine: Seq(mine), at: UnixMillis(mine), news }
}

fn read(seq: u64) -> UserNews {
    UserNews::Read { room: LOBBY_ID, seq: Seq(seq), nth: Nth(seq) }
}

fn live(person: &mut Person, event: UserEvent) {
    person.frame(ServerFrame::Event(Event::User(event)));
}

/// In a lobby of five messages, told that the own stream goes up to there.
fn told(mine: u64) -> Person {
    let mut person = Person::new();
    person.join("Ann", "10.0.0.7");
    person.connected();
    person.welcome(Welcome { mine: Seq(mine), ..welcome(vec![lobby(5, 5)]) });
    person
}

fn load(person: &mut Person) {
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=5), 5));
}

fn read_request(person: &Person) -> Seq {
    let Request::Read(read) = person.sent_one("read").request else { panic!("no read") };
    read.seq
}

#[test]
fn what_was_read_on_one_device_is_read_on_the_other() {
    let mut person = told(3);
    let ask = person.sent_one("mine");
    let history = person.sent_one("history");
    assert_eq!(person.room().unread(), 0, "before one knows, nothing is unread");
    person.answer(ask.id, Reply::Mine { events: vec![own(3, read(2))], more: false, last: Seq(3) });
    assert_eq!((person.room().read_seq, person.room().unread()), (Seq(2), 3));
    person.answer(history.id, page(words(1..=5), 5));
    live(&mut person, own(4, read(4)));
    assert_eq!(person.room().unread(), 1);
    // Never back.
    live(&mut person, own(5, read(3)));
    assert_eq!(person.room().read_seq, Seq(4));
}

#[test]
fn a_read_position_is_told_at_most_once_a_second_and_again_after_a_lost_connection() {
    let mut person = told(0);
    // Everything up to where one came in is read, and that is told.
    let (first, history) = (person.sent_one("read"), person.sent_one("history"));
    person.answer(history.id, page(words(1..=5), 5));
    for event in words(6..=9) {
        person.event(event);
    }
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(7) });
    person.tick_at(5_000);
    assert_eq!(person.sent(), [], "the answer to the first one is not there yet");
    person.answer(first.id, Reply::Read { room: LOBBY_ID, seq: Seq(5), nth: Nth(5) });
    assert_eq!(read_request(&person), Seq(7));
    // Its answer is lost, so it is told again.
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(9, 9)]);
    let ask = person.sent_one("read");
    assert_eq!(read_request(&person), Seq(7));
    person.answer(ask.id, Reply::Read { room: LOBBY_ID, seq: Seq(7), nth: Nth(7) });
    assert_eq!(person.sent(), [], "told once");
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(8) });
    assert_eq!(person.sent(), [], "not within the same second");
    let at = person.model.next_wake().expect("a later moment");
    assert!(at <= person.now + 1_000, "{at}");
    person.tick_at(at);
    assert_eq!(read_request(&person), Seq(8));
}

#[test]
fn a_guess_about_what_is_read_is_told_to_nobody() {
    let mut person = told(3);
    load(&mut person);
    person.tick_at(5_000);
    assert!(!person.sent().iter().any(|it| it.request.verb() == "read"));
}

#[test]
fn pages_are_read_to_the_end_and_what_is_heard_meanwhile_is_not_lost() {
    let mut person = told(4);
    let ask = person.sent_one("mine");
    live(&mut person, own(5, UserNews::RoleIs { role: Role::Admin }));
    let first = Reply::Mine { events: vec![own(2, read(1))], more: true, last: Seq(4) };
    person.answer(ask.id, first);
    let ask = person.sent_one("mine");
    let Request::Mine(mine) = &ask.request else { panic!() };
    assert_eq!(mine.after, Seq(2));
    person.answer(ask.id, Reply::Mine { events: Vec::new(), more: false, last: Seq(4) });
    // The live one was newer than that page.
    let ask = person.sent_one("mine");
    let role = own(5, UserNews::RoleIs { role: Role::Admin });
    person.answer(ask.id, Reply::Mine { events: vec![role], more: false, last: Seq(5) });
    assert_eq!(person.model.me.as_ref().map(|it| it.role), Some(Role::Admin));
    assert!(!person.sent().iter().any(|it| it.request.verb() == "mine"));
}

#[test]
fn notices_wait_until_they_are_read_and_survive_a_restart() {
    let mut person = told(0);
    let began = |session| UserNews::SessionBegan {
        session: SessionId(session),
        device: "phone".parse().ok(),
        address: "10.0.0.9".to_owned(),
    };
    live(&mut person, own(1, began(1)));
    assert_eq!(person.model.own.notices, [], "this session is one's own");
    live(&mut person, own(2, began(2)));
    let is_kept = |it: &&Keep| matches!(it, Keep::Own { own, .. } if own.notices.len() == 1);
    assert_eq!(person.kept().into_iter().filter(is_kept).count(), 1);
    live(&mut person, own(3, UserNews::PasswordChanged {}));
    assert_eq!(person.model.own.notices.len(), 2);
    person.want(Intent::DismissNotice(Some(Seq(2))));
    assert_eq!(person.model.own.notices.len(), 1);
    person.want(Intent::DismissNotice(None));
    assert_eq!(person.model.own.notices, []);
}

#[test]
fn what_happened_before_this_profile_existed_is_no_news() {
    let mut person = told(2);
    let ask = person.sent_one("mine");
    let events = vec![
        own(1, UserNews::PasswordChanged {}),
        own(2, UserNews::MutedIn { room: None, until: None, reason: None }),
    ];
    person.answer(ask.id, Reply::Mine { events, more: false, last: Seq(2) });
    assert_eq!(person.model.own.notices, []);
    let mute = person.model.mute_in(LOBBY_ID, UnixMillis(0));
    assert!(mute.is_some(), "but it holds all the same");
    live(&mut person, own(3, UserNews::UnmutedIn { room: None }));
    assert_eq!(person.model.mute_in(LOBBY_ID, UnixMillis(0)), None);
}

#[test]
fn a_mute_ends_by_itself() {
    let mut person = told(0);
    let until = Some(UnixMillis(5_000));
    let room = Some(LOBBY_ID);
    live(&mut person, own(1, UserNews::MutedIn { room, until, reason: None }));
    assert!(person.model.mute_in(LOBBY_ID, UnixMillis(4_999)).is_some());
    assert!(person.model.mute_in(RoomId(2), UnixMillis(4_999)).is_none());
    assert!(person.model.mute_in(LOBBY_ID, UnixMillis(5_000)).is_none());
}

#[test]
fn rooms_come_and_go_with_another_device() {
    let mut person = told(0);
    let notice = Notice::EnteredRoom(room_named(3, "garden"));
    person.frame(ServerFrame::Event(Event::Notice(notice)));
    assert!(person.model.rooms.contains_key(&RoomId(3)));
    assert_eq!(person.model.selected, Some(LOBBY_ID), "what one looks at stays");
    let notice = Notice::LeftRoom { room: RoomId(3) };
    person.frame(ServerFrame::Event(Event::Notice(notice)));
    assert!(!person.model.rooms.contains_key(&RoomId(3)));
}

#[test]
fn a_new_name_from_another_device_is_ones_own() {
    let mut person = told(0);
    live(&mut person, own(1, UserNews::NameIs { name: "Anna".parse().expect("a name") }));
    assert_eq!(person.model.me.as_ref().map(|it| it.name.as_str()), Some("Anna"));
}
