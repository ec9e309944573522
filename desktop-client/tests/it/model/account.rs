//! One's own account, deed by deed.

use parlor_desktop::model::{
    AccountWish, Closed, Deed, Effect, Intent, Keep, LinkNews, Outcome, Secret, Stage, Told,
    Trouble,
};
use parlor_shared::request::WhatOfMessages;
use parlor_shared::{Code, Refusal, Reply, Request, Role};

use super::person::{Person, lobby, welcome};

fn want(person: &mut Person, wish: AccountWish) {
    person.want(Intent::Account(wish));
}

fn register(person: &mut Person, password: &str) {
    let (password, email) = (Secret::new(password), String::new());
    want(person, AccountWish::Register { password, email });
}

fn code(byte: u8) -> Code {
    Code::from_random([byte; 10])
}

fn registered() -> Person {
    let mut person = Person::in_lobby(0, 0);
    register(&mut person, "correct horse");
    let ask = person.sent_one("register");
    let codes = (0..8).map(code).collect();
    person.answer(ask.id, Reply::Registered { codes, mail: false });
    person
}

#[test]
fn registering_shows_the_codes_until_they_are_kept() {
    let mut person = registered();
    assert_eq!(person.model.account.codes.len(), 8);
    let me = person.model.me.as_ref().expect("somebody");
    assert_eq!((me.account, me.role), (true, Role::Member));
    assert_eq!(person.model.account.outcome, Some((Deed::Register, Ok(Outcome::Done))));
    person.link(LinkNews::Closed(Closed::Lost));
    assert_eq!(person.model.account.codes.len(), 8, "a lost connection does not take them");
    want(&mut person, AccountWish::CodesKept);
    assert_eq!(person.model.account.codes, []);
}

#[test]
fn codes_and_passwords_are_never_kept_or_printed() {
    let person = registered();
    let printed = format!("{person:?}");
    assert!(!printed.contains("correct horse"), "{printed}");
    assert!(!printed.contains(&code(1).to_string()), "{printed}");
}

#[test]
fn a_password_that_is_too_short_is_not_even_sent() {
    let mut person = Person::in_lobby(0, 0);
    register(&mut person, "short");
    assert_eq!(person.sent(), []);
    let why = Trouble::Refused(Refusal::PasswordTooShort);
    assert_eq!(person.model.account.outcome, Some((Deed::Register, Err(why))));
}

#[test]
fn one_deed_at_a_time_and_a_no_is_said_where_it_belongs() {
    let mut person = Person::in_lobby(0, 0);
    register(&mut person, "password1");
    let ask = person.sent_one("register");
    register(&mut person, "password1");
    assert_eq!(person.sent(), [], "not twice");
    person.refuse(ask.id, Refusal::PasswordWeak);
    let why = Trouble::Refused(Refusal::PasswordWeak);
    assert_eq!(person.model.account.outcome, Some((Deed::Register, Err(why))));
    assert_eq!(person.model.trouble, None);
}

#[test]
fn a_lost_connection_is_an_answer_too() {
    let mut person = Person::in_lobby(0, 0);
    register(&mut person, "correct horse");
    person.link(LinkNews::Closed(Closed::Lost));
    let outcome = person.model.account.outcome.clone();
    assert_eq!(outcome, Some((Deed::Register, Err(Trouble::NotConnected))));
}

#[test]
fn a_new_name_is_kept_and_shown() {
    let mut person = registered();
    want(&mut person, AccountWish::Rename { name: "Anna".to_owned() });
    let ask = person.sent_one("rename");
    person.answer(ask.id, Reply::Renamed { name: "Anna".parse().expect("a name") });
    assert_eq!(person.model.me.as_ref().map(|it| it.name.as_str()), Some("Anna"));
    let is_kept = |it: &&Keep| matches!(it, Keep::Session(it) if it.name.as_str() == "Anna");
    assert_eq!(person.kept().into_iter().filter(is_kept).count(), 1);
}

#[test]
fn the_page_asks_for_what_it_shows() {
    let mut person = registered();
    want(&mut person, AccountWish::Look);
    let account = person.sent_one("account");
    let sessions = person.sent_one("sessions");
    let email = "ann@example.org".parse().ok();
    person.answer(account.id, Reply::Account { email, verified: false, codes_left: 7 });
    person.answer(sessions.id, Reply::Sessions { sessions: Vec::new() });
    assert_eq!(person.model.account.shown.as_ref().map(|it| it.codes_left), Some(7));
    assert_eq!(person.model.account.sessions, Some(Vec::new()));
}

#[test]
fn a_guest_has_no_account_to_ask_about() {
    let mut person = Person::in_lobby(0, 0);
    want(&mut person, AccountWish::Look);
    let verbs: Vec<_> = person.sent().iter().map(|it| it.request.verb()).collect();
    assert_eq!(verbs, ["sessions"]);
}

#[test]
fn a_deleted_account_leaves_nothing_here() {
    let mut person = registered();
    let (password, messages) = (Secret::new("correct horse"), WhatOfMessages::Erase);
    want(&mut person, AccountWish::Delete { password, messages });
    let ask = person.sent_one("delete_account");
    let Request::DeleteAccount(it) = &ask.request else { panic!() };
    assert!(it.password.is_some());
    person.answer(ask.id, Reply::AccountDeleted {});
    assert!(person.kept().iter().any(|it| matches!(it, Keep::ForgetSession(_))));
    assert!(person.effects.contains(&Effect::Disconnect));
    let Stage::Joining(joining) = &person.model.stage else { panic!("still talking") };
    assert_eq!((joining.told, joining.name.as_str()), (Some(Told::Deleted), ""));
    assert!(person.model.rooms.is_empty());
    assert_eq!(person.model.next_wake(), None);
}

#[test]
fn a_guest_gives_up_the_name_without_a_password() {
    let mut person = Person::in_lobby(0, 0);
    let (password, messages) = (Secret::default(), WhatOfMessages::Keep);
    want(&mut person, AccountWish::Delete { password, messages });
    let Request::DeleteAccount(it) = person.sent_one("delete_account").request else { panic!() };
    assert_eq!(it.password, None);
}

#[test]
fn whether_one_has_an_account_is_known_without_a_connection() {
    let mut person = Person::in_lobby(0, 0);
    person.link(LinkNews::Closed(Closed::Lost));
    person.want(Intent::ConnectNow);
    person.connected();
    person.welcome(parlor_shared::Welcome { account: true, ..welcome(vec![lobby(0, 0)]) });
    let is_kept = |it: &&Keep| matches!(it, Keep::Own { own, .. } if own.account);
    assert!(person.kept().into_iter().filter(is_kept).count() > 0);
}

#[test]
fn whoever_has_the_claim_code_is_the_owner() {
    let mut person = Person::in_lobby(0, 0);
    want(&mut person, AccountWish::Claim { code: Secret::new("not a code") });
    assert_eq!(person.sent(), []);
    want(&mut person, AccountWish::Claim { code: Secret::new(&code(3).to_string()) });
    let ask = person.sent_one("claim");
    person.answer(ask.id, Reply::Done {});
    assert_eq!(person.model.me.as_ref().expect("somebody").role, Role::Owner);
    assert_eq!(person.model.account.outcome, Some((Deed::Claim, Ok(Outcome::Done))));
}
