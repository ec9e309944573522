//! Who cannot come in.

use egui::Ui;
use parlor_shared::reply::BanEntry;

use super::{instead, row, small};
use crate::model::{AdminWish, Intent, Model, Order, Section};
use crate::view::acts::{Act, ActForm};
use crate::view::{Screen, says};
use crate::words::{self, admin as say};

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    if ui.button(say::BAN_NETWORK).clicked() {
        screen.act = Some(ActForm::new(Act::BanNetwork, "", None));
    }
    let bans = model.admin.bans.as_ref();
    let Some(bans) = bans.filter(|it| !it.entries.is_empty()) else {
        return instead(ui, bans.is_some(), say::NO_BANS);
    };
    for it in &bans.entries {
        show(ui, it, model, screen, intents);
    }
    if bans.more && ui.button(say::MORE).clicked() {
        intents.push(Intent::Admin(AdminWish::More(Section::Bans)));
    }
}

fn show(ui: &mut Ui, it: &BanEntry, model: &Model, screen: &Screen, intents: &mut Vec<Intent>) {
    let who = match (&it.who, &it.network) {
        (Some(who), _) => who.to_string(),
        (None, Some(network)) => network.to_string(),
        (None, None) => String::new(),
    };
    let moment = |at| says::moment(&screen.calendar, screen.now, at);
    let room = it.room.map(|room| {
        let listed = model.directory.get(&room).map(|it| it.name.to_string());
        listed.unwrap_or_else(|| room.to_string())
    });
    let until = it.until.map(moment);
    let mut second = vec![
        say::ban(room.as_deref(), until.as_deref()),
        say::made_by(it.name.as_str(), &moment(it.at)),
    ];
    second.extend(it.reason.as_ref().map(|it| it.to_string()));
    row(ui, (&who, &second.join(words::BETWEEN)), |ui| {
        if small(ui, say::UNBAN, &say::unban(&who)) {
            intents.push(Intent::Order(Order::Unban(it.ban)));
        }
    });
}
