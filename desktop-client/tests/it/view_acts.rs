//! Keeping order, and what it looks like to those whom it concerns, by accessible label.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use parlor_desktop::model::{Intent, Order, Whom};
use parlor_desktop::words::{self, acts as say, notices};
use parlor_shared::{Fact, Nth, Role as ServerRole, RoomEvent, RoomRole, Seq, UnixMillis, UserId};

use crate::view_scene::{EVENING, LOBBY, account, room, talking, text, user_name};
use crate::view_stage::{Stage, labels, stage};

fn click(stage: &mut Stage, label: &str) {
    stage.get_by_label(label).click();
    stage.run();
}

fn says(stage: &Stage, part: &str) -> bool {
    labels(stage).iter().any(|it| it.contains(part))
}

/// In a room of one's own called "tea", with Ben in it.
fn in_room(mine: RoomRole, theirs: RoomRole) -> Stage {
    let mut model = talking("Ann");
    let tea = parlor_shared::RoomId(4);
    let mut it = parlor_desktop::model::Room::new(crate::view_scene::room_name("tea"));
    it.role = mine;
    for (user, name, role) in [(1, "Ann", mine), (2, "Ben", theirs)] {
        let name = user_name(name);
        let member = parlor_desktop::model::Member { name, here: true, role, muted: false };
        it.members.insert(UserId(user), member);
    }
    model.rooms.insert(tea, it);
    model.selected = Some(tea);
    stage(model)
}

const TEA: parlor_shared::RoomId = parlor_shared::RoomId(4);

fn ben(role: RoomRole) -> String {
    let entry = words::member_entry("Ben", true, false);
    match role {
        RoomRole::Member => entry,
        RoomRole::Moderator | RoomRole::Owner => {
            say::member_with_role(&entry, notices::room_role(role))
        }
    }
}

#[test]
fn only_what_one_may_do_is_offered() {
    let stage = in_room(RoomRole::Member, RoomRole::Member);
    assert!(stage.query_by_role_and_label(Role::Button, &ben(RoomRole::Member)).is_none());
    let mut stage = in_room(RoomRole::Moderator, RoomRole::Member);
    click(&mut stage, &ben(RoomRole::Member));
    for (label, is_offered) in [
        (say::KICK, true),
        (say::BAN, true),
        (say::MUTE, true),
        (say::ERASE, true),
        (say::MAKE_MODERATOR, false),
        (say::UNMUTE, false),
    ] {
        assert_eq!(stage.query_by_label(label).is_some(), is_offered, "{label}");
    }
    let stage = in_room(RoomRole::Moderator, RoomRole::Owner);
    assert!(stage.query_by_role_and_label(Role::Button, &ben(RoomRole::Owner)).is_none());
    assert!(says(&stage, "Ben, here, owner"), "the badge is said");
}

#[test]
fn a_kick_is_asked_about_with_a_reason() {
    let mut stage = in_room(RoomRole::Owner, RoomRole::Member);
    click(&mut stage, &ben(RoomRole::Member));
    click(&mut stage, say::KICK);
    assert!(says(&stage, "Remove Ben from tea?"));
    assert_eq!(stage.state_mut().wishes(), [], "not before it was answered");
    stage.get_by_role_and_label(Role::TextInput, say::REASON).click();
    stage.run();
    stage.get_by_role_and_label(Role::TextInput, say::REASON).type_text("too loud");
    stage.run();
    click(&mut stage, "Remove");
    let reason = "too loud".to_owned();
    let kick = Order::Kick { room: TEA, user: UserId(2), reason };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(kick)]);
}

#[test]
fn bans_and_mutes_have_a_length() {
    let mut stage = in_room(RoomRole::Owner, RoomRole::Member);
    click(&mut stage, &ben(RoomRole::Member));
    click(&mut stage, say::BAN);
    click(&mut stage, "1 week");
    click(&mut stage, "Ban");
    let (room, millis) = (Some(TEA), Some(7 * 24 * 60 * 60 * 1_000));
    let reason = String::new();
    let ban = Order::Ban { whom: Whom::User(UserId(2)), room, millis, reason: reason.clone() };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(ban)]);

    click(&mut stage, &ben(RoomRole::Member));
    click(&mut stage, say::MUTE);
    click(&mut stage, "For good");
    click(&mut stage, "Mute");
    let mute = Order::Mute { user: UserId(2), room, millis: None, reason };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(mute)]);
}

#[test]
fn an_act_that_was_not_meant_can_be_given_up() {
    let mut stage = in_room(RoomRole::Owner, RoomRole::Member);
    for _ in 0..2 {
        click(&mut stage, &ben(RoomRole::Member));
        click(&mut stage, say::ERASE);
        assert!(says(&stage, "cannot be undone"));
        stage.key_press(egui::Key::Escape);
        stage.run();
        assert!(!says(&stage, "cannot be undone"));
    }
    assert_eq!(stage.state_mut().wishes(), []);
}

#[test]
fn a_muted_member_is_let_write_again_and_roles_are_given() {
    let mut stage = in_room(RoomRole::Owner, RoomRole::Moderator);
    let member = room(&mut stage.state_mut().model, TEA).members.get_mut(&UserId(2));
    member.expect("Ben").muted = true;
    stage.run();
    let entry =
        say::member_with_role(&words::member_entry("Ben", true, false), words::admin::MUTED);
    click(&mut stage, &entry);
    click(&mut stage, say::UNMUTE);
    let unmute = Order::Unmute { user: UserId(2), room: Some(TEA) };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(unmute)]);
    click(&mut stage, &entry);
    click(&mut stage, say::MAKE_MEMBER);
    let role = RoomRole::Member;
    let order = Order::GiveRoomRole { room: TEA, user: UserId(2), role };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(order)]);
}

#[test]
fn an_owner_ends_the_room_after_a_question() {
    let mut stage = in_room(RoomRole::Owner, RoomRole::Member);
    click(&mut stage, say::ROOM_ACTS);
    click(&mut stage, say::END_ROOM);
    assert!(says(&stage, "End the room tea?"));
    click(&mut stage, "End the room");
    let end = Order::EndRoom { room: TEA, reason: String::new() };
    assert_eq!(stage.state_mut().wishes(), [Intent::Order(end)]);
    let stage = in_room(RoomRole::Moderator, RoomRole::Member);
    assert!(stage.query_by_label(say::ROOM_ACTS).is_none());
}

#[test]
fn what_was_done_is_told_in_the_timeline() {
    let stage = stage(account::acts());
    for part in [
        "Ann muted Emil until 19:53: shouting",
        "Ann erased everything that Emil had said",
        "Ben is called Benjamin now",
        "Ann made Ben a moderator here",
        notices::ERASED,
        notices::ANNOUNCEMENT,
    ] {
        assert!(says(&stage, part), "{part}: {:?}", labels(&stage));
    }
    assert!(!says(&stage, "BUY MY THINGS"));
}

#[test]
fn whoever_is_muted_reads_why_and_cannot_write() {
    let mut model = account::acts();
    model.own = account::muted();
    let mut stage = stage(model);
    assert!(stage.query_by_role_and_label(Role::MultilineTextInput, words::MESSAGE).is_none());
    assert!(says(&stage, "not write until 19:53. Reason: shouting"), "{:?}", labels(&stage));
    stage.state_mut().screen.now = UnixMillis(EVENING + 61 * 60_000);
    stage.run();
    assert!(stage.query_by_role_and_label(Role::MultilineTextInput, words::MESSAGE).is_some());
}

#[test]
fn an_ended_room_has_no_composer() {
    let mut stage = in_room(RoomRole::Member, RoomRole::Member);
    room(&mut stage.state_mut().model, TEA).is_ended = true;
    stage.run();
    assert!(says(&stage, notices::ROOM_ENDED));
    assert!(stage.query_by_role_and_label(Role::MultilineTextInput, words::MESSAGE).is_none());
}

#[test]
fn an_announcement_and_notices_are_shown_until_they_are_dismissed() {
    let mut model = account::account();
    model.own = account::muted();
    let client_id = crate::view_scene::client_id(900);
    let fact = Fact::Announced { nth: Nth(1), client_id, text: text("A new disk tonight.") };
    let (seq, at, by) = (Seq(1), UnixMillis(EVENING), UserId(2));
    let name = user_name("Ben");
    model.announcement = Some(RoomEvent { room: LOBBY, seq, at, by, name, fact });
    let mut stage = stage(model);
    assert!(says(&stage, "Announcement by Ben: A new disk tonight."));
    click(&mut stage, notices::DISMISS_ANNOUNCEMENT);
    assert!(says(&stage, "You may not write in lobby until 19:53"));
    click(&mut stage, notices::DISMISS_NOTICE);
    click(&mut stage, &notices::all_notices(2));
    assert!(says(&stage, "Ann's telephone"));
    click(&mut stage, notices::DISMISS_ALL);
    let wishes = [
        Intent::DismissAnnouncement,
        Intent::DismissNotice(Some(Seq(1))),
        Intent::DismissNotice(None),
    ];
    assert_eq!(stage.state_mut().wishes(), wishes);
}

#[test]
fn old_messages_and_their_menus_bear_the_present_name() {
    let mut stage = stage(account::acts());
    stage.state_mut().model.me.as_mut().expect("somebody").role = ServerRole::Owner;
    stage.run();
    // Its name in the timeline is that of the last `renamed`, wherever it stands.
    assert!(says(&stage, "Benjamin, here, moderator"));
}
