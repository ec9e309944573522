//! Joining, staying connected, signing out.

use parlor_desktop::model::{
    Closed, Effect, HostNews, Intent, Joining, Keep, LinkNews, LinkState, News, Question, Stage,
    Trouble,
};
use parlor_desktop::words;
use parlor_shared::request::Hello;
use parlor_shared::{
    Event, LOBBY_ID, MemberEntry, Notice, Refusal, Reply, Request, ServerFrame, UserId,
};

use super::person::{ME, OTHER, Person, lobby, page, welcome, words as said_by_other};

fn dialog(person: &Person) -> &Joining {
    match &person.model.stage {
        Stage::Joining(joining) => joining,
        Stage::Talking => panic!("not in the dialog"),
    }
}

fn refused(person: &Person) -> &Trouble {
    dialog(person).refused.as_ref().expect("a reason")
}

fn hello(person: &Person) -> Hello {
    let Request::Hello(hello) = person.sent_one("hello").request else { panic!("no hello") };
    hello
}

#[test]
fn a_new_guest_says_its_name_and_keeps_the_token() {
    let mut person = Person::new();
    person.join(" Ann ", "Example.org:99");
    assert!(dialog(&person).busy);
    let [Effect::Connect { address, .. }] = &person.effects[..] else { panic!("{person:?}") };
    assert_eq!((address.host.as_str(), address.port), ("example.org", 99));
    person.connected();
    let said = hello(&person);
    assert_eq!((said.name.map(|it| it.to_string()), said.token), (Some("Ann".to_owned()), None));
    person.feed(News::Tick);
    person.join("Ann", "example.org:99");
    person.connected();
    person.welcome(welcome(vec![lobby(0, 0)]));
    assert_eq!(person.model.stage, Stage::Talking);
    assert_eq!(person.model.link, LinkState::Online);
    let is_token = |it: &&Keep| matches!(it, Keep::Session(session) if session.token.is_some());
    assert_eq!(person.kept().into_iter().filter(is_token).count(), 1);
    // From now on it comes back with the token.
    person.link(LinkNews::Closed(Closed::Lost));
    person.want(Intent::ConnectNow);
    person.connected();
    let said = hello(&person);
    assert_eq!((said.name, said.token), (None, welcome(vec![]).token));
}

#[test]
fn each_failure_has_a_sentence_that_says_what_to_do() {
    let failures = [
        (Closed::NobodyAnswers, "Nobody answers"),
        (Closed::NoSuchHost, "no computer called"),
        (Closed::NotParlor, "not a Parlor"),
        (Closed::Lost, "hung up"),
    ];
    for (closed, sentence) in failures {
        let mut person = Person::new();
        person.join("Ann", "10.0.0.7");
        person.link(LinkNews::Closed(closed));
        assert!(!dialog(&person).busy);
        let says = words::trouble(refused(&person));
        assert!(says.contains(sentence), "{says}");
        // In the dialog the person decides when to try again.
        assert_eq!(person.model.next_wake(), None);
    }
    for (refusal, sentence) in [
        (Refusal::OtherVersion { speaks: 9 }, "newer than this app"),
        (Refusal::OtherVersion { speaks: 0 }, "older than this app"),
        (Refusal::NameReserved, "reserved"),
        (Refusal::TooManyConnections, "too many connections"),
    ] {
        let mut person = Person::new();
        person.join("Ann", "10.0.0.7");
        person.connected();
        let id = person.sent_one("hello").id;
        person.refuse(id, refusal);
        let says = words::trouble(refused(&person));
        assert!(says.contains(sentence), "{says}");
        assert!(person.effects.contains(&Effect::Disconnect));
    }
}

#[test]
fn what_was_typed_wrong_is_said_before_anybody_is_asked() {
    for (name, address) in [("", "here"), ("System", "here"), ("Ann", ""), ("Ann", "a b:c")] {
        let mut person = Person::new();
        person.join(name, address);
        assert_eq!(person.effects, []);
        assert!(matches!(refused(&person), Trouble::BadName(_) | Trouble::BadAddress));
        assert_eq!(dialog(&person).name, name);
    }
}

#[test]
fn a_taken_name_comes_with_one_that_is_free() {
    let mut person = Person::new();
    person.join("Ann", "10.0.0.7");
    person.connected();
    let id = person.sent_one("hello").id;
    person.refuse(id, Refusal::NameTaken { suggestion: Some("Ann 2".parse().expect("a name")) });
    assert_eq!(dialog(&person).suggestion.as_ref().map(|it| it.as_str()), Some("Ann 2"));
    assert!(words::trouble(refused(&person)).contains("Ann 2"));
    person.join("Ann 2", "10.0.0.7");
    assert_eq!(dialog(&person).suggestion, None);
    person.connected();
    assert_eq!(hello(&person).name.map(|it| it.to_string()), Some("Ann 2".to_owned()));
}

#[test]
fn a_cancelled_try_is_not_heard_of_again() {
    let mut person = Person::new();
    person.join("Ann", "10.0.0.7");
    person.want(Intent::Cancel);
    assert!(person.effects.contains(&Effect::Disconnect));
    assert_eq!(dialog(&person).refused, None);
    person.connected();
    assert_eq!(person.effects, []);
}

#[test]
fn a_forgotten_token_leads_back_to_the_dialog() {
    let mut person = Person::in_lobby(0, 0);
    person.link(LinkNews::Closed(Closed::Lost));
    person.want(Intent::ConnectNow);
    person.connected();
    let id = person.sent_one("hello").id;
    person.refuse(id, Refusal::TokenUnknown);
    assert_eq!(refused(&person), &Trouble::TokenUnknown);
    assert_eq!(dialog(&person).name, "Ann");
    assert_eq!(person.model.next_wake(), None);
    // Joining again is a new guest.
    person.join("Ann", "10.0.0.7");
    person.connected();
    assert!(hello(&person).name.is_some());
}

#[test]
fn tries_again_with_growing_random_waits() {
    let mut person = Person::in_lobby(0, 0);
    let mut longest = 0;
    for attempt in 0..20 {
        for random in [0, 1_000_003, u64::MAX] {
            let mut twin = Person { random, ..person.clone() };
            twin.link(LinkNews::Closed(Closed::Lost));
            let LinkState::Offline { retry_at: Some(at) } = twin.model.link else {
                panic!("no try is planned: {:?}", twin.model.link)
            };
            let wait = at - twin.now;
            let base = (250 << attempt.min(16)).min(30_000);
            assert!((base / 2..base / 2 + base).contains(&wait), "attempt {attempt}: {wait}");
            assert_eq!(twin.model.next_wake(), Some(at));
            longest = longest.max(wait);
        }
        person.link(LinkNews::Closed(Closed::Lost));
        let at = person.model.next_wake().expect("a planned try");
        person.tick_at(at);
        assert!(matches!(person.effects[..], [Effect::Connect { .. }]));
    }
    assert!((30_000..45_000).contains(&longest));
    assert_eq!(person.model.stage, Stage::Talking, "what was read stays in sight");
}

#[test]
fn a_steady_connection_makes_the_waits_small_again() {
    let mut person = Person::in_lobby(0, 0);
    for _ in 0..10 {
        person.link(LinkNews::Closed(Closed::NobodyAnswers));
        person.tick_at(person.model.next_wake().expect("a planned try"));
    }
    person.connected();
    person.welcome(welcome(vec![lobby(0, 0)]));
    person.now += 60_000;
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(person.model.next_wake(), Some(person.now + 125));
}

#[test]
fn a_stopping_server_says_when_to_come_back() {
    let mut person = Person::in_lobby(0, 0);
    person.frame(ServerFrame::Event(Event::Notice(Notice::GoingAway { wait_millis: 4_321 })));
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(person.model.next_wake(), Some(4_321));
    assert_eq!(person.model.why_offline, Some(Trouble::ServerStopping));
}

#[test]
fn an_answer_that_never_comes_ends_the_connection() {
    let mut person = Person::in_lobby(0, 0);
    assert_eq!(person.model.link, LinkState::Online);
    let overdue = person.model.next_wake().expect("something is asked");
    person.tick_at(overdue);
    assert!(person.effects.contains(&Effect::Disconnect));
    assert!(matches!(person.model.link, LinkState::Offline { retry_at: Some(_) }));
}

#[test]
fn a_ping_is_answered_once() {
    let mut person = Person::in_lobby(0, 0);
    let ping = ServerFrame::Event(Event::Notice(Notice::Ping {}));
    person.frame(ping.clone());
    let id = person.sent_one("ping").id;
    person.frame(ping.clone());
    assert_eq!(person.sent(), []);
    person.answer(id, Reply::Pong {});
    person.frame(ping);
    person.sent_one("ping");
}

#[test]
fn exit_signs_out_and_is_never_said() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::EditDraft { room: LOBBY_ID, text: " [EXIT]".to_owned() });
    person.say(" [EXIT]\n");
    let goodbye = person.sent_one("goodbye");
    assert_eq!(person.sent_says(), []);
    let keeps_pending = |it: &&Keep| matches!(it, Keep::Pending { .. });
    assert!(!person.kept().iter().any(keeps_pending));
    assert_eq!(
        (dialog(&person).name.as_str(), dialog(&person).address.as_str()),
        ("Ann", "10.0.0.7")
    );
    person.answer(goodbye.id, Reply::Goodbye {});
    assert!(person.effects.contains(&Effect::Disconnect));
    assert_eq!(person.model.next_wake(), None, "no try after a wanted end");
    // And back under the same name, with what the archive kept.
    person.join("ann", "10.0.0.7");
    assert!(matches!(person.kept()[..], [Keep::OpenSession(_)]));
}

#[test]
fn exit_inside_a_longer_text_is_text() {
    let mut person = Person::in_lobby(0, 0);
    person.say("type [EXIT] to go");
    person.saved();
    assert_eq!(person.sent_says()[0].2, "type [EXIT] to go");
}

#[test]
fn a_goodbye_that_is_not_answered_ends_all_the_same() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::SignOut);
    person.tick_at(person.model.next_wake().expect("a deadline"));
    assert!(person.effects.contains(&Effect::Disconnect));
    assert_eq!(person.model.next_wake(), None);
}

#[test]
fn a_chat_on_this_computer_is_started_joined_and_not_closed_by_accident() {
    let mut person = Person::new();
    person.want(Intent::HostHere { name: "Ann".to_owned() });
    assert_eq!(person.effects, [Effect::StartHost]);
    let address = "127.0.0.1".parse().expect("an address");
    let shown = vec!["192.168.1.5".to_owned()];
    person.feed(News::Host(HostNews::Serving { address, shown: shown.clone() }));
    assert_eq!(person.model.hosting, Some(shown));
    person.connected();
    person.welcome(welcome(vec![lobby(2, 2)]));
    let history = person.sent_one("history");
    person.answer(history.id, page(said_by_other(1..=2), 2));
    let members = person.sent_one("members");
    let entry = |user: UserId, name: &str, here| MemberEntry {
        user,
        name: name.parse().expect("a name"),
        here,
        role: parlor_shared::RoomRole::Member,
        muted: false,
    };
    let list = vec![entry(ME, "Ann", true), entry(OTHER, "Bob", true)];
    let as_of = parlor_shared::Seq(2);
    person.answer(members.id, Reply::Members { room: LOBBY_ID, as_of, members: list, more: false });
    person.want(Intent::Quit);
    assert_eq!(person.effects, []);
    assert_eq!(person.model.asking, Some(Question::CloseWithOthersInside { others: 1 }));
    person.want(Intent::Stay);
    assert_eq!(person.model.asking, None);
    person.want(Intent::QuitAnyway);
    assert_eq!(person.effects, [Effect::Quit]);
}

#[test]
fn this_computer_serves_already_so_joining_is_offered() {
    let mut person = Person::new();
    person.want(Intent::HostHere { name: "Ann".to_owned() });
    let address: parlor_desktop::model::Address = "127.0.0.1".parse().expect("an address");
    person.feed(News::Host(HostNews::ServesAlready { address: address.clone() }));
    assert_eq!(dialog(&person).offer, Some(address));
    assert!(!dialog(&person).busy);
}
