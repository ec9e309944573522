//! What comes up over everything else: a new room, and questions that need an answer.

use egui::{
    Frame, Id, Key, Margin, Modal, RichText, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, vec2,
};

use super::Screen;
use super::rooms::{focus_ring, one_line};
use super::theme::{self, palette, round, size, space};
use crate::model::{Intent, Model, Question, Trouble};
use crate::words;

pub(super) fn frame(ui: &Ui) -> Frame {
    Frame::popup(ui.style()).inner_margin(Margin::same(space::XL as i8)).corner_radius(round::CARD)
}

/// The form that makes or joins a room, with the open rooms that there are.
pub(super) fn new_room(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some(mut name) = screen.new_room.take() else { return };
    let mut is_done = false;
    let dialog = Modal::new(Id::unique("new room")).frame(frame(ui)).show(ui.ctx(), |ui| {
        let colours = palette(ui);
        ui.set_width(size::FORM.min(ui.ctx().content_rect().width() - 2.0 * space::XXL));
        ui.label(RichText::new(words::NEW_ROOM).font(theme::strong(size::HEADING)));
        ui.add_space(space::XS);
        let label = ui.label(RichText::new(words::ROOM_NAME).size(size::SMALL).color(colours.weak));
        let field = TextEdit::singleline(&mut name)
            .hint_text(words::ROOM_NAME_HINT)
            .margin(Margin::symmetric(space::M as i8, space::S as i8))
            .desired_width(f32::INFINITY);
        let response = ui.add(field).labelled_by(label.id);
        let is_entered = response.lost_focus() && ui.input(|it| it.key_pressed(Key::Enter));
        if !response.has_focus() && ui.memory(|it| it.focused().is_none()) && !is_entered {
            response.request_focus();
        }
        if let Some(trouble @ (Trouble::BadRoomName(_) | Trouble::RoomRefused(_))) = &model.trouble
        {
            ui.label(RichText::new(words::trouble(trouble)).color(colours.danger));
        }
        ui.add_space(space::XS);
        ui.horizontal(|ui| {
            let is_named = !name.trim().is_empty();
            let open = super::join::main_button(ui, words::OPEN_ROOM, is_named);
            if open.clicked() || (is_entered && is_named) {
                intents.push(Intent::OpenRoom { name: name.clone() });
                is_done = true;
            }
            if ui.button(words::CANCEL).clicked() {
                is_done = true;
            }
        });
        ui.add_space(space::M);
        ui.label(
            RichText::new(words::OPEN_ROOMS).font(theme::strong(size::SMALL)).color(colours.weak),
        );
        if model.directory.is_empty() {
            ui.label(RichText::new(words::NO_OPEN_ROOMS).color(colours.weak));
        } else {
            is_done |= directory(ui, model, intents);
        }
    });
    if dialog.should_close() {
        is_done = true;
    }
    if !is_done {
        screen.new_room = Some(name);
    }
}

/// The open rooms; true when one was chosen.
fn directory(ui: &mut Ui, model: &Model, intents: &mut Vec<Intent>) -> bool {
    let colours = palette(ui);
    let mut rooms: Vec<_> = model.directory.values().collect();
    rooms.sort_by_cached_key(|it| (it.name.as_str().to_lowercase(), it.room));
    let mut is_chosen = false;
    ui.spacing_mut().item_spacing.y = 0.0;
    let list = ScrollArea::vertical().max_height(size::ENTRY * 7.0).auto_shrink([false, true]);
    list.show_rows(ui, size::ENTRY, rooms.len(), |ui, shown| {
        for it in rooms.get(shown).unwrap_or_default() {
            let row = vec2(ui.available_width(), size::ENTRY);
            let (rect, response) = ui.allocate_exact_size(row, Sense::click());
            let says = words::open_room_entry(it.name.as_str(), it.members);
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &says));
            if response.hovered() {
                ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.hover);
            }
            focus_ring(ui, &response, rect);
            let inner = rect.shrink2(vec2(space::S, 0.0));
            let (name, count) = inner.split_left_right_at_fraction(0.68);
            one_line(ui, it.name.as_str(), theme::plain(size::BODY), colours.text, name);
            let members = words::members_count(it.members);
            let font = theme::plain(size::SMALL);
            ui.painter().text(
                count.right_center(),
                egui::Align2::RIGHT_CENTER,
                members,
                font,
                colours.weak,
            );
            if response.clicked() {
                intents.push(Intent::JoinRoom(it.room));
                is_chosen = true;
            }
        }
    });
    is_chosen
}

/// A question that waits for an answer.
pub(super) fn question(ui: &mut Ui, question: Question, intents: &mut Vec<Intent>) {
    let (title, says, yes, no, yes_intent, no_intent) = match question {
        Question::CloseWithOthersInside { others } => (
            words::CLOSE_TITLE,
            words::others_inside(others),
            words::CLOSE_ANYWAY,
            words::STAY,
            Intent::QuitAnyway,
            Intent::Stay,
        ),
        Question::ResendHeld { messages } => (
            words::RESEND_TITLE,
            words::held_messages(messages),
            words::RESEND,
            words::DISCARD,
            Intent::ResendHeld,
            Intent::DiscardHeld,
        ),
    };
    Modal::new(Id::unique("question")).frame(frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width(size::FORM.min(ui.ctx().content_rect().width() - 2.0 * space::XXL));
        ui.label(RichText::new(title).font(theme::strong(size::HEADING)));
        ui.add(egui::Label::new(says).wrap());
        ui.add_space(space::S);
        ui.horizontal(|ui| {
            let stay = super::join::main_button(ui, no, true);
            if ui.memory(|it| it.focused().is_none()) {
                stay.request_focus();
            }
            if stay.clicked() {
                intents.push(no_intent);
            }
            if ui.button(yes).clicked() {
                intents.push(yes_intent);
            }
        });
    });
}
