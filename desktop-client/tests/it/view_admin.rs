//! The page of those who see to the server, by accessible label.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use parlor_desktop::model::{AdminWish, Intent, Order, Section, Whom};
use parlor_desktop::view::Page;
use parlor_desktop::words::{self, acts, admin as say};
use parlor_shared::request::SetPolicy;
use parlor_shared::{BanId, Entry, InviteId, Role as ServerRole, RoomId, SessionId, UserId};

use crate::view_scene::{account, talking};
use crate::view_stage::{Stage, labels, stage, stage_of};

fn click(stage: &mut Stage, label: &str) {
    stage.get_by_label(label).click();
    stage.run();
}

fn says(stage: &Stage, part: &str) -> bool {
    labels(stage).iter().any(|it| it.contains(part))
}

fn type_into(stage: &mut Stage, role: Role, label: &str, text: &str) {
    stage.get_by_role_and_label(role, label).click();
    stage.run();
    stage.get_by_role_and_label(role, label).type_text(text);
    stage.run();
}

fn page(section: Section) -> Stage {
    let mut stage = stage_of(account::owner(), [1_000.0, 1_400.0]);
    stage.state_mut().screen.page = Some(Page::Admin(section));
    stage.run();
    stage.state_mut().wishes();
    stage
}

fn order(stage: &mut Stage) -> Order {
    let mut wishes = stage.state_mut().wishes();
    assert_eq!(wishes.len(), 1, "{wishes:?}");
    let Intent::Order(order) = wishes.remove(0) else { panic!("no order") };
    order
}

#[test]
fn the_page_is_for_those_who_see_to_the_server() {
    let others = stage(talking("Ann"));
    assert!(others.query_by_label(say::TITLE).is_none());
    let mut stage = stage(account::owner());
    click(&mut stage, say::TITLE);
    let look = Intent::Admin(AdminWish::Look(Section::Users));
    assert_eq!(stage.state_mut().wishes(), [Intent::Dismiss, look]);
    for section in Section::ALL {
        stage.get_by_role_and_label(Role::Button, say::section(section)).click();
        stage.run();
        let look = Intent::Admin(AdminWish::Look(section));
        assert_eq!(stage.state_mut().wishes(), [Intent::Dismiss, look]);
        assert!(stage.query_by_label(say::explained(section)).is_some(), "{section:?}");
    }
}

#[test]
fn a_narrow_window_has_all_sections_too() {
    let mut stage = stage_of(account::owner(), [520.0, 740.0]);
    stage.state_mut().screen.page = Some(Page::Admin(Section::Users));
    stage.run();
    stage.state_mut().wishes();
    click(&mut stage, say::section(Section::Policy));
    assert!(stage.query_by_label(say::WHO_MAY).is_some());
}

#[test]
fn people_are_found_and_acted_on() {
    let mut stage = page(Section::Users);
    type_into(&mut stage, Role::TextInput, say::FIND, "ce");
    let found = Intent::Admin(AdminWish::FindUsers("ce".to_owned()));
    assert_eq!(stage.state_mut().wishes(), [found]);
    click(&mut stage, &say::acts_on("Cem Yılmaz"));
    click(&mut stage, say::RESET_CODE);
    assert_eq!(order(&mut stage), Order::MakeResetCode(UserId(3)));
    click(&mut stage, &say::acts_on("Cem Yılmaz"));
    click(&mut stage, say::MAKE_ADMIN);
    let role = ServerRole::Admin;
    assert_eq!(order(&mut stage), Order::GiveRole { user: UserId(3), role });
    click(&mut stage, &say::acts_on("Emil"));
    click(&mut stage, acts::SERVER_UNMUTE);
    assert_eq!(order(&mut stage), Order::Unmute { user: UserId(5), room: None });
    click(&mut stage, &say::acts_on("Emil"));
    click(&mut stage, acts::SERVER_BAN);
    assert!(says(&stage, "Ban Emil from the server?"));
    click(&mut stage, "Ban");
    let Order::Ban { whom, room, .. } = order(&mut stage) else { panic!("another order") };
    assert_eq!((whom, room), (Whom::User(UserId(5)), None));
    click(&mut stage, say::MORE);
    let more = Intent::Admin(AdminWish::More(Section::Users));
    assert_eq!(stage.state_mut().wishes(), [more]);
}

#[test]
fn admins_do_not_act_on_each_other() {
    let mut stage = page(Section::Users);
    stage.state_mut().model.me.as_mut().expect("somebody").role = ServerRole::Admin;
    stage.run();
    click(&mut stage, &say::acts_on("Ben"));
    for label in [acts::SERVER_BAN, say::RESET_CODE, say::TAKE_ROLE, say::MAKE_OWNER] {
        assert!(stage.query_by_label(label).is_none(), "{label}");
    }
    assert!(stage.query_by_label(say::SHOW_SESSIONS).is_some());
}

#[test]
fn a_code_is_shown_once_and_copied_with_one_click() {
    let mut stage = page(Section::Users);
    let code = account::code(7);
    let until = parlor_shared::UnixMillis(crate::view_scene::EVENING + 60_000);
    stage.state_mut().model.admin.reset_code = Some((UserId(3), code, until));
    stage.run();
    assert!(says(&stage, &code.to_string()) && says(&stage, "for Cem Yılmaz, good until 18:54"));
    click(&mut stage, say::COPY);
    assert!(stage.query_by_label(words::account::COPIED).is_some());
    click(&mut stage, say::DONE);
    assert_eq!(stage.state_mut().wishes(), [Intent::Admin(AdminWish::ForgetCodes)]);
}

#[test]
fn sessions_of_somebody_are_ended() {
    let mut stage = page(Section::Sessions);
    assert!(says(&stage, "Where Cem Yılmaz is signed in"));
    click(&mut stage, &words::account::end_session_on("tablet"));
    assert_eq!(order(&mut stage), Order::EndSession(SessionId(5)));
    click(&mut stage, say::SIGN_OUT_EVERYWHERE);
    assert_eq!(order(&mut stage), Order::EndSessionsOf(UserId(3)));
}

#[test]
fn rooms_are_ended_and_bans_too() {
    let mut stage = page(Section::Rooms);
    click(&mut stage, &say::end_room("garden"));
    click(&mut stage, "End the room");
    let reason = String::new();
    assert_eq!(order(&mut stage), Order::EndRoom { room: RoomId(2), reason });
    let mut stage = page(Section::Bans);
    assert!(says(&stage, "from the room garden, until 19:23"));
    click(&mut stage, &say::unban("203.0.113.0/24"));
    assert_eq!(order(&mut stage), Order::Unban(BanId(3)));
    click(&mut stage, say::BAN_NETWORK);
    type_into(&mut stage, Role::TextInput, say::NETWORK, "203.0.113.9");
    click(&mut stage, "Ban");
    let Order::Ban { whom, .. } = order(&mut stage) else { panic!("another order") };
    assert_eq!(whom, Whom::Network("203.0.113.9".to_owned()));
}

#[test]
fn invitations_are_made_and_taken_back() {
    let mut stage = page(Section::Invitations);
    click(&mut stage, "5 people");
    click(&mut stage, "1 week");
    stage.get_by_role_and_label(Role::Button, say::MAKE_INVITE).click();
    stage.run();
    let millis = Some(7 * 24 * 60 * 60 * 1_000);
    assert_eq!(order(&mut stage), Order::MakeInvite { uses: Some(5), millis });
    let back = labels(&stage).into_iter().find(|it| it.starts_with("Take back: "));
    click(&mut stage, &back.expect("one invitation"));
    assert_eq!(order(&mut stage), Order::CancelInvite(InviteId(1)));
}

#[test]
fn the_audit_is_read_back_and_saved() {
    let mut stage = page(Section::Audit);
    assert!(says(&stage, "Ann banned: Emil"));
    assert!(says(&stage, "The server's own machine changed the policy"));
    click(&mut stage, say::OLDER);
    click(&mut stage, say::SAVE_AUDIT);
    let wishes =
        [Intent::Admin(AdminWish::More(Section::Audit)), Intent::Admin(AdminWish::SaveAudit)];
    assert_eq!(stage.state_mut().wishes(), wishes);
}

#[test]
fn a_backup_is_made_at_once() {
    let mut stage = page(Section::Storage);
    assert!(says(&stage, "29.4 MB") && says(&stage, "212 GB"));
    click(&mut stage, say::BACK_UP_NOW);
    assert_eq!(order(&mut stage), Order::BackUp);
    stage.state_mut().model.admin.is_backing_up = true;
    stage.run();
    assert!(stage.query_by_label(say::BACK_UP_NOW).is_none(), "not twice at once");
}

#[test]
fn the_policy_is_changed_with_a_click() {
    let mut stage = page(Section::Policy);
    click(&mut stage, say::entry(Entry::Invite).0);
    let set = SetPolicy { entry: Some(Entry::Invite), ..SetPolicy::default() };
    assert_eq!(order(&mut stage), Order::SetPolicy(set));
    assert!(stage.get_by_label(say::SAVE).accesskit_node().is_disabled(), "nothing changed");
    type_into(&mut stage, Role::MultilineTextInput, say::ANNOUNCEMENT, "Hear!");
    click(&mut stage, say::ANNOUNCE_NOW);
    assert_eq!(order(&mut stage), Order::Announce { text: "Hear!".to_owned() });
}

#[test]
fn figures_are_readable() {
    assert_eq!(say::bytes(999), "999 B");
    assert_eq!(say::bytes(1_500), "1.5 kB");
    assert_eq!(say::bytes(212_000_000_000), "212 GB");
    assert_eq!(say::count(48_213), "48\u{202f}213");
}
