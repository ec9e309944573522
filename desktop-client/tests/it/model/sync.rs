//! Catching up: whatever arrives late, twice, in another order or not at all, the timeline ends
//! up as the story is.

use parlor_desktop::model::{ArchiveNews, Closed, History, Intent, Keep, LinkNews, News};
use parlor_shared::{
    ClientId, Fact, LOBBY_ID, PageAt, Refusal, Request, RequestFrame, RoomEvent, Seq,
};
use proptest::prelude::*;

use super::person::{ME, OTHER, Person, answer_page, event, lobby, mine, page, said, words};

fn history(person: &Person) -> RequestFrame {
    person.sent_one("history")
}

fn asks(frame: &RequestFrame) -> PageAt {
    let Request::History(ask) = &frame.request else { panic!("{frame:?}") };
    ask.page
}

fn seqs(person: &Person) -> Vec<u64> {
    person.room().timeline.iter().map(|(seq, _)| seq.0).collect()
}

/// In the lobby, of which `words(1..=last)` are read.
fn reading(last: u64) -> Person {
    let mut person = Person::in_lobby(last, last);
    let ask = history(&person);
    person.answer(ask.id, page(words(1..=last), last));
    person
}

#[test]
fn a_room_begins_with_its_newest_page() {
    let mut person = Person::in_lobby(500, 500);
    let ask = history(&person);
    assert_eq!(asks(&ask), PageAt::Latest);
    person.answer(ask.id, page(words(301..=500), 500));
    assert_eq!(seqs(&person), (301..=500).collect::<Vec<_>>());
    assert_eq!(person.room().unread(), 0, "what was said before one came is not unread");
    person.want(Intent::LoadOlder(LOBBY_ID));
    assert_eq!(person.room().history, History::Loading);
    let ask = history(&person);
    assert_eq!(asks(&ask), PageAt::Before(Seq(301)));
    person.want(Intent::LoadOlder(LOBBY_ID));
    assert_eq!(person.sent(), [], "asked once");
    person.answer(ask.id, page(words(1..=300), 500));
    assert_eq!(seqs(&person), (1..=500).collect::<Vec<_>>());
    assert_eq!(person.room().history, History::Complete);
}

#[test]
fn only_what_is_missing_is_asked_for() {
    let mut person = reading(10);
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(10, 10)]);
    let is_history = |it: &RequestFrame| matches!(it.request, Request::History(_));
    assert!(!person.sent().iter().any(is_history), "nothing is missing");
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(25, 25)]);
    let ask = history(&person);
    assert_eq!(asks(&ask), PageAt::After(Seq(10)));
    assert!(person.room().is_catching_up());
    // A server that gives less than was asked for is asked again.
    person.answer(ask.id, page(words(11..=20), 25));
    let ask = history(&person);
    assert_eq!(asks(&ask), PageAt::After(Seq(20)));
    person.answer(ask.id, page(words(21..=25), 25));
    assert_eq!(seqs(&person), (1..=25).collect::<Vec<_>>());
    assert!(!person.room().is_catching_up());
    assert_eq!(person.room().unread(), 15);
}

#[test]
fn live_events_wait_for_the_page_before_them() {
    let mut person = reading(10);
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(12, 12)]);
    let ask = history(&person);
    for event in words(13..=15) {
        person.event(event);
    }
    assert_eq!(seqs(&person).last(), Some(&10));
    person.answer(ask.id, page(words(11..=12), 12));
    assert_eq!(seqs(&person), (1..=15).collect::<Vec<_>>());
}

#[test]
fn a_jump_asks_for_the_missing_page_and_a_double_is_nothing() {
    let mut person = reading(10);
    for event in words(13..=13) {
        person.event(event);
    }
    let ask = history(&person);
    assert_eq!(asks(&ask), PageAt::After(Seq(10)));
    person.answer(ask.id, page(words(11..=13), 13));
    let before = person.room().timeline.version();
    for event in words(9..=13) {
        person.event(event);
        assert_eq!(person.effects, []);
    }
    assert_eq!(person.room().timeline.version(), before);
    assert_eq!(seqs(&person), (1..=13).collect::<Vec<_>>());
}

#[test]
fn what_does_not_fit_into_memory_is_asked_for_again() {
    let mut person = reading(10);
    let story = words(1..=5_000);
    person.event(story[11].clone());
    let mut ask = history(&person);
    for event in &story[12..] {
        person.event(event.clone());
        assert_eq!(person.sent(), [], "one page is asked for at a time");
    }
    for _ in 0..40 {
        let reply = answer_page(&story, &ask.request, 200);
        person.answer(ask.id, reply);
        let Some(next) = person.sent().pop() else { break };
        ask = next;
    }
    assert_eq!(seqs(&person), (1..=5_000).collect::<Vec<_>>());
    assert_eq!(person.room().unread(), 4_990);
}

#[test]
fn a_server_that_never_gives_the_page_is_not_asked_for_ever() {
    let mut person = reading(10);
    person.event(words(15..=15).remove(0));
    let mut asked = 0;
    while let Some(ask) = person.sent().pop() {
        asked += 1;
        assert!(asked < 10, "asked again and again");
        person.answer(ask.id, page(Vec::new(), 15));
    }
    assert!(person.model.next_wake().is_some(), "another connection is tried later");
    // Nor for a room in which nothing happened, not even one's own joining.
    let mut person = Person::in_lobby(0, 0);
    for _ in 0..10 {
        let Some(ask) = person.sent().pop() else { break };
        person.answer(ask.id, page(Vec::new(), 0));
    }
    assert_eq!(person.sent(), []);
}

#[test]
fn one_who_reads_too_fast_waits_as_told() {
    let mut person = Person::in_lobby(10, 10);
    let ask = history(&person);
    person.refuse(ask.id, Refusal::RateLimited { retry_millis: 700 });
    assert_eq!(person.sent(), []);
    assert_eq!(person.model.next_wake(), Some(700));
    person.tick_at(700);
    assert_eq!(asks(&history(&person)), PageAt::Latest);
}

#[test]
fn an_event_of_a_newer_parlor_keeps_its_place() {
    let mut person = reading(2);
    person.event(event(3, OTHER, Fact::Unknown));
    person.event(words(4..=4).remove(0));
    assert_eq!(seqs(&person), [1, 2, 3, 4]);
}

#[test]
fn every_event_that_was_taken_is_kept() {
    let person = reading(400);
    let mut kept = person.kept();
    kept.retain(|it| matches!(it, Keep::Events { .. }));
    let [Keep::Events { events, nth, .. }] = kept[..] else { panic!("not in one order") };
    assert_eq!((events.len(), nth.0), (400, 400));
}

#[test]
fn older_events_come_from_the_archive_first_and_from_the_server_then() {
    let mut person = reading(2_000);
    // Another room is opened, so this one keeps its newest only.
    person.want(Intent::OpenRoom { name: "tea".to_owned() });
    let id = person.sent_one("create_room").id;
    person.answer(id, parlor_shared::Reply::Joined(super::person::room_named(2, "tea")));
    let ask = history(&person);
    person.refuse(ask.id, Refusal::StorageFull);
    assert_eq!(person.room().timeline.first_seq(), Seq(1_501));
    person.want(Intent::LoadOlder(LOBBY_ID));
    assert_eq!(person.sent(), []);
    let asked = person.kept();
    let [Keep::LoadOlder { ticket, before, limit, .. }] = asked[..] else { panic!("{asked:?}") };
    let (ticket, before, limit) = (*ticket, before.0, u64::from(*limit));
    let older = |events| News::Archive(ArchiveNews::Older { ticket, room: LOBBY_ID, events });
    let mut twin = person.clone();
    person.feed(older(words(before - limit..=before - 1)));
    assert_eq!(person.room().timeline.first_seq(), Seq(before - limit));
    person.feed(older(words(1..=3)));
    assert_eq!(person.room().timeline.first_seq(), Seq(before - limit), "an answer counts once");
    // The archive let them go: the server has them.
    twin.feed(older(Vec::new()));
    twin.want(Intent::LoadOlder(LOBBY_ID));
    assert_eq!(asks(&history(&twin)), PageAt::Before(Seq(before)));
}

#[test]
fn a_room_that_one_left_and_joined_again_is_not_left_by_reading_of_it() {
    let mut person = Person::in_lobby(6, 3);
    let ask = history(&person);
    let mut story = words(1..=3);
    story.push(event(4, ME, Fact::Joined {}));
    story.push(event(5, ME, Fact::Left {}));
    story.push(event(6, ME, Fact::Joined {}));
    person.answer(ask.id, page(story, 6));
    assert!(person.room().is_member);
    person.event(event(7, ME, Fact::Left {}));
    assert!(!person.model.rooms.contains_key(&LOBBY_ID));
}

/// What the wire does to the events and pages.
#[derive(Clone, Debug)]
enum Fate {
    /// The next event is heard.
    Live,
    /// An earlier one is heard again.
    Again(prop::sample::Index),
    /// The next event is lost.
    Lost,
    /// A later one is heard first.
    Early(prop::sample::Index),
    /// The page that is asked for comes, this long.
    Page(usize),
    /// The connection breaks and stands again.
    Reconnect,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Live),
        2 => any::<prop::sample::Index>().prop_map(Fate::Again),
        2 => Just(Fate::Lost),
        2 => any::<prop::sample::Index>().prop_map(Fate::Early),
        3 => (1_usize..6).prop_map(Fate::Page),
        1 => Just(Fate::Reconnect),
    ]
}

/// A story of joinings, leavings and messages, some of them one's own.
fn story(kinds: &[u8]) -> Vec<RoomEvent> {
    let mut nth = 0;
    let one = |(place, kind): (usize, &u8)| {
        let seq = place as u64 + 1;
        let theirs = ClientId { device: "theirs".parse().expect("a device"), counter: seq };
        match kind % 5 {
            0 => event(seq, OTHER, Fact::Joined {}),
            1 => event(seq, OTHER, Fact::Left {}),
            2 => event(seq, OTHER, Fact::Unknown),
            _ => {
                nth += 1;
                said(seq, nth, OTHER, theirs, &format!("word {seq}"))
            }
        }
    };
    kinds.iter().enumerate().map(one).collect()
}

fn count(story: &[RoomEvent]) -> u64 {
    story.iter().filter(|it| matches!(it.fact, Fact::Said { .. })).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_timeline_ends_up_as_the_story_is(
        kinds in prop::collection::vec(any::<u8>(), 1..60),
        known in any::<prop::sample::Index>(),
        fates in prop::collection::vec(fate(), 0..80),
    ) {
        let story = story(&kinds);
        // So much had happened when one came.
        let known = known.index(story.len());
        let told = lobby(known as u64, count(&story[..known]));
        let mut person = Person::in_lobby(told.last_seq.0, told.last_nth.0);
        let mut asked: Vec<RequestFrame> = person.sent();
        let mut heard = known;
        for fate in fates {
            match fate {
                Fate::Live if heard < story.len() => {
                    person.event(story[heard].clone());
                    heard += 1;
                }
                Fate::Again(index) if heard > 0 => {
                    person.event(story[index.index(heard)].clone());
                }
                Fate::Lost if heard < story.len() => heard += 1,
                Fate::Early(index) => person.event(story[index.index(story.len())].clone()),
                Fate::Page(most) => {
                    let is_history = |it: &RequestFrame| matches!(it.request, Request::History(_));
                    let Some(at) = asked.iter().position(is_history) else { continue };
                    let ask = asked.remove(at);
                    let reply = answer_page(&story[..heard.max(known)], &ask.request, most);
                    person.answer(ask.id, reply);
                }
                Fate::Reconnect => {
                    asked.clear();
                    person.link(LinkNews::Closed(Closed::Lost));
                    person.come_back(vec![lobby(heard as u64, count(&story[..heard]))]);
                }
                Fate::Live | Fate::Again(_) | Fate::Lost => continue,
            }
            asked.extend(person.sent());
            let run = seqs(&person);
            prop_assert!(run.windows(2).all(|it| it[0] + 1 == it[1]), "a hole in {run:?}");
        }
        // The wire is good from now on, and everything is told.
        person.link(LinkNews::Closed(Closed::Lost));
        person.come_back(vec![lobby(story.len() as u64, count(&story))]);
        let mut asked: Vec<RequestFrame> = person.sent();
        while let Some(ask) = asked.pop() {
            if let Request::History(_) = ask.request {
                person.answer(ask.id, answer_page(&story, &ask.request, 7));
                asked.extend(person.sent());
            }
            if asked.is_empty() && person.room().history == History::More {
                person.want(Intent::LoadOlder(LOBBY_ID));
                asked.extend(person.sent());
            }
        }
        let run = seqs(&person);
        prop_assert_eq!(run, (1..=story.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(person.room().unread(), count(&story[known..]));
        for (seq, row) in person.room().timeline.iter() {
            prop_assert_eq!(row.nth.0, count(&story[..seq.0 as usize]));
        }
    }
}

#[test]
fn ones_own_message_in_a_page_settles_it() {
    let mut person = reading(1);
    person.say("hello");
    person.saved();
    person.link(LinkNews::Closed(Closed::Lost));
    person.come_back(vec![lobby(2, 2)]);
    let resent = person.sent_says();
    assert_eq!(resent[0].1, mine(1));
    let ask = history(&person);
    person.answer(ask.id, page(vec![said(2, 2, ME, mine(1), "hello")], 2));
    assert_eq!(person.room().outbox.len(), 0);
    assert_eq!(person.texts(), ["word 1", "hello"]);
    assert_eq!(person.room().unread(), 0, "one's own words are read");
}
