//! The app without its window against the real server: accounts, several devices, keeping order.

use parlor_desktop::model::{
    AccountWish, AdminWish, Deed, Entrance, HostNews, Intent, Model, News, Order, Secret, Section,
    Stage, What,
};
use parlor_shared::{LOBBY_ID, Role, RoomId, UserId, UserNews};

use crate::whole::{Headless, Served, all_talk, wait};

const PASSWORD: &str = "unrelated words in a row";

fn me(model: &Model) -> Option<(&str, Role, bool)> {
    model.me.as_ref().map(|it| (it.name.as_str(), it.role, it.account))
}

fn join(app: &mut Headless, name: &str, served: &Served) {
    app.want(Intent::Join { name: name.to_owned(), address: served.address() });
}

fn sign_in(app: &mut Headless, name: &str, served: &Served) {
    let entrance = Entrance::Password(Secret::new(PASSWORD));
    let (name, address) = (name.to_owned(), served.address());
    app.want(Intent::Enter { name, address, entrance });
}

fn is_online(app: &Headless) -> bool {
    app.model.link == parlor_desktop::model::LinkState::Online
}

fn is_done(model: &Model, deed: Deed) -> bool {
    matches!(&model.account.outcome, Some((it, Ok(_))) if *it == deed)
}

fn register(apps: &mut [Headless]) {
    let (password, email) = (Secret::new(PASSWORD), String::new());
    apps[0].want(Intent::Account(AccountWish::Register { password, email }));
    wait(apps, "she has her codes", |apps| apps[0].model.account.codes.len() == 8);
}

/// As the app does it for who starts the chat with it.
fn own(apps: &mut [Headless], served: &Served) {
    let address = apps[0].model.server.clone().expect("a server");
    apps[0].feed(News::Host(HostNews::Serving { address, shown: Vec::new() }));
    let code = served.claim.expect("nobody owns it yet");
    apps[0].feed(News::Host(HostNews::Unclaimed(code)));
    wait(apps, "she owns it", |apps| {
        apps[0].model.me.as_ref().is_some_and(|it| it.role == Role::Owner)
    });
}

#[test]
fn an_account_is_the_same_on_every_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::start(&folder.path().join("server"));
    let profile = |name: &str| folder.path().join(name);
    let mut apps = vec![Headless::open(&profile("laptop")), Headless::open(&profile("ben"))];
    join(&mut apps[0], "Ann", &served);
    join(&mut apps[1], "Ben", &served);
    wait(&mut apps, "both are in", |apps| all_talk(apps) && apps.iter().all(is_online));
    register(&mut apps);
    assert_eq!(me(&apps[0].model), Some(("Ann", Role::Member, true)));
    let code = apps[0].model.account.codes[0].to_string();
    apps[0].want(Intent::Account(AccountWish::CodesKept));

    // Another device of hers, which has never been there.
    apps.push(Headless::open(&profile("telephone")));
    sign_in(&mut apps[2], "Ann", &served);
    wait(&mut apps, "she is in twice", |apps| all_talk(apps) && apps.iter().all(is_online));
    wait(&mut apps, "the first one is told", |apps| {
        let notices = &apps[0].model.own.notices;
        notices.iter().any(|it| matches!(it.news, UserNews::SessionBegan { .. }))
    });
    apps[0].want(Intent::OpenRoom { name: "tea".to_owned() });
    wait(&mut apps, "the room is on both", |apps| apps[2].model.rooms.len() == 2);

    // What was said is read on one, and so on the other.
    for number in 0..3 {
        apps[1].want(Intent::Say { room: LOBBY_ID, text: format!("word {number}") });
    }
    wait(&mut apps, "everybody heard it", |apps| apps.iter().all(|it| it.texts().len() == 3));
    assert_eq!(apps[0].model.rooms[&LOBBY_ID].unread(), 3);
    let seq = apps[2].model.rooms[&LOBBY_ID].timeline.last_seq();
    apps[2].want(Intent::Seen { room: LOBBY_ID, seq });
    wait(&mut apps, "it is read", |apps| apps[0].model.rooms[&LOBBY_ID].unread() == 0);

    // Another name, and what was said before follows it.
    apps[0].want(Intent::Say { room: LOBBY_ID, text: "mine".to_owned() });
    wait(&mut apps, "it is heard", |apps| apps.iter().all(|it| it.texts().len() == 4));
    apps[0].want(Intent::Account(AccountWish::Rename { name: "Anna".to_owned() }));
    wait(&mut apps, "she is called Anna everywhere", |apps| {
        let rows = &apps[1].model.rooms[&LOBBY_ID].timeline;
        let row = rows.iter().find(|(_, it)| it.text() == Some("mine"));
        let shown = row.map(|(_, it)| apps[1].model.names.of(it.by, &it.name).as_str());
        let on_telephone = me(&apps[2].model).map(|it| it.0);
        shown == Some("Anna") && on_telephone == Some("Anna")
    });

    // The forgotten password: a code sets a new one, and every device is signed out.
    apps.push(Headless::open(&profile("library")));
    let (code, password) = (Secret::new(&code), Secret::new("words that were never used"));
    let (name, address) = ("Anna".to_owned(), served.address());
    let entrance = Entrance::Recover { code, password };
    apps[3].want(Intent::Enter { name, address, entrance });
    wait(&mut apps, "she is in with the new password", |apps| {
        apps[3].model.stage == Stage::Talking && is_online(&apps[3])
    });
    wait(&mut apps, "the others are out", |apps| {
        [0, 2].iter().all(|it| matches!(apps[*it].model.stage, Stage::Joining(_)))
    });
}

#[test]
fn a_wrong_password_is_a_sentence_and_signing_out_ends_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::start(&folder.path().join("server"));
    let mut apps = vec![Headless::open(&folder.path().join("ann"))];
    join(&mut apps[0], "Ann", &served);
    wait(&mut apps, "she is in", |apps| is_online(&apps[0]));
    register(&mut apps);
    apps[0].want(Intent::EditDraft { room: LOBBY_ID, text: "half".to_owned() });
    apps[0].want(Intent::SignOut);
    wait(&mut apps, "she is out", |apps| matches!(apps[0].model.stage, Stage::Joining(_)));
    let entrance = Entrance::Password(Secret::new("something else"));
    let (name, address) = ("Ann".to_owned(), served.address());
    apps[0].want(Intent::Enter { name, address, entrance });
    wait(&mut apps, "it is refused", |apps| match &apps[0].model.stage {
        Stage::Joining(joining) => joining.refused.is_some() && !joining.busy,
        Stage::Talking => panic!("with a wrong password"),
    });
    sign_in(&mut apps[0], "Ann", &served);
    wait(&mut apps, "she is back", |apps| is_online(&apps[0]));
    assert_eq!(apps[0].model.rooms[&LOBBY_ID].draft, "half", "and so is what she wrote");
}

#[test]
fn whoever_started_the_chat_keeps_order_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::start(&folder.path().join("server"));
    let profile = |name: &str| folder.path().join(name);
    let mut apps = vec![Headless::open(&profile("ann")), Headless::open(&profile("ben"))];
    join(&mut apps[0], "Ann", &served);
    join(&mut apps[1], "Ben", &served);
    wait(&mut apps, "both are in", |apps| all_talk(apps) && apps.iter().all(is_online));
    own(&mut apps, &served);
    let ben = apps[1].model.me.as_ref().map(|it| it.user).expect("somebody");

    apps[0].want(Intent::Admin(AdminWish::Look(Section::Users)));
    wait(&mut apps, "she sees everybody", |apps| {
        apps[0].model.admin.users.as_ref().is_some_and(|it| it.entries.len() == 2)
    });
    kick_and_mute(&mut apps, ben);

    // Everything that he said is gone: on the screens, and after a restart.
    apps[1].want(Intent::OpenRoom { name: "his own".to_owned() });
    wait(&mut apps, "he has a room", |apps| apps[1].model.rooms.len() == 2);
    let order = Order::Unmute { user: ben, room: Some(LOBBY_ID) };
    apps[0].want(Intent::Order(order));
    wait(&mut apps, "he may write", |apps| apps[1].model.own.mutes.is_empty());
    apps[1].want(Intent::Say { room: LOBBY_ID, text: "a secret".to_owned() });
    wait(&mut apps, "it is heard", |apps| apps.iter().all(|it| it.texts() == ["a secret"]));
    apps[0].want(Intent::Order(Order::Erase { user: ben, room: None }));
    let is_erased = |it: &Headless| {
        let rows = &it.model.rooms[&LOBBY_ID].timeline;
        it.texts().is_empty() && rows.iter().any(|(_, it)| it.what == What::Blank)
    };
    wait(&mut apps, "it is erased", |apps| apps.iter().all(is_erased));
    apps.truncate(1);
    apps.push(Headless::open(&profile("ben")));
    assert!(is_erased(&apps[1]), "before he is even connected");

    apps[0].want(Intent::Order(Order::Announce { text: "Tea is ready.".to_owned() }));
    wait(&mut apps, "he sees it", |apps| apps[1].model.announcement.is_some());
    apps[0].want(Intent::Admin(AdminWish::Look(Section::Audit)));
    wait(&mut apps, "all of it is in the audit", |apps| {
        let audit = apps[0].model.admin.audit.iter().flat_map(|it| &it.entries);
        let acts: Vec<&str> = audit.map(|it| it.act.as_str()).collect();
        ["claim", "kick", "mute", "erase_messages", "announce"].iter().all(|it| acts.contains(it))
    });
    // The server's ban is the last word.
    let (whom, reason) = (parlor_desktop::model::Whom::User(ben), String::new());
    let ban = Order::Ban { whom, room: None, millis: Some(600_000), reason };
    apps[0].want(Intent::Order(ban));
    wait(&mut apps, "he is out", |apps| match &apps[1].model.stage {
        Stage::Joining(joining) => {
            let refused = joining.refused.as_ref();
            matches!(refused, Some(parlor_desktop::model::Trouble::Banned { until: Some(_) }))
        }
        Stage::Talking => false,
    });
    assert!(!is_done(&apps[0].model, Deed::Delete));
}

fn kick_and_mute(apps: &mut [Headless], ben: UserId) {
    apps[0].want(Intent::OpenRoom { name: "tea".to_owned() });
    wait(apps, "there is a room", |apps| apps[0].model.rooms.len() == 2);
    apps[1].want(Intent::OpenRoom { name: "tea".to_owned() });
    wait(apps, "he is in it", |apps| apps[1].model.rooms.len() == 2);
    let tea: RoomId = *apps[1].model.rooms.keys().find(|it| **it != LOBBY_ID).expect("tea");
    let reason = "spilled it".to_owned();
    apps[0].want(Intent::Order(Order::Kick { room: tea, user: ben, reason }));
    wait(apps, "he is put out, and told why", |apps| {
        let notices = &apps[1].model.own.notices;
        let is_told = notices.iter().any(|it| matches!(it.news, UserNews::PutOut { .. }));
        is_told && !apps[1].model.rooms.contains_key(&tea)
    });
    let (room, millis, reason) = (Some(LOBBY_ID), None, String::new());
    apps[0].want(Intent::Order(Order::Mute { user: ben, room, millis, reason }));
    wait(apps, "he is muted", |apps| {
        let now = parlor_shared::UnixMillis(0);
        apps[1].model.mute_in(LOBBY_ID, now).is_some()
    });
}
