//! Who is in the room, and who of them is here.

use parlor_shared::{
    Event, Fact, LOBBY_ID, MemberEntry, Notice, Reply, Request, RequestFrame, RoomRole, Seq,
    ServerFrame, UserId,
};

use super::person::{ME, OTHER, Person, event, page, words};

const THIRD: UserId = UserId(9);

fn entry(user: UserId, here: bool) -> MemberEntry {
    let name = format!("User {user}").parse().expect("a name");
    MemberEntry { user, name, here, role: RoomRole::Member, muted: false }
}

fn members(as_of: u64, users: &[UserId], more: bool) -> Reply {
    let members = users.iter().map(|it| entry(*it, true)).collect();
    Reply::Members { room: LOBBY_ID, as_of: Seq(as_of), members, more }
}

fn asking() -> (Person, RequestFrame) {
    let mut person = Person::in_lobby(2, 2);
    let ask = person.sent_one("history");
    person.answer(ask.id, page(words(1..=2), 2));
    let ask = person.sent_one("members");
    (person, ask)
}

fn shown(person: &Person) -> Vec<(UserId, bool)> {
    person.room().members.iter().map(|(id, it)| (*id, it.here)).collect()
}

fn notice(person: &mut Person, user: UserId, here: bool) {
    let (room, name) = (LOBBY_ID, "Bob".parse().expect("a name"));
    let notice = match here {
        true => Notice::IsBack { room, user, name },
        false => Notice::WentAway { room, user, name },
    };
    person.frame(ServerFrame::Event(Event::Notice(notice)));
}

#[test]
fn who_comes_and_goes_is_followed() {
    let (mut person, ask) = asking();
    person.answer(ask.id, members(2, &[ME, OTHER], false));
    assert_eq!(shown(&person), [(ME, true), (OTHER, true)]);
    notice(&mut person, OTHER, false);
    assert_eq!(shown(&person), [(ME, true), (OTHER, false)]);
    notice(&mut person, OTHER, true);
    person.event(event(3, THIRD, Fact::Joined {}));
    person.event(event(4, OTHER, Fact::Left {}));
    assert_eq!(shown(&person), [(ME, true), (THIRD, true)]);
}

#[test]
fn a_list_that_comes_late_is_brought_up_to_date() {
    let (mut person, ask) = asking();
    person.event(event(3, THIRD, Fact::Joined {}));
    person.event(event(4, OTHER, Fact::Left {}));
    notice(&mut person, ME, false);
    // As of before both.
    person.answer(ask.id, members(2, &[ME, OTHER], false));
    assert_eq!(shown(&person), [(ME, false), (THIRD, true)]);
}

#[test]
fn a_list_that_is_ahead_is_not_set_back() {
    let (mut person, ask) = asking();
    person.answer(ask.id, members(4, &[ME, THIRD], false));
    person.event(event(3, OTHER, Fact::Joined {}));
    person.event(event(4, OTHER, Fact::Left {}));
    assert_eq!(shown(&person), [(ME, true), (THIRD, true)]);
}

#[test]
fn a_long_list_comes_in_pages_and_what_happens_in_between_counts() {
    let (mut person, ask) = asking();
    person.answer(ask.id, members(2, &[ME], true));
    let ask = person.sent_one("members");
    let Request::Members(asked) = &ask.request else { panic!("{ask:?}") };
    assert_eq!(asked.after, Some(ME));
    // The first page's member leaves while the second is on its way.
    person.event(event(3, ME, Fact::Joined {}));
    person.event(event(4, THIRD, Fact::Joined {}));
    person.answer(ask.id, members(4, &[OTHER, THIRD], false));
    assert_eq!(shown(&person), [(ME, true), (OTHER, true), (THIRD, true)]);
}
