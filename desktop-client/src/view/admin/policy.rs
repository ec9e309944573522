//! How the server is run: who may come in, when backups are made; and what is said to everybody.

use egui::{Margin, RichText, TextEdit, Ui};
use parlor_shared::request::SetPolicy;
use parlor_shared::{Entry, Policy};

use super::instead;
use crate::model::{Intent, Model, Order};
use crate::view::theme::{palette, size, space};
use crate::view::{Screen, form};
use crate::words::admin as say;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    match &model.admin.policy {
        Some(policy) => {
            form::card(ui, say::WHO_MAY, |ui| entry(ui, *policy, intents));
            form::card(ui, say::BACKUP_POLICY, |ui| backups(ui, *policy, screen, intents));
        }
        None => instead(ui, false, ""),
    }
    form::card(ui, say::ANNOUNCE, |ui| announce(ui, screen, intents));
}

fn set(policy: SetPolicy, intents: &mut Vec<Intent>) {
    intents.push(Intent::Order(Order::SetPolicy(policy)));
}

fn entry(ui: &mut Ui, policy: Policy, intents: &mut Vec<Intent>) {
    for it in [Entry::Open, Entry::Registered, Entry::Invite] {
        let (says, explained) = say::entry(it);
        if form::radio(ui, policy.entry == it, says) && policy.entry != it {
            set(SetPolicy { entry: Some(it), ..SetPolicy::default() }, intents);
        }
        ui.indent(says, |ui| form::hint(ui, explained));
    }
}

fn backups(ui: &mut Ui, policy: Policy, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let form = &mut screen.admin;
    let hours = form.hours.get_or_insert_with(|| policy.backup_hours.to_string());
    form::field(ui, say::HOURS, hours, "");
    let backup_hours: Option<u64> = hours.trim().parse().ok();
    let keep = form.keep.get_or_insert_with(|| policy.backup_keep.to_string());
    form::field(ui, say::KEEP, keep, "");
    let backup_keep: Option<u64> = keep.trim().parse().ok();
    let is_other =
        backup_hours != Some(policy.backup_hours) || backup_keep != Some(policy.backup_keep);
    let may = backup_hours.is_some() && backup_keep.is_some() && is_other;
    ui.add_space(space::XS);
    if form::main_button(ui, say::SAVE, may).clicked() {
        (form.hours, form.keep) = (None, None);
        set(SetPolicy { entry: None, backup_hours, backup_keep }, intents);
    }
}

fn announce(ui: &mut Ui, screen: &mut Screen, intents: &mut Vec<Intent>) {
    form::hint(ui, say::ANNOUNCE_EXPLAINED);
    let text = &mut screen.admin.announcement;
    let colours = palette(ui);
    let label = ui.label(RichText::new(say::ANNOUNCEMENT).size(size::SMALL).color(colours.text));
    let field = TextEdit::multiline(text)
        .desired_rows(2)
        .margin(Margin::symmetric(space::M as i8, space::S as i8))
        .desired_width(f32::INFINITY);
    ui.add(field).labelled_by(label.id);
    ui.add_space(space::XS);
    if form::main_button(ui, say::ANNOUNCE_NOW, !text.trim().is_empty()).clicked() {
        let text = std::mem::take(text);
        intents.push(Intent::Order(Order::Announce { text }));
    }
}
