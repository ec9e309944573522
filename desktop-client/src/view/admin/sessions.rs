//! Where somebody is signed in.

use egui::{RichText, Ui};

use super::{go_to, instead};
use crate::model::{Intent, Model, Order, Section};
use crate::view::account::session_row;
use crate::view::theme::{self, size};
use crate::view::{Screen, form};
use crate::words::admin as say;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some((user, sessions)) = &model.admin.sessions_of else {
        form::hint(ui, say::WHOSE_SESSIONS);
        if ui.button(say::section(Section::Users)).clicked() {
            go_to(screen, Section::Users);
        }
        return;
    };
    let users = model.admin.users.iter().flat_map(|it| &it.entries);
    let who = users.into_iter().find(|it| it.user == *user).map(|it| it.name.to_string());
    let who = who.unwrap_or_default();
    ui.label(RichText::new(say::sessions_of(&who)).font(theme::strong(size::BODY)));
    let Some(sessions) = sessions.as_ref().filter(|it| !it.is_empty()) else {
        return instead(ui, sessions.is_some(), say::NO_SESSIONS);
    };
    for session in sessions {
        if session_row(ui, session, screen, session.this) {
            intents.push(Intent::Order(Order::EndSession(session.session)));
        }
    }
    if sessions.iter().all(|it| !it.this) && ui.button(say::SIGN_OUT_EVERYWHERE).clicked() {
        intents.push(Intent::Order(Order::EndSessionsOf(*user)));
    }
}
