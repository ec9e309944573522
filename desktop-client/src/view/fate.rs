//! What became of one's own message, and what can be done about it.

use egui::{Align, Pos2, Rect, Sense, Ui, pos2, vec2};
use parlor_shared::{ClientId, RoomId};

use super::blocks::Kind;
use super::icons::{self, Icon};
use super::message::{Item, Sight, text_width};
use super::theme::{self, palette, size, space};
use crate::model::{Intent, PendingState};
use crate::words;

/// The line under a message that was not sent.
pub(super) const FOOT: f32 = 38.0;
/// The mark behind a message.
pub(super) const CHECK: f32 = 13.0;

/// What a screen reader says behind the text.
pub(super) fn in_words(state: &PendingState) -> Option<&'static str> {
    match state {
        PendingState::Saving | PendingState::Waiting | PendingState::Sent => Some(words::SENDING),
        PendingState::Failed(_) | PendingState::Held => Some(words::NOT_SENT),
        PendingState::Stored(_) => None,
    }
}

/// Why it was not sent, for those that were not.
pub(super) fn reason(state: &PendingState) -> Option<String> {
    match state {
        PendingState::Failed(why) => Some(words::failure(why)),
        PendingState::Held => Some(words::HELD.to_owned()),
        PendingState::Saving
        | PendingState::Waiting
        | PendingState::Sent
        | PendingState::Stored(_) => None,
    }
}

/// The state of one's own message, and what can be done about it.
pub(super) fn show(
    ui: &mut Ui,
    see: &Sight<'_>,
    item: Item<'_>,
    body: Rect,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let last_line = body.bottom() - size::LINE / 2.0;
    let right = (body.right() + space::S).min(body.left() + text_width(see.width) + space::XS);
    let mark = Rect::from_center_size(pos2(right + CHECK / 2.0, last_line), theme::square(CHECK));
    match item {
        Item::Block(block) => {
            let mine = see.me.is_some_and(|it| it.user == block.by);
            if mine && matches!(block.kind, Kind::Said { .. }) {
                icons::paint(ui, Icon::Check, mark, colours.weak);
            }
        }
        Item::Pending { pending, .. } => match &pending.state {
            PendingState::Saving | PendingState::Waiting | PendingState::Sent => {
                icons::paint(ui, Icon::Clock, mark, colours.weak);
            }
            PendingState::Stored(_) => icons::paint(ui, Icon::Check, mark, colours.weak),
            PendingState::Held | PendingState::Failed(_) => {
                let may_retry = matches!(pending.state, PendingState::Failed(_));
                let says = reason(&pending.state).unwrap_or_default();
                let foot = body.left_bottom() + vec2(0.0, space::XS);
                show_failed(ui, (see.id, pending.client_id), &says, may_retry, foot, intents);
            }
        },
    }
}

fn show_failed(
    ui: &mut Ui,
    (room, client_id): (RoomId, ClientId),
    says: &str,
    may_retry: bool,
    at: Pos2,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let rect =
        Rect::from_min_max(at, pos2(ui.max_rect().right() - space::L, at.y + FOOT - space::XS));
    let builder = egui::UiBuilder::new()
        .id_salt(("failed", client_id))
        .max_rect(rect)
        .layout(egui::Layout::left_to_right(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.spacing_mut().button_padding = vec2(space::S, 2.0);
        ui.spacing_mut().interact_size.y = 26.0;
        let (mark, _) = ui.allocate_exact_size(theme::square(15.0), Sense::hover());
        icons::paint(ui, Icon::Warning, mark, colours.danger);
        let small = |text: &str| egui::RichText::new(text).size(size::SMALL);
        let buttons = if may_retry { 158.0 } else { 90.0 };
        let room_for_words = (ui.available_width() - buttons).max(40.0);
        ui.scope(|ui| {
            ui.set_max_width(room_for_words);
            ui.add(egui::Label::new(small(says).color(colours.danger)).truncate());
        });
        if may_retry && ui.button(small(words::RETRY)).clicked() {
            intents.push(Intent::Retry { room, client_id });
        }
        if ui.button(small(words::DISCARD)).clicked() {
            intents.push(Intent::Discard { room, client_id });
        }
    });
}
