//! Ways in other than under a free name, and what the dialog offers after each "no".

use parlor_desktop::model::{
    ArchiveNews, Closed, Effect, Entrance, Intent, Joining, Keep, KeptSession, LinkNews, News,
    Opened, Own, Secret, Session, SessionId, Stage, Told, Trouble, Way,
};
use parlor_shared::request::{Forgot, Hello, Recover};
use parlor_shared::{Epoch, Refusal, Reply, Request, ResumeToken, UnixMillis, UserId, Welcome};

use super::person::{ME, Person, lobby, opened, welcome};

const PASSWORD: &str = "correct horse";
const CODE: &str = "2F7K-9QXM-0TRB-V4CD";

fn dialog(person: &Person) -> &Joining {
    match &person.model.stage {
        Stage::Joining(joining) => joining,
        Stage::Talking => panic!("not in the dialog"),
    }
}

fn enter(person: &mut Person, entrance: Entrance) {
    let (name, address) = ("Ann".to_owned(), "10.0.0.7".to_owned());
    person.want(Intent::Enter { name, address, entrance });
}

fn with_password(person: &mut Person) {
    enter(person, Entrance::Password(Secret::new(PASSWORD)));
}

fn hello(person: &Person) -> Hello {
    let Request::Hello(hello) = person.sent_one("hello").request else { panic!("no hello") };
    hello
}

/// Somebody whose first try under the name got this answer.
fn refused(refusal: Refusal) -> Person {
    let mut person = Person::new();
    person.join("Ann", "10.0.0.7");
    person.connected();
    let hello = person.sent_one("hello");
    person.refuse(hello.id, refusal);
    person
}

fn account(user: UserId) -> Welcome {
    Welcome { user, account: true, ..welcome(vec![lobby(0, 0)]) }
}

#[test]
fn a_password_goes_with_the_name_and_the_device() {
    let mut person = Person::new();
    person.model.call_device("laptop".parse().ok());
    with_password(&mut person);
    person.connected();
    let said = hello(&person);
    assert_eq!(said.name.map(|it| it.to_string()).as_deref(), Some("Ann"));
    assert_eq!(said.password.expect("a password").as_bytes(), PASSWORD.as_bytes());
    assert_eq!(said.device.map(|it| it.to_string()).as_deref(), Some("laptop"));
    assert_eq!(said.token, None);
}

#[test]
fn secrets_are_in_no_debug_output() {
    let mut person = Person::new();
    let entrance = Entrance::Recover { code: Secret::new(CODE), password: Secret::new(PASSWORD) };
    let (name, address) = ("Ann".to_owned(), "10.0.0.7".to_owned());
    let intent = Intent::Enter { name, address, entrance };
    let mut seen = format!("{intent:?}");
    person.want(intent);
    seen += &format!("{person:?}");
    person.connected();
    seen += &format!("{person:?}");
    let recover = person.sent_one("recover");
    person.answer(recover.id, Reply::Recovered {});
    seen += &format!("{person:?}");
    assert!(!seen.contains(PASSWORD) && !seen.contains("2F7K") && !seen.contains("9QXM"), "{seen}");
}

#[test]
fn after_the_answer_no_password_waits_in_the_model() {
    let mut person = Person::new();
    with_password(&mut person);
    person.connected();
    let hello = person.sent_one("hello");
    person.refuse(hello.id, Refusal::WrongPassword);
    assert_eq!(dialog(&person).way, Way::Password, "another try is a field away");
    assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::WrongPassword)));
    // The same connection number again would greet with whatever waits.
    person.join("Ann", "10.0.0.7");
    person.connected();
    let said = self::hello(&person);
    assert_eq!(said.password, None);
}

#[test]
fn each_no_opens_the_way_that_helps() {
    for (refusal, way) in [
        (Refusal::RegisteredOnly, Way::Password),
        (Refusal::InviteNeeded, Way::Invite),
        (Refusal::NameTaken { suggestion: None }, Way::Name),
        (Refusal::Busy, Way::Name),
        (Refusal::NeedsTls, Way::Name),
    ] {
        assert_eq!(dialog(&refused(refusal.clone())).way, way, "{refusal:?}");
    }
    let until = Some(UnixMillis(5));
    let person = refused(Refusal::Banned { until });
    assert_eq!(dialog(&person).refused, Some(Trouble::Banned { until }));
}

#[test]
fn an_invitation_goes_with_the_hello() {
    let mut person = refused(Refusal::InviteNeeded);
    enter(&mut person, Entrance::Invite(Secret::new("nonsense")));
    assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::CodeUnknown)));
    assert!(!dialog(&person).busy);
    enter(&mut person, Entrance::Invite(Secret::new(&CODE.to_lowercase())));
    person.connected();
    assert_eq!(hello(&person).invite, CODE.parse().ok());
}

#[test]
fn a_code_sets_the_password_and_then_one_is_in() {
    let mut person = Person::new();
    let entrance = Entrance::Recover { code: Secret::new(CODE), password: Secret::new(PASSWORD) };
    enter(&mut person, entrance);
    person.connected();
    let ask = person.sent_one("recover");
    let Request::Recover(Recover { name, code, password }) = &ask.request else { panic!() };
    assert_eq!((name.as_str(), code.to_string().as_str()), ("Ann", CODE));
    assert_eq!(password.as_bytes(), PASSWORD.as_bytes());
    person.answer(ask.id, Reply::Recovered {});
    assert_eq!(hello(&person).password.expect("a password").as_bytes(), PASSWORD.as_bytes());
    person.welcome(account(ME));
    assert_eq!(person.model.stage, Stage::Talking);
}

#[test]
fn a_code_by_mail_is_asked_for_without_coming_in() {
    let mut person = Person::new();
    let (address, email) = ("10.0.0.7".to_owned(), "ann@example.org".to_owned());
    person.want(Intent::MailCode { address: address.clone(), email: "ann".to_owned() });
    assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::BadEmail)));
    person.want(Intent::MailCode { address, email });
    person.connected();
    let ask = person.sent_one("forgot");
    let Request::Forgot(Forgot { email }) = &ask.request else { panic!() };
    assert_eq!(email.as_str(), "ann@example.org");
    person.answer(ask.id, Reply::Mailed {});
    assert!(person.effects.contains(&Effect::Disconnect));
    assert_eq!((dialog(&person).told, dialog(&person).way), (Some(Told::Mailed), Way::Recover));
    assert!(!dialog(&person).busy);
}

/// Signed in to an account, with a draft in the lobby.
fn in_account() -> Person {
    let mut person = Person::new();
    with_password(&mut person);
    person.connected();
    person.welcome(account(ME));
    person.want(Intent::EditDraft { room: parlor_shared::LOBBY_ID, text: "half".to_owned() });
    person
}

#[test]
fn a_session_that_was_ended_asks_for_the_password_and_keeps_everything() {
    for refusal in [Refusal::SessionEnded, Refusal::TokenUnknown] {
        let mut person = in_account();
        person.link(LinkNews::Closed(Closed::Lost));
        person.want(Intent::ConnectNow);
        person.connected();
        let hello = person.sent_one("hello");
        person.refuse(hello.id, refusal);
        assert_eq!(dialog(&person).way, Way::Password);
        assert_eq!(dialog(&person).name, "Ann");
        assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::SessionEnded)));
        with_password(&mut person);
        person.connected();
        person.welcome(account(ME));
        assert_eq!(person.room().draft, "half");
    }
}

#[test]
fn signing_out_of_an_account_ends_the_session_and_forgets_the_token() {
    let mut person = in_account();
    person.want(Intent::SignOut);
    let bye = person.sent_one("sign_out");
    let is_forgotten =
        |it: &&Keep| matches!(it, Keep::Session(it) if it.token.is_none() && !it.signed_in);
    assert_eq!(person.kept().into_iter().filter(is_forgotten).count(), 1);
    assert_eq!(dialog(&person).way, Way::Password);
    person.answer(bye.id, Reply::SignedOut {});
    assert!(person.effects.contains(&Effect::Disconnect));
    assert_eq!(dialog(&person).refused, None);
}

#[test]
fn a_farewell_leaves_the_session_as_it_is() {
    let mut person = in_account();
    person.say("[EXIT]");
    person.sent_one("goodbye");
    assert!(person.kept().iter().any(|it| matches!(it, Keep::Session(it) if it.token.is_some())));
}

#[test]
fn a_guest_keeps_the_way_back() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::SignOut);
    person.sent_one("goodbye");
    assert!(person.kept().iter().any(|it| matches!(it, Keep::Session(it) if it.token.is_some())));
}

fn kept(name: &str, id: u32) -> Session {
    Session {
        id: SessionId(id),
        address: "10.0.0.7".parse().expect("an address"),
        user: ME,
        name: name.parse().expect("a name"),
        token: None,
        is_locked: false,
        epoch: Epoch([1; 8]),
        signed_in: false,
        hosted: false,
    }
}

#[test]
fn an_account_that_was_renamed_elsewhere_finds_its_rooms_again() {
    let opened = Opened { sessions: vec![kept("Anna", 4)], ..opened(None) };
    let mut person = Person::start(opened);
    with_password(&mut person);
    person.connected();
    let token = Some(ResumeToken([9; 32]));
    let hello = person.sent_one("hello");
    let reply = Welcome { token, ..account(ME) };
    person.answer(hello.id, Reply::Welcome(Box::new(reply)));
    assert!(person.kept().contains(&&Keep::OpenSession(SessionId(4))), "{:?}", person.effects);
    let session = Session { token, name: "Ann".parse().expect("a name"), ..kept("Ann", 4) };
    let (own, names) = (Own::default(), Vec::new());
    let opened = KeptSession { session, selected: None, rooms: Vec::new(), own, names };
    person.feed(News::Archive(ArchiveNews::SessionOpened(Box::new(opened))));
    person.connected();
    assert_eq!(self::hello(&person).token, token);
    person.welcome(Welcome { token: None, ..account(ME) });
    assert_eq!(person.model.stage, Stage::Talking);
}

#[test]
fn a_session_that_is_ended_while_one_talks_says_so() {
    let mut person = in_account();
    person.frame(parlor_shared::ServerFrame::refused(None, Refusal::SessionEnded));
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(dialog(&person).way, Way::Password);
    assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::SessionEnded)));
}

#[test]
fn a_ban_while_one_talks_is_shown_in_the_dialog() {
    let mut person = in_account();
    let until = Some(UnixMillis(99));
    person.frame(parlor_shared::ServerFrame::refused(None, Refusal::Banned { until }));
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(dialog(&person).refused, Some(Trouble::Banned { until }));
}

#[test]
fn a_goodbye_that_comes_late_does_not_disturb_the_next_sign_in() {
    let mut person = in_account();
    person.want(Intent::SignOut);
    let bye = person.sent_one("sign_out");
    with_password(&mut person);
    person.answer(bye.id, Reply::SignedOut {});
    assert!(dialog(&person).busy);
    let session = Session { token: None, ..kept("Ann", 1) };
    let (own, names) = (Own::default(), Vec::new());
    let opened = KeptSession { session, selected: None, rooms: Vec::new(), own, names };
    person.feed(News::Archive(ArchiveNews::SessionOpened(Box::new(opened))));
    person.connected();
    let hello = person.sent_one("hello");
    person.refuse(hello.id, Refusal::WrongPassword);
    assert_eq!(dialog(&person).refused, Some(Trouble::Refused(Refusal::WrongPassword)));
}
