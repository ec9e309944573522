//! Saying something: saved first, sent in order, once.

use parlor_desktop::model::{
    ArchiveNews, Closed, Failure, Intent, Keep, LinkNews, News, PendingState, Trouble,
};
use parlor_shared::{LOBBY_ID, Nth, Refusal, Reply, RequestId, Seq, UnixMillis};

use super::person::{ME, Person, lobby, mine, page, said, words};

fn reading() -> Person {
    let mut person = Person::in_lobby(1, 1);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=1), 1));
    person
}

fn states(person: &Person) -> Vec<PendingState> {
    person.room().outbox.iter().map(|it| it.state.clone()).collect()
}

fn stored(person: &mut Person, id: RequestId, counter: u64, seq: u64) {
    let reply = Reply::Said {
        room: LOBBY_ID,
        client_id: mine(counter),
        seq: Seq(seq),
        nth: Nth(seq),
        at: UnixMillis(0),
        erased: false,
    };
    person.answer(id, reply);
}

#[test]
fn nothing_is_sent_before_it_is_saved() {
    let mut person = reading();
    person.say("one");
    assert_eq!(states(&person), [PendingState::Saving]);
    assert_eq!(person.sent(), []);
    let keeps = person.kept();
    assert!(matches!(keeps[0], Keep::Pending { client_id, .. } if *client_id == mine(1)));
    person.saved();
    assert_eq!(states(&person), [PendingState::Sent]);
    assert_eq!(person.sent_says()[0].1, mine(1));
}

#[test]
fn one_message_of_a_room_is_on_the_wire_at_a_time() {
    let mut person = reading();
    for text in ["one", "two", "three"] {
        person.say(text);
        person.saved();
    }
    let waiting = PendingState::Waiting;
    assert_eq!(states(&person), [PendingState::Sent, waiting.clone(), waiting]);
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(1, 1)]);
    let mut id = person.sent_says()[0].0;
    let mut said = Vec::new();
    for (counter, seq) in [(1, 2), (2, 3), (3, 4)] {
        said.push(counter);
        stored(&mut person, id, counter, seq);
        if let Some((next, client_id, _)) = person.sent_says().pop() {
            assert_eq!(client_id, mine(counter + 1));
            id = next;
        }
    }
    assert_eq!(said, [1, 2, 3]);
}

#[test]
fn the_answer_and_the_event_settle_it_in_either_order() {
    for event_first in [true, false] {
        let mut person = reading();
        person.say("one");
        person.saved();
        let id = person.sent_says()[0].0;
        let event = said(2, 2, ME, mine(1), "one");
        if event_first {
            person.event(event);
            assert_eq!(states(&person), []);
            stored(&mut person, id, 1, 2);
        } else {
            stored(&mut person, id, 1, 2);
            assert_eq!(states(&person), [PendingState::Stored(Seq(2))]);
            person.event(event);
        }
        assert_eq!(states(&person), []);
        assert_eq!(person.texts(), ["word 1", "one"]);
    }
}

#[test]
fn too_fast_waits_as_told_and_keeps_the_order() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.say("two");
    person.saved();
    person.refuse(id, Refusal::RateLimited { retry_millis: 400 });
    assert_eq!(person.sent_says(), []);
    assert_eq!(person.model.next_wake(), Some(400));
    person.tick_at(400);
    let says = person.sent_says();
    assert_eq!(says.len(), 1);
    assert_eq!((says[0].1, says[0].2.as_str()), (mine(1), "one"));
}

#[test]
fn a_refused_message_fails_with_its_reason_and_holds_nothing_up() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.say("two");
    person.saved();
    person.refuse(id, Refusal::Conflict);
    let failed = PendingState::Failed(Failure::Refused(Refusal::Conflict));
    assert_eq!(states(&person), [failed, PendingState::Sent]);
    let is_kept =
        |it: &&Keep| matches!(it, Keep::Pending { failed: Some(code), .. } if code == "conflict");
    assert_eq!(person.kept().into_iter().filter(is_kept).count(), 1);
    // The id belongs to another message: said again it is a new one.
    person.want(Intent::Retry { room: LOBBY_ID, client_id: mine(1) });
    let ids: Vec<_> = person.room().outbox.iter().map(|it| it.client_id).collect();
    assert_eq!(ids, [mine(2), mine(3)]);
    assert!(person.kept().iter().any(|it| matches!(it, Keep::Settled { .. })));
}

#[test]
fn after_a_full_disk_it_is_the_same_message() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.refuse(id, Refusal::StorageFull);
    person.want(Intent::Retry { room: LOBBY_ID, client_id: mine(1) });
    assert_eq!(states(&person), [PendingState::Saving]);
    person.saved();
    assert_eq!(person.sent_says()[0].1, mine(1));
}

#[test]
fn what_was_given_up_is_gone_and_what_is_under_way_cannot_be() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.want(Intent::Discard { room: LOBBY_ID, client_id: mine(1) });
    assert_eq!(states(&person), [PendingState::Sent]);
    person.refuse(id, Refusal::StorageFull);
    person.want(Intent::Discard { room: LOBBY_ID, client_id: mine(1) });
    assert_eq!(states(&person), []);
}

#[test]
fn without_an_archive_nothing_is_sent() {
    let mut person = reading();
    person.say("one");
    let says = "the disk is full".to_owned();
    person.feed(News::Archive(ArchiveNews::Failed { says: says.clone() }));
    let failed = PendingState::Failed(Failure::NotKept);
    assert_eq!(states(&person), std::slice::from_ref(&failed));
    assert_eq!(person.model.trouble, Some(Trouble::NotKept(says)));
    person.say("two");
    assert_eq!(states(&person), [failed.clone(), failed]);
    assert_eq!(person.sent(), []);
}

#[test]
fn what_cannot_be_said_stays_in_the_composer() {
    let mut person = reading();
    let draft = |person: &Person| person.room().draft.clone();
    let too_long = "x".repeat(16 * 1024 + 1);
    person.want(Intent::EditDraft { room: LOBBY_ID, text: too_long.clone() });
    person.say(&too_long);
    assert_eq!(person.model.trouble, Some(Trouble::Refused(Refusal::TextTooLong)));
    assert_eq!(draft(&person), too_long);
    person.say(" \n ");
    assert_eq!(states(&person), [], "nothing to see is nothing to say");
    person.say("line\r\nline\r\n");
    assert_eq!(person.room().outbox[0].text.as_str(), "line\nline");
    assert_eq!(draft(&person), "");
}

#[test]
fn more_than_a_person_types_is_not_taken() {
    let mut person = reading();
    for number in 0..600 {
        person.say(&format!("{number}"));
    }
    assert_eq!(person.room().outbox.len(), 500);
    assert_eq!(person.model.trouble, Some(Trouble::OutboxFull));
}

#[test]
fn who_leaves_is_told_what_could_not_be_said() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.want(Intent::LeaveRoom(LOBBY_ID));
    person.refuse(id, Refusal::StorageFull);
    assert_eq!(person.sent(), []);
    assert!(!person.room().is_leaving);
}

#[test]
fn one_leaves_only_after_everything_is_said() {
    let mut person = reading();
    person.say("one");
    person.saved();
    let id = person.sent_says()[0].0;
    person.want(Intent::LeaveRoom(LOBBY_ID));
    assert_eq!(person.sent(), []);
    stored(&mut person, id, 1, 2);
    assert_eq!(person.sent(), [], "not before one has read it, either");
    person.event(said(2, 2, ME, mine(1), "one"));
    let leave = person.sent_one("leave");
    person.answer(leave.id, Reply::Left { room: LOBBY_ID, seq: Seq(3) });
    assert!(person.model.rooms.is_empty());
    assert!(person.kept().iter().any(|it| matches!(it, Keep::ForgetRoom { .. })));
}
