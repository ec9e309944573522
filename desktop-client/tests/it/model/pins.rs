//! Servers are known again by their keys, and a changed key stops everything until the person
//! decides.

use parlor_desktop::model::{
    Address, Closed, Effect, Intent, Keep, KeptSession, KeyChanged, LinkNews, LinkState, Own, Pin,
    Session, SessionId, Stage, Trouble,
};
use parlor_desktop::words;
use parlor_shared::{Epoch, Fingerprint, Welcome};

use super::person::{KEY, ME, OTHER, Person, lobby, opened, welcome};

const OTHER_KEY: Fingerprint = Fingerprint([0xaa; 32]);
const PLACE: &str = "10.0.0.7";

fn place() -> Address {
    PLACE.parse().expect("an address")
}

/// The pin that the last input told the link.
fn told_pin(person: &Person) -> Option<Fingerprint> {
    for effect in &person.effects {
        if let Effect::Connect { pin, .. } = effect {
            return *pin;
        }
    }
    panic!("no connection is made: {:?}", person.effects)
}

fn kept_pins(person: &Person) -> Vec<Pin> {
    let mut pins = Vec::new();
    for keep in person.kept() {
        if let Keep::Pin(pin) = keep {
            pins.push(pin.clone());
        }
    }
    pins
}

fn changed() -> LinkNews {
    LinkNews::Closed(Closed::KeyChanged { known: KEY, found: OTHER_KEY })
}

fn question() -> KeyChanged {
    KeyChanged { address: place(), known: KEY, found: OTHER_KEY }
}

#[test]
fn the_first_key_is_kept_before_anything_is_said_and_asked_for_from_then_on() {
    let mut person = Person::new();
    person.join("Ann", PLACE);
    assert_eq!(told_pin(&person), None);
    person.connected();
    let pin = Keep::Pin(Pin { address: place(), key: KEY });
    assert_eq!(person.effects[0], Effect::Keep(pin), "before the hello");
    person.welcome(welcome(vec![lobby(0, 0)]));
    assert_eq!(person.model.key, Some(KEY));
    // Unchanged is silent.
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(person.model.key, None);
    person.want(Intent::ConnectNow);
    assert_eq!(told_pin(&person), Some(KEY));
    person.connected();
    assert_eq!(kept_pins(&person), []);
    assert_eq!(person.model.key_changed, None);
    person.sent_one("hello");
}

#[test]
fn a_pin_is_there_after_a_restart_and_belongs_to_its_address_alone() {
    let mut profile = opened(None);
    profile.pins = vec![Pin { address: place(), key: OTHER_KEY }];
    let mut person = Person::start(profile);
    person.join("Ann", "10.0.0.7:7666");
    assert_eq!(told_pin(&person), Some(OTHER_KEY));
    for other in ["10.0.0.7:7667", "10.0.0.8"] {
        person.want(Intent::Cancel);
        person.join("Ann", other);
        assert_eq!(told_pin(&person), None, "{other}");
    }
}

#[test]
fn a_changed_key_in_the_join_dialog_is_asked_about_and_refused_without_a_trace() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::SignOut);
    person.link(LinkNews::Closed(Closed::Lost));
    person.join("Ben", PLACE);
    person.link(changed());
    assert_eq!(person.model.key_changed, Some(question()));
    assert_eq!((person.sent(), kept_pins(&person)), (vec![], vec![]));
    assert_eq!(person.model.next_wake(), None, "nothing is tried again");
    person.want(Intent::RefuseKey);
    assert_eq!(person.model.key_changed, None);
    let Stage::Joining(joining) = &person.model.stage else { panic!("still in the dialog") };
    assert!(!joining.busy);
    assert_eq!(joining.refused, Some(Trouble::KeyChanged(place())));
    // The old pin holds.
    person.join("Ben", PLACE);
    assert_eq!(told_pin(&person), Some(KEY));
}

#[test]
fn a_changed_key_while_talking_stops_reconnecting_until_the_person_decides() {
    let mut person = Person::in_lobby(0, 0);
    person.link(LinkNews::Closed(Closed::Lost));
    person.tick_at(person.model.next_wake().expect("a planned try"));
    person.link(changed());
    assert_eq!(person.model.stage, Stage::Talking, "what was read stays in sight");
    assert_eq!(person.model.key_changed, Some(question()));
    assert_eq!(person.model.link, LinkState::Offline { retry_at: None });
    assert_eq!(person.model.next_wake(), None);
    person.want(Intent::RefuseKey);
    person.tick_at(person.now + 1_000_000);
    assert_eq!(person.effects, []);
    // One can try again, and is asked again.
    person.want(Intent::ConnectNow);
    assert_eq!(told_pin(&person), Some(KEY));
    person.link(changed());
    assert_eq!(person.model.key_changed, Some(question()));
}

#[test]
fn trusting_the_new_key_replaces_the_pin_and_connects() {
    for is_talking in [true, false] {
        let mut person = Person::in_lobby(0, 0);
        if is_talking {
            person.link(LinkNews::Closed(Closed::Lost));
            person.want(Intent::ConnectNow);
        } else {
            person.want(Intent::SignOut);
            person.link(LinkNews::Closed(Closed::Lost));
            person.join("Ben", PLACE);
        }
        person.link(changed());
        person.want(Intent::TrustKey);
        assert_eq!(kept_pins(&person), [Pin { address: place(), key: OTHER_KEY }]);
        assert_eq!(told_pin(&person), Some(OTHER_KEY));
        assert_eq!(person.model.key_changed, None);
        person.link(LinkNews::Connected { key: Some(OTHER_KEY) });
        person.sent_one("hello");
        // It is the person's answer to one question, not to all.
        person.link(LinkNews::Closed(Closed::Lost));
        person.want(Intent::TrustKey);
        assert_eq!(person.effects, []);
    }
}

#[test]
fn a_mistake_in_the_link_costs_no_secret() {
    for wrong in [None, Some(OTHER_KEY)] {
        let mut person = Person::in_lobby(0, 0);
        person.link(LinkNews::Closed(Closed::Lost));
        person.want(Intent::ConnectNow);
        person.link(LinkNews::Connected { key: wrong });
        assert_eq!(person.sent(), []);
        assert!(person.effects.contains(&Effect::Disconnect));
    }
}

#[test]
fn plain_and_sealed_are_two_servers_and_plain_is_for_this_computer_only() {
    let mut person = Person::new();
    person.join("Ann", "plain://127.0.0.1");
    assert_eq!(told_pin(&person), None);
    person.link(LinkNews::Connected { key: None });
    assert_eq!(kept_pins(&person), []);
    person.welcome(welcome(vec![lobby(0, 0)]));
    person.want(Intent::SignOut);
    person.link(LinkNews::Closed(Closed::Lost));
    person.join("Ann", "127.0.0.1");
    assert!(person.effects.iter().any(|it| matches!(it, Effect::Connect { .. })), "a new guest");
    for elsewhere in ["plain://10.0.0.7", "plain://example.org:99", "plain://[2001:db8::1]"] {
        let mut person = Person::new();
        person.join("Ann", elsewhere);
        assert_eq!(person.effects, []);
        let Stage::Joining(joining) = &person.model.stage else { panic!("the dialog") };
        assert_eq!(joining.refused, Some(Trouble::PlainElsewhere));
    }
    assert!(words::trouble(&Trouble::PlainElsewhere).contains("this computer only"));
}

#[test]
fn an_address_is_read_back_as_it_is_shown() {
    for (typed, shown) in [
        (" Office ", "office"),
        ("office:7666", "office"),
        ("office:99/", "office:99"),
        ("parlor://office", "office"),
        ("[2001:DB8:0:0::1]:99", "[2001:db8::1]:99"),
        ("2001:db8:0::1", "2001:db8::1"),
        ("plain://LocalHost", "plain://localhost"),
        ("plain://127.0.0.1:99", "plain://127.0.0.1:99"),
        ("plain://[::1]:99", "plain://[::1]:99"),
        ("plain://::1", "plain://::1"),
    ] {
        let address: Address = typed.parse().expect(typed);
        assert_eq!(address.to_string(), shown);
        assert_eq!(shown.parse(), Ok(address));
    }
    for wrong in ["", "plain://", "tls://office", "plain://plain://localhost", "office:0", "a b"] {
        assert!(wrong.parse::<Address>().is_err(), "{wrong}");
    }
}

#[test]
fn many_servers_push_out_the_oldest_pin_that_nobody_needs() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::SignOut);
    person.link(LinkNews::Closed(Closed::Lost));
    let mut forgotten = Vec::new();
    for number in 1..=600 {
        person.join("Ann", &format!("host{number}"));
        person.connected();
        for keep in person.kept() {
            if let Keep::ForgetPin(address) = keep {
                forgotten.push(address.to_string());
            }
        }
        person.want(Intent::Cancel);
    }
    let expected: Vec<_> = (1..=101).map(|it| format!("host{it}")).collect();
    assert_eq!(forgotten, expected, "and never the one that a sign-in needs");
    person.join("Ann", "host1");
    assert_eq!(told_pin(&person), None);
    person.want(Intent::Cancel);
    person.join("Ben", PLACE);
    assert_eq!(told_pin(&person), Some(KEY));
}

#[test]
fn a_sign_in_that_the_keyring_keeps_back_is_neither_lost_nor_overwritten() {
    let mut profile = opened(None);
    profile.sessions = vec![Session {
        id: SessionId(4),
        address: place(),
        user: ME,
        name: "Ann".parse().expect("a name"),
        token: None,
        is_locked: true,
        epoch: Epoch([1; 8]),
        signed_in: true,
        hosted: false,
    }];
    let session = profile.sessions[0].clone();
    let (rooms, names) = (Vec::new(), Vec::new());
    let kept = KeptSession { session, selected: None, rooms, own: Own::default(), names };
    profile.current = Some(Box::new(kept));
    let mut person = Person::start(profile);
    let refused = |person: &Person| match &person.model.stage {
        Stage::Joining(joining) => joining.refused.clone(),
        Stage::Talking => panic!("nobody is signed in"),
    };
    assert_eq!(refused(&person), Some(Trouble::KeyringLocked));
    // As a new guest of that name it would be replaced.
    person.join("Ann", PLACE);
    assert_eq!(person.effects, []);
    assert_eq!(refused(&person), Some(Trouble::KeyringLocked));
    person.join("Ben", PLACE);
    person.connected();
    person.welcome(Welcome { user: OTHER, ..welcome(vec![lobby(0, 0)]) });
    for keep in person.kept() {
        if let Keep::Session(it) = keep {
            assert_ne!(it.id, SessionId(4));
        }
    }
}
