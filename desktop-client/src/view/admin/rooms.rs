//! Every open room.

use egui::Ui;
use parlor_shared::LOBBY_ID;

use super::{instead, row, small};
use crate::model::{Listed, Model};
use crate::view::Screen;
use crate::view::acts::{Act, ActForm};
use crate::words::{self, admin as say};

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen) {
    let mut rooms: Vec<&Listed> = model.directory.values().collect();
    rooms.sort_by_cached_key(|it| (it.name.as_str().to_lowercase(), it.room));
    if rooms.is_empty() {
        return instead(ui, true, say::NO_ROOMS);
    }
    for it in rooms {
        let name = it.name.as_str();
        row(ui, (name, &words::members_count(it.members)), |ui| {
            if it.room != LOBBY_ID && small(ui, say::END_ROOM, &say::end_room(name)) {
                screen.act = Some(ActForm::new(Act::EndRoom(it.room), "", Some(name)));
            }
        });
    }
}
