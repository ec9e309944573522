//! The server was set back, or began anew: events mean nothing, what was written means all.

use parlor_desktop::model::{Closed, Intent, Keep, LinkNews, PendingState, Question, Trouble};
use parlor_shared::{Epoch, LOBBY_ID, Refusal, Reply, ResumeToken, UserId, Welcome};

use super::person::{Person, lobby, mine, page, room_named, welcome, words};

/// In the lobby, with a draft and two messages that wait.
fn writing() -> Person {
    let mut person = Person::in_lobby(9, 9);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=9), 9));
    person.link(LinkNews::Closed(Closed::Lost));
    for text in ["one", "two"] {
        person.say(text);
        person.saved();
    }
    person.want(Intent::EditDraft { room: LOBBY_ID, text: "a draft".to_owned() });
    person
}

fn states(person: &Person) -> Vec<PendingState> {
    person.room().outbox.iter().map(|it| it.state.clone()).collect()
}

#[test]
fn a_restored_server_is_read_anew_and_nothing_is_sent_unasked() {
    let mut person = writing();
    person.want(Intent::ConnectNow);
    person.connected();
    let restored = Welcome { epoch: Epoch([2; 8]), token: None, ..welcome(vec![lobby(4, 4)]) };
    person.welcome(restored);
    assert_eq!(person.model.trouble, Some(Trouble::OtherHistory));
    assert_eq!(person.texts(), Vec::<&str>::new());
    assert_eq!(states(&person), [PendingState::Held, PendingState::Held]);
    assert_eq!(person.room().draft, "a draft");
    assert_eq!(person.model.asking, Some(Question::ResendHeld { messages: 2 }));
    assert_eq!(person.sent_says(), []);
    assert_eq!(person.room().unread(), 0);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=4), 4));
    assert_eq!(person.texts().len(), 4);
    person.want(Intent::ResendHeld);
    person.saved();
    assert_eq!(person.sent_says()[0].1, mine(1), "under the same id: it may be there already");
    assert_eq!(person.model.asking, None);
}

#[test]
fn a_server_that_lost_what_was_heard_is_another_history() {
    let mut person = writing();
    person.want(Intent::ConnectNow);
    person.connected();
    person.welcome(Welcome { token: None, ..welcome(vec![lobby(4, 4)]) });
    assert_eq!(states(&person), [PendingState::Held, PendingState::Held]);
}

#[test]
fn what_is_given_up_is_not_asked_about_again() {
    let mut person = writing();
    person.want(Intent::ConnectNow);
    person.connected();
    person.welcome(Welcome { epoch: Epoch([2; 8]), ..welcome(vec![lobby(4, 4)]) });
    person.want(Intent::DiscardHeld);
    assert_eq!(states(&person), []);
    let settled = person.kept().iter().filter(|it| matches!(it, Keep::Settled { .. })).count();
    assert_eq!((settled, person.model.asking), (2, None));
}

#[test]
fn a_new_guest_after_a_forgotten_token_takes_the_outbox_along() {
    let mut person = writing();
    person.want(Intent::ConnectNow);
    person.connected();
    let id = person.sent_one("hello").id;
    person.refuse(id, Refusal::TokenUnknown);
    person.join("Ann again", "10.0.0.7");
    person.connected();
    let token = Some(ResumeToken([9; 32]));
    let fresh = Welcome { user: UserId(77), token, ..welcome(vec![lobby(2, 1)]) };
    person.welcome(fresh);
    assert_eq!(states(&person), [PendingState::Held, PendingState::Held]);
    assert_eq!(person.room().draft, "a draft");
}

#[test]
fn rooms_are_found_again_by_name_and_lost_ones_stay_with_what_was_written() {
    let mut person = writing();
    person.want(Intent::ConnectNow);
    person.connected();
    person.welcome(Welcome { token: None, ..welcome(vec![lobby(9, 9), room_named(2, "tea")]) });
    person.want(Intent::EditDraft { room: parlor_shared::RoomId(2), text: "for tea".to_owned() });
    person.link(LinkNews::Closed(Closed::Lost));
    person.want(Intent::ConnectNow);
    person.connected();
    // The lobby has another id now, tea is gone, and its id is another room's.
    let mut moved = lobby(4, 4);
    moved.room = parlor_shared::RoomId(3);
    let rooms = vec![room_named(2, "dogs"), moved];
    person.welcome(Welcome { epoch: Epoch([2; 8]), token: None, ..welcome(rooms) });
    let by_name = |name: &str| {
        let mut all = person.model.rooms.values().filter(|it| it.name.as_str() == name);
        all.next().unwrap_or_else(|| panic!("no room {name}"))
    };
    assert_eq!(by_name("lobby").draft, "a draft");
    assert!(by_name("lobby").is_member);
    assert_eq!(by_name("dogs").draft, "");
    assert_eq!(by_name("tea").draft, "for tea");
    assert!(!by_name("tea").is_member);
}

#[test]
fn a_room_that_one_was_removed_from_keeps_what_could_not_be_sent() {
    let mut person = writing();
    person.come_back(Vec::new());
    let room = person.room();
    assert!(!room.is_member);
    assert!(states(&person).iter().all(|it| matches!(it, PendingState::Failed(_))));
    person.want(Intent::LeaveRoom(LOBBY_ID));
    assert!(person.model.rooms.is_empty());
}

#[test]
fn a_room_that_exists_already_is_joined() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::OpenRoom { name: "tea".to_owned() });
    let id = person.sent_one("create_room").id;
    person.refuse(id, Refusal::RoomTaken);
    let id = person.sent_one("join").id;
    person.answer(id, Reply::Joined(room_named(2, "tea")));
    assert_eq!(person.model.open_room().map(|(_, it)| it.name.as_str()), Some("tea"));
}
