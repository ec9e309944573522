//! What the server keeps, and its backups.

use egui::{Grid, RichText, Ui};
use parlor_shared::UnixMillis;
use parlor_shared::reply::Storage;

use super::instead;
use crate::model::{Intent, Model, Order};
use crate::view::theme::{palette, space};
use crate::view::{Screen, form, says};
use crate::words::admin as say;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &Screen, intents: &mut Vec<Intent>) {
    let Some(it) = &model.admin.storage else { return instead(ui, false, "") };
    form::card(ui, say::BACKUPS, |ui| backups(ui, it, model, screen, intents));
    form::card(ui, say::WHAT_IS_KEPT, |ui| figures(ui, it));
}

fn backups(ui: &mut Ui, it: &Storage, model: &Model, screen: &Screen, intents: &mut Vec<Intent>) {
    let colours = palette(ui);
    let moment = |at| says::moment(&screen.calendar, screen.now, at);
    let last = it.last_backup.map_or(say::NO_BACKUP.to_owned(), |it| {
        format!("{}, {}", moment(it.at), say::bytes(it.bytes))
    });
    let next = match it.next_backup_at {
        UnixMillis(0) => say::NEVER.to_owned(),
        at => moment(at),
    };
    pairs(ui, "backups", &[(say::LAST_BACKUP, last), (say::NEXT_BACKUP, next)]);
    if !it.backup_failed.is_empty() {
        form::note(ui, colours.danger_soft, &say::backup_failed(&it.backup_failed));
    }
    ui.add_space(space::XS);
    if model.admin.is_backing_up {
        form::hint(ui, say::BACKING_UP);
    } else if form::main_button(ui, say::BACK_UP_NOW, true).clicked() {
        intents.push(Intent::Order(Order::BackUp));
    }
}

fn figures(ui: &mut Ui, it: &Storage) {
    pairs(
        ui,
        "figures",
        &[
            (say::PEOPLE, say::count(it.users)),
            (say::ROOMS, say::count(it.rooms)),
            (say::EVENTS, say::count(it.events)),
            (say::DATABASE, say::bytes(it.database_bytes)),
            (say::CHATLOGS, say::bytes(it.chatlog_bytes)),
            (say::BACKUPS, say::bytes(it.backup_bytes)),
            (say::FREE, say::bytes(it.free_bytes)),
        ],
    );
}

fn pairs(ui: &mut Ui, id: &str, pairs: &[(&str, String)]) {
    let colours = palette(ui);
    Grid::new(id).num_columns(2).spacing([space::XL, space::XS]).show(ui, |ui| {
        for (what, how_much) in pairs {
            ui.label(RichText::new(*what).color(colours.weak));
            ui.label(RichText::new(how_much).color(colours.text));
            ui.end_row();
        }
    });
}
