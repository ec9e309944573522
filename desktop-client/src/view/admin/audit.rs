//! Who did what to keep order, the newest first.

use egui::Ui;
use parlor_shared::UserId;
use parlor_shared::reply::AuditEntry;

use super::{instead, row};
use crate::model::{AdminWish, FileNews, Intent, Model, Section};
use crate::view::theme::palette;
use crate::view::{Screen, form, says};
use crate::words::{self, account, admin as say};

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &Screen, intents: &mut Vec<Intent>) {
    let colours = palette(ui);
    ui.horizontal_wrapped(|ui| {
        if model.admin.is_saving_audit {
            form::hint(ui, say::SAVING);
        } else if ui.button(say::SAVE_AUDIT).clicked() {
            intents.push(Intent::Admin(AdminWish::SaveAudit));
        }
    });
    match &model.file {
        Some(FileNews::Written { path }) => {
            form::note(ui, colours.accent_soft, &account::file_saved(path));
        }
        Some(FileNews::Failed { says }) => {
            form::note(ui, colours.danger_soft, &account::file_failed(says));
        }
        None => {}
    }
    let audit = model.admin.audit.as_ref();
    let Some(audit) = audit.filter(|it| !it.entries.is_empty()) else {
        return instead(ui, audit.is_some(), say::NOTHING_DONE);
    };
    for it in audit.entries.iter().rev() {
        show(ui, it, model, screen);
    }
    if audit.more && !model.admin.is_saving_audit && ui.button(say::OLDER).clicked() {
        intents.push(Intent::Admin(AdminWish::More(Section::Audit)));
    }
}

fn show(ui: &mut Ui, it: &AuditEntry, model: &Model, screen: &Screen) {
    let by = if it.by == UserId(0) { say::SHELL } else { it.name.as_str() };
    let mut first = format!("{by} {}", say::act(&it.act));
    if let Some(who) = &it.who {
        first = format!("{first}: {who}");
    }
    let mut second = vec![says::moment(&screen.calendar, screen.now, it.at)];
    if let Some(room) = it.room {
        let listed = model.directory.get(&room).map(|it| format!("#{}", it.name));
        second.extend(listed.or_else(|| model.rooms.get(&room).map(|it| format!("#{}", it.name))));
    }
    if !it.says.is_empty() {
        second.push(it.says.clone());
    }
    row(ui, (&first, &second.join(words::BETWEEN)), |_| {});
}
