//! Everybody who has a name here.

use egui::Ui;
use parlor_shared::reply::UserEntry;
use parlor_shared::{Role, UserId};

use super::{codes, go_to, instead, row};
use crate::model::{AdminWish, Intent, Model, Order, Section};
use crate::view::acts::{Act, ActForm};
use crate::view::icons::{self, Icon};
use crate::view::{Screen, form, says};
use crate::words::{acts as act, admin as say};

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let find = form::field(ui, say::FIND, &mut screen.admin.find, say::FIND_HINT);
    if find.changed() {
        let find = screen.admin.find.clone();
        intents.push(Intent::Admin(AdminWish::FindUsers(find)));
    }
    let users = model.admin.users.as_ref();
    if let Some((user, code, until)) = &model.admin.reset_code {
        let known = users.and_then(|it| it.entries.iter().find(|it| it.user == *user));
        let who = known.map(|it| it.name.to_string()).unwrap_or_default();
        let until = says::moment(&screen.calendar, screen.now, *until);
        let title = say::code_for(&who, &until);
        codes::ui(ui, (&title, say::CODE_EXPLAINED), &code.to_string(), screen, intents);
    }
    let Some(users) = users.filter(|it| !it.entries.is_empty()) else {
        return instead(ui, users.is_some(), say::NOBODY);
    };
    for it in &users.entries {
        show(ui, it, model, screen, intents);
    }
    if users.more && ui.button(say::MORE).clicked() {
        intents.push(Intent::Admin(AdminWish::More(Section::Users)));
    }
}

fn show(
    ui: &mut Ui,
    it: &UserEntry,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let me = model.me.as_ref();
    let is_me = me.is_some_and(|me| me.user == it.user);
    let mut parts = vec![say::role(it.role, it.account).to_owned()];
    if it.here {
        parts.push(say::HERE.to_owned());
    } else {
        parts.push(say::seen(&says::moment(&screen.calendar, screen.now, it.seen_at)));
    }
    parts.extend(it.banned.then(|| say::BANNED.to_owned()));
    parts.extend(it.muted.then(|| say::MUTED.to_owned()));
    let name =
        if is_me { crate::words::you(it.name.as_str()) } else { it.name.as_str().to_owned() };
    row(ui, (&name, &parts.join(crate::words::BETWEEN)), |ui| {
        let button = icons::button(ui, Icon::More, &say::acts_on(it.name.as_str()));
        egui::Popup::menu(&button).show(|ui| menu(ui, it, model, screen, intents));
    });
}

/// What may be done about somebody: admins act on those below them, owners give the roles.
fn menu(
    ui: &mut Ui,
    it: &UserEntry,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let Some(me) = &model.me else { return };
    let (user, who) = (it.user, it.name.as_str());
    if ui.button(say::SHOW_SESSIONS).clicked() {
        intents.push(Intent::Admin(AdminWish::SessionsOf(user)));
        go_to(screen, Section::Sessions);
        ui.close();
    }
    let is_me = me.user == user;
    let is_below = !is_me && me.role > it.role.min(Role::Owner) && it.role < me.role;
    if is_below {
        over_somebody(ui, it, screen, intents);
    }
    if me.role == Role::Owner || (is_me && me.role.is_admin()) {
        roles(ui, (user, it.role), me.role, intents);
    }
    if is_below && ui.button(act::SERVER_ERASE).clicked() {
        screen.act = Some(ActForm::new(Act::Erase(None, user), who, None));
        ui.close();
    }
}

fn over_somebody(ui: &mut Ui, it: &UserEntry, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let (user, who) = (it.user, it.name.as_str());
    let mut order = |ui: &Ui, order| {
        intents.push(Intent::Order(order));
        ui.close();
    };
    if it.account && ui.button(say::RESET_CODE).clicked() {
        order(ui, Order::MakeResetCode(user));
    }
    if ui.button(say::SIGN_OUT_EVERYWHERE).clicked() {
        order(ui, Order::EndSessionsOf(user));
    }
    ui.separator();
    if it.muted && ui.button(act::SERVER_UNMUTE).clicked() {
        order(ui, Order::Unmute { user, room: None });
    }
    let mut ask = |ui: &Ui, act| {
        screen.act = Some(ActForm::new(act, who, None));
        ui.close();
    };
    if !it.muted && ui.button(act::SERVER_MUTE).clicked() {
        ask(ui, Act::Mute(None, user));
    }
    if !it.banned && ui.button(act::SERVER_BAN).clicked() {
        ask(ui, Act::Ban(None, user));
    }
}

fn roles(ui: &mut Ui, (user, theirs): (UserId, Role), mine: Role, intents: &mut Vec<Intent>) {
    ui.separator();
    let mut give = |ui: &Ui, role| {
        intents.push(Intent::Order(Order::GiveRole { user, role }));
        ui.close();
    };
    if theirs != Role::Admin && mine == Role::Owner && ui.button(say::MAKE_ADMIN).clicked() {
        give(ui, Role::Admin);
    }
    if theirs != Role::Owner && mine == Role::Owner && ui.button(say::MAKE_OWNER).clicked() {
        give(ui, Role::Owner);
    }
    if theirs.is_admin() && ui.button(say::TAKE_ROLE).clicked() {
        give(ui, Role::Member);
    }
}
