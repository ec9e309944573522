//! One's own page and the ways to sign in, by what a screen reader says of them.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use parlor_desktop::model::{
    AccountWish, Deed, Entrance, FileNews, Intent, Joining, Model, Outcome, Secret, Told, Trouble,
    Way,
};
use parlor_desktop::view::Page;
use parlor_desktop::words;
use parlor_desktop::words::account as say;
use parlor_shared::request::WhatOfMessages;
use parlor_shared::{Refusal, SessionId};

use crate::view_scene::{account, joining, talking};
use crate::view_stage::{Stage, labels, stage, stage_of};

fn type_into(stage: &mut Stage, role: Role, label: &str, text: &str) {
    stage.get_by_role_and_label(role, label).click();
    stage.run();
    stage.get_by_role_and_label(role, label).type_text(text);
    stage.run();
}

fn click(stage: &mut Stage, label: &str) {
    stage.get_by_label(label).click();
    stage.run();
}

fn by(way: Way) -> Joining {
    let (name, address) = ("Ann".to_owned(), "office".to_owned());
    Joining { name, address, way, ..Joining::default() }
}

fn enter(entrance: Entrance) -> Intent {
    Intent::Enter { name: "Ann".to_owned(), address: "office".to_owned(), entrance }
}

/// The page of this model's person, in a window in which all of it fits.
fn page(model: Model) -> Stage {
    let mut stage = stage_of(model, [1_000.0, 1_600.0]);
    stage.state_mut().screen.page = Some(Page::Account);
    stage.run();
    stage.state_mut().wishes();
    stage
}

fn wish(stage: &mut Stage) -> AccountWish {
    let mut wishes = stage.state_mut().wishes();
    assert_eq!(wishes.len(), 1, "{wishes:?}");
    let Intent::Account(wish) = wishes.remove(0) else { panic!("another wish") };
    wish
}

// ---- The join dialog ----

#[test]
fn a_password_is_behind_dots_until_it_is_asked_for() {
    let mut stage = stage(joining(by(Way::Password)));
    let field = stage.get_by_role_and_label(Role::PasswordInput, words::join::PASSWORD);
    assert!(field.is_focused(), "name and address are there already");
    field.type_text("correct horse");
    stage.run();
    assert!(!labels(&stage).iter().any(|it| it.contains("horse")), "{:?}", labels(&stage));
    click(&mut stage, words::join::SHOW_PASSWORD);
    stage.get_by_role_and_label(Role::TextInput, words::join::PASSWORD);
    click(&mut stage, words::join::SIGN_IN);
    let expected = enter(Entrance::Password(Secret::new("correct horse")));
    assert_eq!(stage.state_mut().wishes(), [expected]);
    // Used, it is nowhere any more: not in the field, and not by undoing.
    stage.get_by_role_and_label(Role::PasswordInput, words::join::PASSWORD).click();
    stage.run();
    stage.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    stage.run();
    assert!(!format!("{:?}", stage.state().screen).contains("horse"));
    assert!(stage.get_by_label(words::join::SIGN_IN).accesskit_node().is_disabled());
}

#[test]
fn a_taken_name_may_be_ones_own() {
    let refused = Some(Trouble::NameTaken { name: "Ann".to_owned(), suggestion: None });
    let mut stage = stage(joining(Joining { refused, ..by(Way::Name) }));
    click(&mut stage, words::join::HAVE_ACCOUNT_OF_NAME);
    assert_eq!(stage.state_mut().wishes(), [Intent::ChooseWay(Way::Password)]);
}

#[test]
fn each_way_leads_to_the_others() {
    for (way, label, to) in [
        (Way::Name, words::join::HAVE_ACCOUNT, Way::Password),
        (Way::Password, words::join::FORGOT, Way::Recover),
        (Way::Password, words::join::AS_GUEST, Way::Name),
        (Way::Recover, words::join::BACK_TO_SIGN_IN, Way::Password),
        (Way::Invite, words::join::HAVE_ACCOUNT, Way::Password),
        (Way::Invite, words::join::WITHOUT_INVITE, Way::Name),
    ] {
        let mut stage = stage_of(joining(by(way)), [1_000.0, 1_200.0]);
        click(&mut stage, label);
        assert_eq!(stage.state_mut().wishes(), [Intent::ChooseWay(to)], "{label}");
    }
}

#[test]
fn a_code_sets_a_new_password() {
    let mut stage = stage_of(joining(by(Way::Recover)), [1_000.0, 1_200.0]);
    type_into(&mut stage, Role::TextInput, words::join::CODE, "2F7K-9QXM-0TRB-V4CD");
    type_into(&mut stage, Role::PasswordInput, words::join::NEW_PASSWORD, "correct horse");
    click(&mut stage, words::join::RECOVER);
    let code = Secret::new("2F7K-9QXM-0TRB-V4CD");
    let recover = enter(Entrance::Recover { code, password: Secret::new("correct horse") });
    assert_eq!(stage.state_mut().wishes(), [recover]);
    type_into(&mut stage, Role::TextInput, words::join::MAIL_ADDRESS, "ann@example.org");
    click(&mut stage, words::join::SEND_CODE);
    let (address, email) = ("office".to_owned(), "ann@example.org".to_owned());
    assert_eq!(stage.state_mut().wishes(), [Intent::MailCode { address, email }]);
}

#[test]
fn an_invitation_is_a_code_beside_the_name() {
    let mut stage = stage(joining(by(Way::Invite)));
    type_into(&mut stage, Role::TextInput, words::join::INVITATION, "2F7K");
    click(&mut stage, words::JOIN);
    assert_eq!(stage.state_mut().wishes(), [enter(Entrance::Invite(Secret::new("2F7K")))]);
}

#[test]
fn what_keeps_one_out_is_said_in_plain_words() {
    let until = Some(parlor_shared::UnixMillis(crate::view_scene::EVENING + 60_000));
    for (trouble, says) in [
        (Trouble::Refused(Refusal::Throttled { retry_millis: 170_000 }), "in 3 minutes"),
        (Trouble::Banned { until }, "until 18:54"),
        (Trouble::Banned { until: None }, "You are banned"),
        (Trouble::Refused(Refusal::RegisteredOnly), "Only people with an account"),
        (Trouble::Refused(Refusal::InviteNeeded), "need an invitation"),
        (Trouble::Refused(Refusal::NeedsTls), "encrypted"),
        (Trouble::Refused(Refusal::Busy), "busy"),
        (Trouble::Refused(Refusal::CodeUnknown), "wrong, was used already"),
        (Trouble::Refused(Refusal::WrongPassword), "name or the password is wrong"),
    ] {
        let joining = joining(Joining { refused: Some(trouble.clone()), ..by(Way::Password) });
        let stage = stage(joining);
        assert!(labels(&stage).iter().any(|it| it.contains(says)), "{trouble:?}");
    }
    for (told, says) in
        [(Told::Mailed, words::join::CODE_MAILED), (Told::Deleted, words::join::ACCOUNT_DELETED)]
    {
        let stage = stage(joining(Joining { told: Some(told), ..by(Way::Recover) }));
        assert!(stage.query_by_label(says).is_some(), "{told:?}");
    }
}

// ---- The page ----

#[test]
fn ones_own_name_opens_the_page() {
    let mut stage = stage(talking("Ann"));
    click(&mut stage, &say::your_account("Ann"));
    let asked = [Intent::Account(AccountWish::Forget), Intent::Account(AccountWish::Look)];
    assert_eq!(stage.state_mut().wishes(), asked);
    assert!(stage.query_by_label(say::GUEST).is_some());
    click(&mut stage, words::BACK_TO_CHAT);
    assert!(stage.query_by_label(say::GUEST).is_none());
}

#[test]
fn a_guest_registers_with_a_password_and_perhaps_an_address() {
    let mut stage = page(talking("Ann"));
    click(&mut stage, say::REGISTER);
    type_into(&mut stage, Role::PasswordInput, words::join::PASSWORD, "correct horse");
    type_into(&mut stage, Role::TextInput, say::MAIL_OPTIONAL, "ann@example.org");
    click(&mut stage, say::REGISTER);
    let (password, email) = (Secret::new("correct horse"), "ann@example.org".to_owned());
    assert_eq!(wish(&mut stage), AccountWish::Register { password, email });
    let why = Err(Trouble::Refused(Refusal::PasswordWeak));
    stage.state_mut().model.account.outcome = Some((Deed::Register, why));
    stage.run();
    assert!(labels(&stage).iter().any(|it| it.contains("too easy to guess")));
}

#[test]
fn recovery_codes_stay_until_one_has_them() {
    let mut stage = stage(account::codes());
    let code = account::code(29).to_string();
    assert!(stage.query_by_label(&code).is_some(), "{:?}", labels(&stage));
    click(&mut stage, say::COPY_CODES);
    assert!(stage.query_by_label(say::COPIED).is_some());
    click(&mut stage, say::SAVE_CODES);
    let wishes = stage.state_mut().wishes();
    let [Intent::SaveFile { text, .. }] = &wishes[..] else { panic!("{wishes:?}") };
    assert!(text.as_str().contains(&code) && text.as_str().contains("Ann"));
    assert!(!format!("{wishes:?}").contains(&code));
    let path = "Documents/codes.txt".to_owned();
    stage.state_mut().model.file = Some(FileNews::Written { path });
    stage.run();
    assert!(labels(&stage).iter().any(|it| it.contains("Documents/codes.txt")));
    stage.key_press(egui::Key::Escape);
    stage.run();
    click(&mut stage, say::CODES_KEPT);
    assert_eq!(wish(&mut stage), AccountWish::CodesKept);
}

#[test]
fn a_password_is_changed_by_who_knows_the_old_one() {
    let mut stage = page(account::account());
    click(&mut stage, say::CHANGE_PASSWORD);
    type_into(&mut stage, Role::PasswordInput, say::OLD_PASSWORD, "old password");
    type_into(&mut stage, Role::PasswordInput, words::join::NEW_PASSWORD, "new password");
    click(&mut stage, say::CHANGE_PASSWORD);
    let (old, new) = (Secret::new("old password"), Secret::new("new password"));
    assert_eq!(wish(&mut stage), AccountWish::ChangePassword { old, new });
    let outcome = Some((Deed::ChangePassword, Ok(Outcome::SessionsEnded(2))));
    stage.state_mut().model.account.outcome = outcome;
    stage.run();
    assert!(labels(&stage).iter().any(|it| it.contains("2 other devices are signed out")));
    assert!(
        stage.query_by_role_and_label(Role::PasswordInput, say::OLD_PASSWORD).is_none(),
        "the form is closed"
    );
}

#[test]
fn the_name_the_codes_and_the_address_have_their_forms() {
    let mut stage = page(account::account());
    click(&mut stage, say::CHANGE_NAME);
    type_into(&mut stage, Role::TextInput, say::NEW_NAME, "Anna");
    click(&mut stage, say::SAVE);
    assert_eq!(wish(&mut stage), AccountWish::Rename { name: "Anna".to_owned() });

    click(&mut stage, say::NEW_CODES);
    type_into(&mut stage, Role::PasswordInput, say::OLD_PASSWORD, "correct horse");
    stage.key_press(egui::Key::Enter);
    stage.run();
    let password = Secret::new("correct horse");
    assert_eq!(wish(&mut stage), AccountWish::NewCodes { password: password.clone() });

    type_into(&mut stage, Role::TextInput, words::join::CODE, "2F7K");
    click(&mut stage, say::CONFIRM);
    assert_eq!(wish(&mut stage), AccountWish::VerifyEmail { code: Secret::new("2F7K") });

    click(&mut stage, say::SET_MAIL);
    type_into(&mut stage, Role::PasswordInput, say::OLD_PASSWORD, "correct horse");
    click(&mut stage, say::SAVE);
    let email = String::new();
    assert_eq!(wish(&mut stage), AccountWish::SetEmail { password, email });
}

#[test]
fn a_server_that_nobody_owns_is_claimed_with_its_code() {
    let mut stage = page(account::account());
    click(&mut stage, say::CLAIM_CHANGE);
    type_into(&mut stage, Role::TextInput, words::join::CODE, "2F7K 9QXM");
    click(&mut stage, say::CLAIM_BUTTON);
    assert_eq!(wish(&mut stage), AccountWish::Claim { code: Secret::new("2F7K 9QXM") });
    stage.state_mut().model.me.as_mut().expect("somebody").role = parlor_shared::Role::Owner;
    stage.run();
    assert!(stage.query_by_label(say::CLAIM_CHANGE).is_none(), "an owner has nothing to claim");
}

#[test]
fn sessions_can_be_ended_one_by_one_or_all() {
    let mut stage = page(account::account());
    let all = labels(&stage);
    assert!(all.iter().any(|it| it.contains("ann-laptop (this computer)")), "{all:?}");
    assert!(stage.query_by_label(&say::end_session_on("ann-laptop")).is_none());
    click(&mut stage, &say::end_session_on("office-pc"));
    assert_eq!(wish(&mut stage), AccountWish::EndSession(SessionId(3)));
    click(&mut stage, say::END_OTHERS);
    assert_eq!(wish(&mut stage), AccountWish::EndOtherSessions);
}

#[test]
fn an_account_is_deleted_only_on_purpose() {
    let mut stage = page(account::account());
    click(&mut stage, say::DELETE);
    let is_disabled =
        |stage: &Stage| stage.get_by_label(say::DELETE_NOW).accesskit_node().is_disabled();
    type_into(&mut stage, Role::PasswordInput, words::join::PASSWORD, "correct horse");
    assert!(is_disabled(&stage), "the word is missing");
    type_into(&mut stage, Role::TextInput, &say::type_to_delete(), "delete");
    click(&mut stage, say::ERASE_MESSAGES);
    assert!(labels(&stage).iter().any(|it| it.contains("Backups")));
    click(&mut stage, say::DELETE_NOW);
    let (password, messages) = (Secret::new("correct horse"), WhatOfMessages::Erase);
    assert_eq!(wish(&mut stage), AccountWish::Delete { password, messages });
}

#[test]
fn signing_out_says_what_it_means() {
    for (model, says) in
        [(talking("Ann"), say::GUEST_SIGN_OUT), (account::account(), say::ACCOUNT_SIGN_OUT)]
    {
        let mut stage = page(model);
        assert!(stage.query_by_label(says).is_some());
        click(&mut stage, words::SIGN_OUT);
        assert_eq!(stage.state_mut().wishes(), [Intent::SignOut]);
    }
}
