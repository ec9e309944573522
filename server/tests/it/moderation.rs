//! Keeping order over sockets: at once, on live connections, and written down.

use parlor_shared::request::{
    Audit, Ban, CancelInvite, EndRoom, Kick, MakeInvite, Mute, SetPolicy, SetRoomRole, Unban,
    Unmute,
};
use parlor_shared::{
    Code, Entry, Fact, InviteId, LOBBY_ID, Network, Refusal, Reply, Request, RoomRole, UnixMillis,
    UserNews,
};

use crate::accounts::{WORD, account, server, shell};
use crate::client::{Client, empty_hello};
use crate::harness::{self, PATIENCE, TestServer};
use crate::hostile::Elsewhere;
use crate::pinned::Pin;

fn ban(client: &mut Client, ban: Ban) -> Result<Reply, Refusal> {
    client.ask(Request::Ban(ban))
}

#[test]
fn a_moderator_mutes_kicks_and_bans_from_the_moment_of_being_one() {
    let (_data, server) = server(|it| it);
    let mut owner = server.guest("Olga");
    let room = owner.create("garden").unwrap().room;
    let (mut moderator, mut member) = (server.guest("Mo"), server.guest("Mia"));
    moderator.join("garden").unwrap();
    member.join("garden").unwrap();
    let user = member.user();
    let mute = |millis| Request::Mute(Mute { user, room: Some(room), millis, reason: None });
    assert_eq!(moderator.ask(mute(None)), Err(Refusal::NotAllowed));
    let role = RoomRole::Moderator;
    let give = Request::SetRoomRole(SetRoomRole { room, user: moderator.user(), role });
    assert_eq!(owner.ask(give), Ok(Reply::Done {}));
    assert_eq!(moderator.ask(mute(None)), Ok(Reply::Done {}), "at once");
    assert_eq!(member.say(room, "m-1", "Hello."), Err(Refusal::Muted { until: None }));
    assert!(member.say(LOBBY_ID, "m-2", "Hello.").is_ok(), "only there");
    assert!(matches!(member.news(), Ok(UserNews::MutedIn { room: Some(it), .. }) if it == room));
    let unmute = Request::Unmute(Unmute { user, room: Some(room) });
    assert_eq!(moderator.ask(unmute), Ok(Reply::Done {}));
    assert!(member.say(room, "m-3", "Hello.").is_ok());

    let kick = Request::Kick(Kick { room, user, reason: None });
    assert_eq!(moderator.ask(kick.clone()), Ok(Reply::Done {}));
    assert_eq!(moderator.ask(kick), Err(Refusal::NoSuchUser));
    owner.say(room, "o-1", "Not for the kicked.").unwrap();
    assert_eq!(member.ping(), Ok(Reply::Pong {}));
    let heard: Vec<_> = std::mem::take(&mut member.events).into();
    assert!(!heard.iter().any(|it| matches!(
        it,
        parlor_shared::Event::Room(it) if matches!(it.fact, Fact::Said { .. }) && it.by == owner.user()
    )));
    assert_eq!(member.say(room, "m-4", "Hello."), Err(Refusal::NoSuchRoom));
    member.join("garden").unwrap();
    let timed = Ban { user: Some(user), room: Some(room), millis: Some(400), ..Ban::default() };
    assert!(ban(&mut moderator, timed).is_ok());
    assert!(matches!(member.join("garden"), Err(Refusal::Banned { until: Some(_) })));
    let over = harness::wait_for(PATIENCE, || member.join("garden").ok());
    assert!(over.is_some(), "a ban for a time ends");

    assert_eq!(owner.ask(Request::EndRoom(EndRoom { room, reason: None })), Ok(Reply::Done {}));
    assert_eq!(member.say(room, "m-5", "Hello."), Err(Refusal::RoomEnded));
    assert!(!member.after(room, parlor_shared::Seq(0)).is_empty(), "it can be read");
    assert_eq!(server.guest("Late").join("garden"), Err(Refusal::RoomEnded));
    server.stop();
}

#[test]
fn who_is_banned_is_out_at_once_on_every_connection() {
    let (data, server) = server(|it| it);
    let mut shell = shell(&server, data.path());
    let mut ann = account(&server, "Ann");
    let mut phone = server.client();
    phone.sign_in("Ann", WORD).unwrap();
    let banned = ban(&mut shell, Ban { user: Some(ann.user()), ..Ban::default() });
    let Ok(Reply::Banned { ban: number }) = banned else { panic!("{banned:?}") };
    for it in [&mut ann, &mut phone] {
        let (after, why) = it.put_out();
        assert_eq!(why, Refusal::Banned { until: None });
        assert!(after.as_millis() < 1_000, "{after:?}");
    }
    let refusal = Err(Refusal::Banned { until: None });
    assert_eq!(server.client().resume(ann.token.unwrap()), refusal);
    assert_eq!(server.client().sign_in("Ann", WORD), refusal);
    assert_eq!(shell.ask(Request::Unban(Unban { ban: number })), Ok(Reply::Done {}));
    server.client().resume(ann.token.unwrap()).unwrap();
    let until =
        |it: &Refusal| matches!(it, Refusal::Banned { until: Some(it) } if *it > UnixMillis(0));
    let timed = Ban { user: Some(ann.user()), millis: Some(400), ..Ban::default() };
    assert!(ban(&mut shell, timed).is_ok());
    assert!(server.client().resume(ann.token.unwrap()).is_err_and(|it| until(&it)));
    let over = harness::wait_for(PATIENCE, || server.client().resume(ann.token.unwrap()).ok());
    assert!(over.is_some(), "a ban for a time ends");
    server.stop();
}

/// Whoever sees to the server can come from there all the same: one of them has to end the ban.
#[test]
fn a_banned_network_is_out_at_once_but_for_its_admins() {
    let (data, server) = server(|it| it);
    let mut shell = shell(&server, data.path());
    let there: std::net::IpAddr = [127, 0, 0, 2].into();
    let from_there = || Client::connect_from(there, server.address);
    let [mut guest, mut admin, mut ann] = [from_there(), from_there(), from_there()];
    guest.hello("Gus").unwrap();
    admin.hello("Ada").unwrap();
    ann.hello("Ann").unwrap();
    ann.register(WORD).unwrap();
    let mut elsewhere = server.guest("Eve");
    let (user, role) = (admin.user(), parlor_shared::Role::Admin);
    let give = Request::SetRole(parlor_shared::request::SetRole { user, role });
    assert!(shell.ask(give).is_ok());
    let all = Ban { network: Network::new([127, 0, 0, 0].into(), 8), ..Ban::default() };
    assert_eq!(ban(&mut shell, all), Err(Refusal::NotYourself), "this machine itself");
    let network = Network::new(there, 32);
    let banned = ban(&mut shell, Ban { network, ..Ban::default() });
    let Ok(Reply::Banned { ban: number }) = banned else { panic!("{banned:?}") };
    for it in [&mut guest, &mut ann] {
        let (after, why) = it.put_out();
        assert_eq!(why, Refusal::Banned { until: None });
        assert!(after.as_millis() < 1_000, "{after:?}");
    }
    let refusal = Err(Refusal::Banned { until: None });
    assert_eq!(from_there().hello("Newcomer"), refusal);
    assert_eq!(from_there().resume(guest.token.unwrap()), refusal);
    assert_eq!(from_there().sign_in("Ann", WORD), refusal);
    server.client().sign_in("Ann", WORD).unwrap();
    assert_eq!(elsewhere.ping(), Ok(Reply::Pong {}));
    assert_eq!(admin.ask(Request::Unban(Unban { ban: number })), Ok(Reply::Done {}));
    from_there().resume(guest.token.unwrap()).unwrap();
    server.stop();
}

/// What may not go over a network in the open.
#[test]
fn from_another_network_secrets_need_tls() {
    let Some(elsewhere) = Elsewhere::new() else { return };
    let data = tempfile::tempdir().unwrap();
    let server = elsewhere.start(data.path(), |it| it);
    let key = crate::tls::key_of(&server);
    let encrypted = |server: &TestServer| {
        let tls = Pin::new(key).client(&[&rustls::version::TLS13]);
        server.client().over(tls)
    };
    let mut plain = server.guest("Plain");
    assert_eq!(plain.register(WORD), Err(Refusal::NeedsTls));
    assert_eq!(server.client().sign_in("Plain", WORD), Err(Refusal::NeedsTls));
    let mut ann = encrypted(&server);
    ann.hello("Ann").unwrap();
    ann.register(WORD).unwrap();
    let token = ann.token.unwrap();
    assert_eq!(server.client().resume(token), Err(Refusal::NeedsTls), "as good as a password");
    encrypted(&server).resume(token).unwrap();
    server.client().resume(plain.token.unwrap()).unwrap();

    let code: Code = server.wait_for_line("Claim code: ").unwrap().parse().unwrap();
    let mut owner = encrypted(&server);
    owner.hello("Olga").unwrap();
    let claim = Request::Claim(parlor_shared::request::Claim { code });
    assert_eq!(plain.ask(claim.clone()), Err(Refusal::NeedsTls));
    assert_eq!(owner.ask(claim), Ok(Reply::Done {}));
    let source = owner.stream.local_addr().unwrap().ip();
    let network = Network::new(source, 24);
    let own = Ban { network, ..Ban::default() };
    assert_eq!(ban(&mut owner, own), Err(Refusal::NotYourself));
    server.stop();

    // The operator may allow it in so many words.
    let server = elsewhere.start(data.path(), |it| it.flag("--allow-plain-passwords"));
    server.client().sign_in("Ann", WORD).unwrap();
    server.stop();
}

#[test]
fn who_may_come_in_is_for_the_policy_and_invitations_to_say() {
    let (data, server) = server(|it| it);
    let mut shell = shell(&server, data.path());
    account(&server, "Ann");
    let set = |shell: &mut Client, entry| {
        let policy = SetPolicy { entry: Some(entry), ..SetPolicy::default() };
        assert!(shell.ask(Request::SetPolicy(policy)).is_ok());
    };
    let invite = |shell: &mut Client, uses, millis| -> (InviteId, Code) {
        match shell.ask(Request::MakeInvite(MakeInvite { uses: Some(uses), millis })) {
            Ok(Reply::Invite { invite, code, .. }) => (invite, code),
            other => panic!("{other:?}"),
        }
    };
    let come = |name: &str, code: Option<Code>| {
        let mut client = server.client();
        let hello = parlor_shared::request::Hello {
            name: Some(name.parse().unwrap()),
            invite: code,
            ..empty_hello()
        };
        client.ask(Request::Hello(hello)).map(drop)
    };
    set(&mut shell, Entry::Registered);
    assert_eq!(come("Ben", None), Err(Refusal::RegisteredOnly));
    server.client().sign_in("Ann", WORD).unwrap();
    set(&mut shell, Entry::Invite);
    assert_eq!(come("Ben", None), Err(Refusal::InviteNeeded));
    let (_, code) = invite(&mut shell, 1, None);
    assert_eq!(come("Ben", Some(code)), Ok(()));
    assert_eq!(come("Cleo", Some(code)), Err(Refusal::CodeUnknown), "used up");
    let (number, code) = invite(&mut shell, 5, None);
    let cancel = Request::CancelInvite(CancelInvite { invite: number });
    assert_eq!(shell.ask(cancel.clone()), Ok(Reply::Done {}));
    assert_eq!(shell.ask(cancel), Err(Refusal::NoSuchInvite));
    assert_eq!(come("Cleo", Some(code)), Err(Refusal::CodeUnknown), "cancelled");
    let (_, code) = invite(&mut shell, 1_000, Some(1));
    let mut number = 0;
    let over = harness::wait_for(PATIENCE, || {
        number += 1;
        (come(&format!("Guest {number}"), Some(code)) == Err(Refusal::CodeUnknown)).then_some(())
    });
    assert!(over.is_some(), "an invitation has an end");
    set(&mut shell, Entry::Open);
    assert_eq!(come("Dan", None), Ok(()));
    server.stop();
}

#[test]
fn every_act_is_written_down_and_nobody_changes_what_is_written() {
    let (data, server) = server(|it| it);
    let mut shell = shell(&server, data.path());
    let mut owner = server.guest("Olga");
    let room = owner.create("garden").unwrap().room;
    let mut member = server.guest("Mia");
    member.join("garden").unwrap();
    let user = member.user();
    let reason = Some("because".parse().unwrap());
    for request in [
        Request::Mute(Mute { user, room: Some(room), millis: None, reason: reason.clone() }),
        Request::Unmute(Unmute { user, room: Some(room) }),
        Request::SetRoomRole(SetRoomRole { room, user, role: RoomRole::Moderator }),
        Request::Kick(Kick { room, user, reason: reason.clone() }),
        Request::EndRoom(EndRoom { room, reason }),
    ] {
        assert!(owner.ask(request.clone()).is_ok(), "{request:?}");
    }
    let policy = SetPolicy { entry: Some(Entry::Invite), ..SetPolicy::default() };
    assert!(shell.ask(Request::SetPolicy(policy)).is_ok());
    assert!(ban(&mut shell, Ban { user: Some(user), ..Ban::default() }).is_ok());
    let written = match shell.ask(Request::Audit(Audit::default())) {
        Ok(Reply::Audit { entries, more: false }) => entries,
        other => panic!("{other:?}"),
    };
    let acts: Vec<_> = written.iter().map(|it| it.act.as_str()).collect();
    let expected = ["mute", "unmute", "set_room_role", "kick", "end_room", "set_policy", "ban"];
    assert_eq!(acts, expected);
    assert!(written.windows(2).all(|it| it[0].entry + 1 == it[1].entry));
    let kick = &written[3];
    let who = kick.who.as_ref().map(|it| it.as_str());
    assert_eq!(
        (kick.by, kick.user, who, kick.room),
        (owner.user(), Some(user), Some("Mia"), Some(room))
    );
    assert!(kick.says.contains("because"), "{kick:?}");
    assert_eq!(owner.ask(Request::Audit(Audit::default())), Err(Refusal::NotAllowed));
    server.stop();
    let db = rusqlite::Connection::open(data.path().join("parlor.sqlite")).unwrap();
    let error = db.execute("UPDATE audit SET says = 'nothing'", []).unwrap_err();
    assert!(error.to_string().contains("append-only"), "{error}");
}
