//! What was read, what is unread, and where the divider stands.

use parlor_desktop::model::{
    Address, ArchiveNews, Closed, Intent, Keep, KeptPending, KeptRoom, KeptSession, LinkNews,
    LinkState, News, Own, PendingState, Session, SessionId, Stage,
};
use parlor_shared::{Epoch, LOBBY_ID, Nth, Reply, ResumeToken, RoomId, Seq, UnixMillis};

use super::person::{ME, Person, lobby, mine, opened, page, room_named, said, welcome, words};

const TEA: RoomId = RoomId(5);

fn session() -> Session {
    Session {
        id: SessionId(1),
        address: "10.0.0.7".parse::<Address>().expect("an address"),
        user: ME,
        name: "Ann".parse().expect("a name"),
        token: Some(ResumeToken([3; 32])),
        epoch: Epoch([1; 8]),
        signed_in: true,
        is_locked: false,
        hosted: false,
    }
}

fn kept_lobby(last: u64, read: u64) -> KeptRoom {
    KeptRoom {
        room: LOBBY_ID,
        name: "lobby".parse().expect("a name"),
        read_seq: Seq(read),
        read_nth: Nth(read),
        last_seq: Seq(last),
        last_nth: Nth(last),
        kept_nth: Nth(last),
        first_kept: Seq(1),
        newest: words(1..=last),
        draft: "half a thought".to_owned(),
        outbox: Vec::new(),
    }
}

fn kept(room: KeptRoom) -> KeptSession {
    KeptSession {
        session: session(),
        selected: Some(LOBBY_ID),
        rooms: vec![room],
        own: Own::default(),
        names: Vec::new(),
    }
}

/// In the lobby, everything read.
fn reading(last: u64) -> Person {
    let mut person = Person::in_lobby(last, last);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=last), last));
    person
}

fn hear(person: &mut Person, range: std::ops::RangeInclusive<u64>) {
    for event in words(range) {
        person.event(event);
    }
}

#[test]
fn after_a_restart_everything_is_there_before_there_is_a_connection() {
    let mut room = kept_lobby(20, 15);
    let text = "not sent yet".parse().expect("a text");
    let at = UnixMillis(5);
    room.outbox = vec![KeptPending { client_id: mine(1), text, at, failed: None, held: false }];
    let mut person = Person::start(opened(Some(kept(room))));
    assert_eq!(person.model.stage, Stage::Talking);
    assert_eq!(person.model.link, LinkState::Connecting);
    assert_eq!(person.texts().len(), 20);
    assert_eq!(person.room().unread(), 5);
    assert_eq!(person.room().divider, Some(Seq(16)));
    assert_eq!(person.room().draft, "half a thought");
    person.connected();
    person.welcome(welcome(vec![lobby(20, 20)]));
    let says = person.sent_says();
    assert_eq!((says[0].1, says[0].2.as_str()), (mine(1), "not sent yet"));
    // And with the server away it stays, and is tried again.
    person.link(LinkNews::Closed(Closed::NobodyAnswers));
    assert_eq!(person.room().outbox[0].state, PendingState::Waiting);
    assert!(matches!(person.model.link, LinkState::Offline { retry_at: Some(_) }));
}

#[test]
fn what_is_seen_is_read_up_to_there() {
    let mut person = reading(3);
    hear(&mut person, 4..=10);
    assert_eq!(person.room().unread(), 7);
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(6) });
    assert_eq!(person.room().unread(), 4);
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(5) });
    assert_eq!(person.room().unread(), 4, "reading does not go back");
    assert_eq!(person.effects, []);
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(u64::MAX) });
    assert_eq!(person.room().unread(), 0);
}

#[test]
fn the_divider_stands_at_the_first_unread_and_does_not_move_while_one_looks() {
    let mut person = reading(3);
    person.answer_joined(TEA);
    hear(&mut person, 4..=6);
    person.want(Intent::Select(LOBBY_ID));
    assert_eq!(person.room().divider, Some(Seq(4)));
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(6) });
    hear(&mut person, 7..=8);
    person.want(Intent::Seen { room: LOBBY_ID, seq: Seq(8) });
    assert_eq!(person.room().divider, Some(Seq(4)));
    person.want(Intent::Select(TEA));
    person.want(Intent::Select(LOBBY_ID));
    assert_eq!(person.room().divider, None, "everything was read");
}

#[test]
fn who_looks_at_every_word_sees_no_divider() {
    let mut person = reading(3);
    hear(&mut person, 4..=4);
    assert_eq!(person.room().divider, None);
}

#[test]
fn what_comes_while_nobody_looks_gets_a_divider() {
    let mut person = reading(3);
    person.want(Intent::Focus(false));
    hear(&mut person, 4..=6);
    assert_eq!(person.room().divider, Some(Seq(4)));
    person.want(Intent::Focus(true));
    assert_eq!(person.room().divider, Some(Seq(4)));
    person.say("an answer");
    assert_eq!(person.room().divider, None, "who answers has read");
}

#[test]
fn what_came_while_one_was_away_gets_a_divider_too() {
    let mut person = reading(3);
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(6, 6)]);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(4..=6), 6));
    assert_eq!(person.room().divider, Some(Seq(4)));
}

#[test]
fn a_divider_above_what_is_loaded_is_found_by_scrolling_there() {
    let mut room = kept_lobby(400, 50);
    room.newest = words(201..=400);
    let mut person = Person::start(opened(Some(kept(room))));
    assert_eq!(person.room().unread(), 350);
    assert_eq!(person.room().divider, None);
    person.want(Intent::LoadOlder(LOBBY_ID));
    let asked = person.kept();
    let [Keep::LoadOlder { ticket, .. }] = asked[..] else { panic!("{asked:?}") };
    let (ticket, room, events) = (*ticket, LOBBY_ID, words(1..=200));
    person.feed(News::Archive(ArchiveNews::Older { ticket, room, events }));
    assert_eq!(person.room().divider, Some(Seq(51)));
    assert_eq!(person.texts().len(), 400);
}

#[test]
fn ones_own_words_are_read_unless_others_before_them_are_not() {
    let mut person = reading(3);
    person.event(said(4, 4, ME, mine(1), "mine"));
    assert_eq!(person.room().unread(), 0);
    hear(&mut person, 5..=5);
    person.event(said(6, 6, ME, mine(2), "mine"));
    assert_eq!(person.room().unread(), 2);
}

#[test]
fn a_room_that_is_not_open_keeps_only_its_newest() {
    let mut person = reading(3);
    hear(&mut person, 4..=2_000);
    assert_eq!(person.room().timeline.len(), 2_000);
    person.answer_joined(TEA);
    assert_eq!(person.room().timeline.len(), 500);
    assert_eq!(person.room().timeline.last_seq(), Seq(2_000));
    assert_eq!(person.room().unread(), 1_997);
}

impl Person {
    /// Makes a room and is in it.
    fn answer_joined(&mut self, room: RoomId) {
        self.want(Intent::OpenRoom { name: "tea".to_owned() });
        let id = self.sent_one("create_room").id;
        self.answer(id, Reply::Joined(room_named(room.0, "tea")));
        assert_eq!(self.model.selected, Some(room));
    }
}
