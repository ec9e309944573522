//! What is done to people and rooms: heard by those it concerns, and asked for by those who may.

use parlor_desktop::model::may::{Deed, Standing, may};
use parlor_desktop::model::{
    ArchiveNews, Closed, Intent, Keep, LinkNews, News, Order, Trouble, What, Whom,
};
use parlor_shared::reply::PersonName;
use parlor_shared::{
    Fact, LOBBY_ID, Nth, Refusal, Reply, Request, Role, RoomId, RoomRole, Seq, UserName,
};

use super::person::{ME, OTHER, Person, event, lobby, page, room_named, said, words};

fn name(name: &str) -> UserName {
    name.parse().expect("a name")
}

/// In the lobby with these messages of the other one.
fn with_words(count: u64) -> Person {
    let mut person = Person::in_lobby(count, count);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=count), count));
    person
}

fn shown_name(person: &Person, seq: u64) -> String {
    let timeline = &person.room().timeline;
    let row = timeline.index_of(Seq(seq)).and_then(|it| timeline.get(it)).expect("a row");
    person.model.names.of(row.by, &row.name).to_string()
}

fn blanks(person: &Person) -> Vec<u64> {
    let rows = person.room().timeline.iter();
    rows.filter(|(_, it)| it.what == What::Blank).map(|(seq, _)| seq.0).collect()
}

#[test]
fn old_messages_follow_a_new_name() {
    let mut person = with_words(3);
    let renamed = Fact::Renamed { was: name("Bob") };
    let renamed = parlor_shared::RoomEvent { name: name("Rob"), ..event(4, OTHER, renamed) };
    person.event(renamed);
    assert_eq!(shown_name(&person, 1), "Rob");
    let kept = PersonName { user: OTHER, name: name("Rob") };
    let is_kept = |it: &&Keep| matches!(it, Keep::Names { names, .. } if *names == [kept.clone()]);
    assert_eq!(person.kept().into_iter().filter(is_kept).count(), 1);
}

#[test]
fn a_page_tells_what_its_authors_are_called_today() {
    let mut person = Person::in_lobby(3, 3);
    let ask = person.sent_one("history");
    let names = vec![PersonName { user: OTHER, name: name("Rob") }];
    let reply =
        Reply::Page { room: LOBBY_ID, events: words(1..=3), more: false, last_seq: Seq(3), names };
    person.answer(ask.id, reply);
    assert_eq!(shown_name(&person, 2), "Rob");
}

#[test]
fn a_page_that_was_read_before_a_renaming_does_not_undo_it() {
    let mut person = Person::in_lobby(3, 3);
    let ask = person.sent_one("history");
    let renamed = Fact::Renamed { was: name("Bob") };
    person.event(parlor_shared::RoomEvent { name: name("Rob"), ..event(4, OTHER, renamed) });
    person.answer(ask.id, page(words(1..=3), 3));
    assert_eq!(shown_name(&person, 2), "Rob");
}

#[test]
fn erased_texts_leave_the_timeline_and_the_archive() {
    let mut person = with_words(5);
    person.event(event(6, ME, Fact::Erased { user: OTHER, through: Seq(4) }));
    assert_eq!(blanks(&person), [1, 2, 3, 4]);
    assert_eq!(person.texts(), ["word 5"]);
    assert_eq!(person.room().unread(), 0, "their places stay");
    let erase =
        |it: &&Keep| matches!(it, Keep::Erase { room: LOBBY_ID, user: OTHER, through: Seq(4), .. });
    assert_eq!(person.kept().into_iter().filter(erase).count(), 1);
}

#[test]
fn what_comes_late_from_the_archive_is_erased_too() {
    let mut person = Person::in_lobby(9, 9);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(7..=9), 9));
    person.want(Intent::LoadOlder(LOBBY_ID));
    let older = person.sent_one("history");
    person.event(event(10, ME, Fact::Erased { user: OTHER, through: Seq(9) }));
    // Read before the texts were erased.
    person.answer(older.id, page(words(4..=6), 10));
    assert_eq!(blanks(&person), [4, 5, 6, 7, 8, 9]);
    let texts = person.kept().into_iter().any(|it| {
        matches!(it, Keep::Events { events, .. }
            if events.iter().any(|it| matches!(it.fact, Fact::Said { .. })))
    });
    assert!(!texts, "and none of them is kept");
}

#[test]
fn an_erased_message_is_blank_in_pages_and_still_counts() {
    let mut person = Person::in_lobby(2, 2);
    let ask = person.sent_one("history");
    let client_id = "theirs-1".parse().expect("an id");
    let first = event(1, OTHER, Fact::Blank { nth: Nth(1), client_id });
    let second = words(2..=2).remove(0);
    person.answer(ask.id, page(vec![first, second], 2));
    assert_eq!(blanks(&person), [1]);
    assert_eq!(person.room().timeline.seq_of_message(Nth(1)), Some(Seq(1)));
}

#[test]
fn ones_own_message_that_was_erased_on_its_way_is_settled() {
    let mut person = with_words(1);
    person.say("mine");
    person.saved();
    let (_, client_id, _) = person.sent_says().remove(0);
    person.event(event(2, ME, Fact::Blank { nth: Nth(2), client_id }));
    assert!(person.room().outbox.is_empty());
}

#[test]
fn being_put_out_removes_the_room() {
    for fact in [
        Fact::Kicked { user: ME, who: name("Ann"), reason: None },
        Fact::Banned { user: ME, who: name("Ann"), until: None, reason: None },
    ] {
        let mut person = with_words(1);
        person.event(event(2, OTHER, fact));
        assert!(!person.model.rooms.contains_key(&LOBBY_ID));
    }
}

#[test]
fn an_old_kick_is_history() {
    let mut person = Person::in_lobby(3, 1);
    let ask = person.sent_one("history");
    let kicked = event(2, OTHER, Fact::Kicked { user: ME, who: name("Ann"), reason: None });
    let story = vec![words(1..=1).remove(0), kicked, event(3, ME, Fact::Joined {})];
    person.answer(ask.id, page(story, 3));
    assert!(person.room().is_member);
}

#[test]
fn a_room_that_ended_stays_to_be_read() {
    let mut person = with_words(1);
    person.event(event(2, OTHER, Fact::Ended { reason: None }));
    assert!(person.room().is_ended && person.room().is_member);
    person.say("too late");
    assert_eq!(person.model.trouble, Some(Trouble::RoomRefused(Refusal::RoomEnded)));
    assert!(person.room().outbox.is_empty());
}

#[test]
fn an_announcement_is_shown_wherever_one_is_until_it_is_dismissed() {
    let mut person = with_words(1);
    let client_id = "theirs-9".parse().expect("an id");
    let text = "The server moves tonight.".parse().expect("a text");
    person.event(event(2, OTHER, Fact::Announced { nth: Nth(2), client_id, text }));
    assert!(person.model.announcement.is_some());
    assert_eq!(person.texts().last(), Some(&"The server moves tonight."));
    person.want(Intent::DismissAnnouncement);
    assert_eq!(person.model.announcement, None);
}

#[test]
fn an_order_is_one_request_and_its_no_is_said() {
    let mut person = with_words(1);
    let (room, user, reason) = (LOBBY_ID, OTHER, " too loud ".to_owned());
    person.want(Intent::Order(Order::Kick { room, user, reason }));
    let ask = person.sent_one("kick");
    let Request::Kick(kick) = &ask.request else { panic!() };
    assert_eq!(kick.reason.as_ref().map(|it| it.as_str()), Some("too loud"));
    person.refuse(ask.id, Refusal::NotAllowed);
    assert_eq!(person.model.trouble, Some(Trouble::Refused(Refusal::NotAllowed)));
    let whom = Whom::Network("nonsense".to_owned());
    let ban = Order::Ban { whom, room: None, millis: None, reason: String::new() };
    person.want(Intent::Order(ban));
    assert_eq!(person.sent(), []);
    assert_eq!(person.model.trouble, Some(Trouble::Refused(Refusal::NetworkMalformed)));
}

#[test]
fn roles_are_followed() {
    let mut person = with_words(1);
    let role = RoomRole::Moderator;
    person.event(event(2, OTHER, Fact::RoleGiven { user: ME, who: name("Ann"), role }));
    assert_eq!(person.room().role, role);
    person.link(LinkNews::Closed(Closed::Lost));
    let garden = parlor_shared::JoinedRoom { role: RoomRole::Owner, ..room_named(2, "garden") };
    person.come_back(vec![lobby(2, 1), garden]);
    assert_eq!(person.room().role, RoomRole::Member);
    assert_eq!(person.model.rooms[&RoomId(2)].role, RoomRole::Owner);
}

#[test]
fn only_what_the_server_would_allow_is_offered() {
    use Standing::{Admin, Member, Moderator, Owner, ServerOwner};
    let all = [Member, Moderator, Owner, Admin, ServerOwner];
    for mine in all {
        for theirs in all {
            let is_above = mine > theirs;
            for deed in [Deed::Kick, Deed::Ban, Deed::Mute, Deed::Unmute, Deed::Erase] {
                let may = may(mine, theirs, false, deed);
                assert_eq!(may, is_above && mine >= Moderator, "{mine:?} {deed:?} {theirs:?}");
            }
            let may = may(mine, theirs, false, Deed::GiveRole(RoomRole::Moderator));
            assert_eq!(may, is_above && mine >= Owner, "{mine:?} {theirs:?}");
        }
        assert_eq!(may(mine, Member, false, Deed::EndRoom), mine >= Owner);
        assert!(!may(mine, Member, true, Deed::EndRoom), "the lobby never ends");
        assert!(!may(mine, Member, true, Deed::Kick), "and nobody leaves it");
    }
    assert_eq!(Standing::of(Role::Owner, RoomRole::Member), ServerOwner);
    assert_eq!(Standing::of(Role::Admin, RoomRole::Member), Admin);
    assert_eq!(Standing::of(Role::Guest, RoomRole::Owner), Owner);
}

#[test]
fn one_that_is_said_by_the_archive_after_a_restart_is_blank_there() {
    let mut person = with_words(2);
    let said = said(3, 3, ME, "mydevice-9".parse().expect("an id"), "mine");
    person.event(said);
    person.event(event(4, ME, Fact::Erased { user: ME, through: Seq(3) }));
    assert_eq!(blanks(&person), [3]);
    person.feed(News::Archive(ArchiveNews::Older {
        ticket: parlor_desktop::model::Ticket(99),
        room: LOBBY_ID,
        events: words(1..=1),
    }));
    assert_eq!(person.texts(), ["word 1", "word 2"]);
}
