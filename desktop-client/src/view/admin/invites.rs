//! Invitations: made, listed, taken back.

use egui::Ui;

use super::{codes, instead, row, small};
use crate::model::{Intent, Model, Order};
use crate::view::theme::space;
use crate::view::{Screen, form, says};
use crate::words::{acts, admin as say};

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    form::card(ui, say::MAKE_INVITE, |ui| {
        let form = &mut screen.admin;
        choose(ui, say::FOR_HOW_MANY, &say::USES.map(|it| it.1), &mut form.uses);
        choose(ui, acts::HOW_LONG, &say::LIFETIMES.map(|it| it.1), &mut form.lifetime);
        ui.add_space(space::XS);
        if form::main_button(ui, say::MAKE_INVITE, true).clicked() {
            let uses = say::USES.get(form.uses).map(|it| it.0);
            let millis = say::LIFETIMES.get(form.lifetime).map(|it| it.0);
            intents.push(Intent::Order(Order::MakeInvite { uses, millis }));
        }
    });
    if let Some((_, code, until)) = &model.admin.invite_made {
        let title = say::invite_until(&says::moment(&screen.calendar, screen.now, *until));
        codes::ui(ui, (&title, say::INVITE_EXPLAINED), &code.to_string(), screen, intents);
    }
    let invites = model.admin.invites.as_ref();
    let Some(invites) = invites.filter(|it| !it.is_empty()) else {
        return instead(ui, invites.is_some(), say::NO_INVITES);
    };
    for it in invites {
        let until = says::moment(&screen.calendar, screen.now, it.until);
        let made = says::moment(&screen.calendar, screen.now, it.made_at);
        let first = say::invite(it.name.as_str(), it.uses_left, &until);
        row(ui, (&first, &made), |ui| {
            if small(ui, say::CANCEL_INVITE, &format!("{}: {first}", say::CANCEL_INVITE)) {
                intents.push(Intent::Order(Order::CancelInvite(it.invite)));
            }
        });
    }
}

fn choose(ui: &mut Ui, label: &str, choices: &[&str], chosen: &mut usize) {
    form::label(ui, label);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        for (index, says) in choices.iter().enumerate() {
            if form::choice(ui, *chosen == index, says) {
                *chosen = index;
            }
        }
    });
}
