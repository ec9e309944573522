//! Where one is signed in.

use egui::{Align, Layout, RichText, Ui};
use parlor_shared::reply::SessionEntry;

use super::outcome;
use crate::model::{AccountWish, Deed, Intent, Model};
use crate::view::theme::{self, palette, size};
use crate::view::{Screen, form, says};
use crate::words::account as say;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some(sessions) = &model.account.sessions else { return };
    form::card(ui, say::SESSIONS, |ui| {
        for session in sessions {
            if row(ui, session, screen, session.this) {
                intents.push(Intent::Account(AccountWish::EndSession(session.session)));
            }
        }
        if sessions.iter().any(|it| !it.this) {
            if ui.button(say::END_OTHERS).clicked() {
                intents.push(Intent::Account(AccountWish::EndOtherSessions));
            }
        } else {
            form::hint(ui, say::NO_OTHER_SESSIONS);
        }
        outcome(ui, model, screen, Deed::EndSessions);
    });
}

/// One session; true when it is to be ended. The one that one looks from ends by signing out.
pub(in crate::view) fn row(
    ui: &mut Ui,
    session: &SessionEntry,
    screen: &Screen,
    is_this: bool,
) -> bool {
    let colours = palette(ui);
    let device = session.device.as_ref().map_or(say::UNNAMED_DEVICE, |it| it.as_str());
    let mut is_ended = false;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !is_this {
                let button = ui.button(RichText::new(say::END_SESSION).size(size::SMALL));
                form::name(&button, egui::Role::Button, &say::end_session_on(device));
                is_ended = button.clicked();
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let shown = if is_this {
                    format!("{device} ({})", say::THIS_DEVICE)
                } else {
                    device.to_owned()
                };
                let shown = RichText::new(shown).font(theme::plain(size::BODY));
                ui.add(egui::Label::new(shown.color(colours.text)).truncate());
                let used = if session.here {
                    say::used_now(&session.address)
                } else {
                    let when = says::moment(&screen.calendar, screen.now, session.used_at);
                    say::last_used(&when, &session.address)
                };
                let used = RichText::new(used).size(size::SMALL).color(colours.weak);
                ui.add(egui::Label::new(used).truncate());
            });
        });
    });
    ui.separator();
    is_ended
}
