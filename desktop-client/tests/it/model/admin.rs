//! What admins see and do, list by list.

use parlor_desktop::model::{
    AdminWish, Effect, HostNews, Intent, News, Order, Section, Stage, Trouble,
};
use parlor_shared::reply::{AuditEntry, Storage, UserEntry};
use parlor_shared::{Code, Policy, Refusal, Reply, Request, Role, UnixMillis, UserId};

use super::person::{Person, lobby, welcome};

fn look(person: &mut Person, section: Section) {
    person.want(Intent::Admin(AdminWish::Look(section)));
}

fn user(id: u64) -> UserEntry {
    UserEntry {
        user: UserId(id),
        name: format!("User {id}").parse().expect("a name"),
        role: Role::Member,
        account: true,
        here: false,
        seen_at: UnixMillis(0),
        banned: false,
        muted: false,
    }
}

fn audit(entry: u64) -> AuditEntry {
    AuditEntry {
        entry,
        at: UnixMillis(entry),
        by: UserId(1),
        name: "Ann".parse().expect("a name"),
        act: "kick".to_owned(),
        user: None,
        who: None,
        room: None,
        says: String::new(),
    }
}

#[test]
fn users_come_in_pages_and_can_be_found() {
    let mut person = Person::in_lobby(0, 0);
    look(&mut person, Section::Users);
    let ask = person.sent_one("users");
    person.answer(ask.id, Reply::Users { users: vec![user(1), user(2)], more: true });
    person.want(Intent::Admin(AdminWish::More(Section::Users)));
    let ask = person.sent_one("users");
    let Request::Users(users) = &ask.request else { panic!() };
    assert_eq!(users.after, Some(UserId(2)));
    person.answer(ask.id, Reply::Users { users: vec![user(3)], more: false });
    let shown = person.model.admin.users.as_ref().expect("users");
    assert_eq!((shown.entries.len(), shown.more), (3, false));
    person.want(Intent::Admin(AdminWish::FindUsers("us".to_owned())));
    let ask = person.sent_one("users");
    let Request::Users(users) = &ask.request else { panic!() };
    assert_eq!((users.after, users.find.as_ref().map(|it| it.as_str())), (None, Some("us")));
    person.answer(ask.id, Reply::Users { users: vec![user(9)], more: false });
    assert_eq!(person.model.admin.users.as_ref().map(|it| it.entries.len()), Some(1));
}

#[test]
fn what_is_typed_while_an_answer_is_on_its_way_is_asked_for_after_it() {
    let mut person = Person::in_lobby(0, 0);
    look(&mut person, Section::Users);
    let first = person.sent_one("users");
    person.want(Intent::Admin(AdminWish::FindUsers("b".to_owned())));
    person.want(Intent::Admin(AdminWish::FindUsers("bo".to_owned())));
    assert_eq!(person.sent(), []);
    person.answer(first.id, Reply::Users { users: Vec::new(), more: false });
    let Request::Users(users) = person.sent_one("users").request else { panic!() };
    assert_eq!(users.find.as_ref().map(|it| it.as_str()), Some("bo"));
}

#[test]
fn the_whole_audit_is_saved_as_lines() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::Admin(AdminWish::SaveAudit));
    let ask = person.sent_one("audit");
    person.answer(ask.id, Reply::Audit { entries: vec![audit(3), audit(4)], more: true });
    let ask = person.sent_one("audit");
    let Request::Audit(older) = &ask.request else { panic!() };
    assert_eq!(older.before, Some(3));
    person.answer(ask.id, Reply::Audit { entries: vec![audit(1), audit(2)], more: false });
    let files: Vec<_> = person
        .effects
        .iter()
        .filter_map(|it| if let Effect::WriteFile { text, .. } = it { Some(text) } else { None })
        .collect();
    let lines: Vec<_> = files[0].as_str().lines().collect();
    assert_eq!(lines.len(), 4);
    let first: AuditEntry = serde_json::from_str(lines[0]).expect("an entry");
    assert_eq!(first.entry, 1);
    assert!(!person.model.admin.is_saving_audit);
}

#[test]
fn a_code_for_somebody_is_shown_once_and_forgotten() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::Order(Order::MakeResetCode(UserId(9))));
    let ask = person.sent_one("make_reset_code");
    let code = Code::from_random([7; 10]);
    person.answer(ask.id, Reply::ResetCode { code, until: UnixMillis(9) });
    assert_eq!(person.model.admin.reset_code.map(|it| it.0), Some(UserId(9)));
    assert!(!format!("{person:?}").contains(&code.to_string()));
    person.want(Intent::Admin(AdminWish::ForgetCodes));
    assert_eq!(person.model.admin.reset_code, None);
}

#[test]
fn a_changed_list_is_asked_for_anew() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::Order(Order::Unban(parlor_shared::BanId(1))));
    let ask = person.sent_one("unban");
    person.answer(ask.id, Reply::Done {});
    person.sent_one("bans");
}

#[test]
fn a_backup_shows_among_the_figures_once_it_is_made() {
    let mut person = Person::in_lobby(0, 0);
    person.want(Intent::Order(Order::BackUp));
    let ask = person.sent_one("back_up");
    person.answer(ask.id, Reply::Done {});
    assert!(person.model.admin.is_backing_up);
    let ask = person.sent_one("storage");
    person.answer(ask.id, Reply::Storage(Box::default()));
    assert!(person.model.admin.is_backing_up);
    look(&mut person, Section::Storage);
    let ask = person.sent_one("storage");
    let made = parlor_shared::reply::BackupMade { at: UnixMillis(5), bytes: 9 };
    let storage = Storage { last_backup: Some(made), ..Storage::default() };
    person.answer(ask.id, Reply::Storage(Box::new(storage)));
    assert!(!person.model.admin.is_backing_up);
}

#[test]
fn the_policy_shown_is_the_one_that_holds() {
    let mut person = Person::in_lobby(0, 0);
    let policy = parlor_shared::request::SetPolicy { backup_keep: Some(3), ..Default::default() };
    person.want(Intent::Order(Order::SetPolicy(policy)));
    let ask = person.sent_one("set_policy");
    let now = Policy { backup_keep: 3, ..Policy::default() };
    person.answer(ask.id, Reply::Policy(now));
    assert_eq!(person.model.admin.policy, Some(now));
}

#[test]
fn announcements_have_ids_that_are_never_used_twice() {
    let mut person = Person::in_lobby(0, 0);
    let mut ids = Vec::new();
    for random in [1, 2] {
        person.random = random;
        person.want(Intent::Order(Order::Announce { text: "Hear!".to_owned() }));
        let Request::Announce(it) = person.sent_one("announce").request else { panic!() };
        ids.push(it.client_id);
    }
    assert_ne!(ids[0], ids[1]);
    person.want(Intent::Order(Order::Announce { text: " ".to_owned() }));
    assert_eq!(person.model.trouble, Some(Trouble::Refused(Refusal::TextEmpty)));
}

/// Whoever starts the chat from the app owns it, without being asked.
#[test]
fn the_one_who_serves_the_chat_claims_it() {
    let code = Code::from_random([7; 10]);
    for is_early in [true, false] {
        let mut person = Person::new();
        person.want(Intent::HostHere { name: "Ann".to_owned() });
        if is_early {
            person.feed(News::Host(HostNews::Unclaimed(code)));
        }
        let address: parlor_desktop::model::Address = "127.0.0.1:7666".parse().expect("one");
        person.feed(News::Host(HostNews::Serving { address, shown: Vec::new() }));
        person.connected();
        person.welcome(welcome(vec![lobby(0, 0)]));
        if !is_early {
            person.feed(News::Host(HostNews::Unclaimed(code)));
        }
        let ask = person.sent_one("claim");
        let Request::Claim(claim) = &ask.request else { panic!() };
        assert_eq!(claim.code, code);
        person.answer(ask.id, Reply::Done {});
        assert_eq!(person.model.stage, Stage::Talking);
        assert_eq!(person.model.me.as_ref().map(|it| it.role), Some(Role::Owner));
    }
}

#[test]
fn a_code_of_ones_own_server_goes_to_no_other() {
    let mut person = Person::in_lobby(0, 0);
    person.feed(News::Host(HostNews::Unclaimed(Code::from_random([7; 10]))));
    assert_eq!(person.sent(), []);
}
