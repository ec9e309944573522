//! The three panes, and which of them fit: in a narrow window the people, then the rooms, come
//! and go by a button.

use egui::{CentralPanel, Frame, Margin, Panel, Ui};
use parlor_shared::{LOBBY_ID, RoomId};

use super::acts::{self, Act, ActForm};
use super::icons::{self, Icon};
use super::screen::Drawer;
use super::theme::{self, palette, size, space};
use super::{Screen, composer, dialogs, members, rooms, status, timeline};
use crate::model::{Intent, Model, Room};
use crate::words;

/// Which panes are beside the timeline.
#[derive(Clone, Copy, Debug)]
struct Fit {
    rooms: bool,
    people: bool,
}

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let width = ui.available_width();
    let fit = Fit { rooms: width >= size::NARROWEST, people: width >= size::NARROW };
    if (fit.rooms && screen.drawer == Some(Drawer::Rooms))
        || (fit.people && screen.drawer == Some(Drawer::People))
    {
        screen.drawer = None;
    }
    let colours = palette(ui);
    let side = Frame::new().fill(colours.side);
    if fit.rooms {
        let pane = Panel::left("rooms").exact_size(size::ROOMS).resizable(false).frame(side);
        pane.show(ui, |ui| rooms::ui(ui, model, screen, intents));
    }
    if fit.people && model.open_room().is_some() {
        let pane = Panel::right("people").exact_size(size::MEMBERS).resizable(false).frame(side);
        pane.show(ui, |ui| members::ui(ui, model, screen, intents));
    }
    let canvas = Frame::new().fill(colours.canvas);
    match screen.drawer {
        Some(Drawer::Rooms) => {
            CentralPanel::default()
                .frame(side)
                .show(ui, |ui| rooms::ui(ui, model, screen, intents));
        }
        Some(Drawer::People) if fit.rooms => {
            let pane =
                Panel::right("people").exact_size(size::MEMBERS).resizable(false).frame(side);
            pane.show(ui, |ui| members::ui(ui, model, screen, intents));
            CentralPanel::default()
                .frame(canvas)
                .show(ui, |ui| middle(ui, model, screen, fit, intents));
        }
        Some(Drawer::People) => {
            CentralPanel::default().frame(side).show(ui, |ui| {
                back(ui, screen);
                members::ui(ui, model, screen, intents);
            });
        }
        None => {
            CentralPanel::default()
                .frame(canvas)
                .show(ui, |ui| middle(ui, model, screen, fit, intents));
        }
    }
    dialogs::new_room(ui, model, screen, intents);
}

/// The way out of a drawer that covers everything.
fn back(ui: &mut Ui, screen: &mut Screen) {
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        ui.add_space(space::S);
        if icons::button(ui, Icon::Back, words::BACK).clicked() {
            screen.drawer = None;
        }
        ui.label(egui::RichText::new(words::PEOPLE).font(theme::strong(size::HEADING)));
    });
}

fn middle(ui: &mut Ui, model: &Model, screen: &mut Screen, fit: Fit, intents: &mut Vec<Intent>) {
    status::ui(ui, model, screen, intents);
    let Some((id, room)) = model.open_room() else { return no_room(ui, screen, fit) };
    let header = Frame::new().inner_margin(Margin::symmetric(space::M as i8, 0));
    Panel::top("header").exact_size(size::HEADER).frame(header).show(ui, |ui| {
        ui.horizontal_centered(|ui| show_header(ui, model, (id, room), screen, fit, intents));
    });
    let height = composer::height(ui, model, (id, room), screen, ui.available_width());
    Panel::bottom("composer")
        .exact_size(height)
        .frame(Frame::new())
        .show_separator_line(false)
        .show(ui, |ui| {
            composer::ui(ui, model, (id, room), screen, intents);
        });
    CentralPanel::no_frame().show(ui, |ui| {
        timeline::ui(ui, model, (id, room), screen, intents);
    });
}

fn show_header(
    ui: &mut Ui,
    model: &Model,
    (id, room): (RoomId, &Room),
    screen: &mut Screen,
    fit: Fit,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    if !fit.rooms && icons::button(ui, Icon::Rooms, words::ROOMS).clicked() {
        screen.drawer = Some(Drawer::Rooms);
    }
    ui.add_space(space::S);
    let here = room.members.values().filter(|it| it.here).count();
    let count = words::people_count(here, room.members.len());
    let tail = if fit.people { 130.0 } else { 170.0 };
    let width = (ui.available_width() - tail).max(60.0);
    let title = egui::RichText::new(room.name.as_str()).font(theme::strong(size::HEADING));
    ui.scope(|ui| {
        ui.set_max_width(width);
        ui.add(egui::Label::new(title).truncate());
    });
    if room.is_catching_up() {
        ui.label(egui::RichText::new(words::CATCHING_UP).size(size::SMALL).color(colours.weak));
    } else if !room.members.is_empty() {
        ui.label(egui::RichText::new(count).size(size::SMALL).color(colours.weak));
    }
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if !fit.people && icons::button(ui, Icon::People, words::PEOPLE).clicked() {
            let is_open = screen.drawer == Some(Drawer::People);
            screen.drawer = (!is_open).then_some(Drawer::People);
        }
        if !room.is_ended && acts::may_end(model, id) {
            let button = icons::button(ui, Icon::More, words::acts::ROOM_ACTS);
            egui::Popup::menu(&button).show(|ui| {
                if ui.button(words::acts::END_ROOM).clicked() {
                    let name = Some(room.name.as_str());
                    screen.act = Some(ActForm::new(Act::EndRoom(id), "", name));
                    ui.close();
                }
            });
        }
        // Everybody is in the lobby, always.
        if id != LOBBY_ID
            && room.is_member
            && !room.is_leaving
            && icons::button(ui, Icon::Cross, words::LEAVE_ROOM).clicked()
        {
            intents.push(Intent::LeaveRoom(id));
        }
    });
}

fn no_room(ui: &mut Ui, screen: &mut Screen, fit: Fit) {
    let colours = palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.label(egui::RichText::new(words::NO_ROOM).font(theme::strong(size::HEADING)));
        ui.label(egui::RichText::new(words::NO_ROOM_HINT).color(colours.weak));
        if !fit.rooms {
            ui.add_space(space::M);
            if ui.button(words::ROOMS).clicked() {
                screen.drawer = Some(Drawer::Rooms);
            }
        }
    });
}
