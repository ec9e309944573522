//! Where one writes: several lines, Enter sends, Shift and Enter break the line.
//!
//! Invariant: the draft is the model's. What is typed goes there as an intent in the same frame
//! and comes back with the next one.

use std::time::Duration;

use egui::{
    Event, EventFilter, Frame, Id, ImeEvent, Key, KeyboardShortcut, Margin, Modifiers, RichText,
    ScrollArea, TextEdit, Ui,
};
use parlor_shared::RoomId;
use parlor_shared::limits::TEXT_BYTES_MAX;

use super::icons::{self, Icon};
use super::theme::{palette, round, size, space};
use super::{Screen, says};
use crate::model::limits::DRAFT_BYTES_MAX;
use crate::model::{Intent, Model, Room};
use crate::words;

/// From here on the bytes that are left are shown.
const COUNTED_FROM: usize = TEXT_BYTES_MAX - 1_024;

/// Round the field, inside the pane.
const OUTSIDE: Margin = Margin {
    left: space::L as i8,
    right: space::L as i8,
    top: space::XS as i8,
    bottom: space::M as i8,
};
/// Inside the field's frame, and round the text in it.
const FRAME: Margin = Margin { left: space::M as i8, right: space::XS as i8, top: 3, bottom: 3 };
const TEXT: Margin = Margin { left: 0, right: 0, top: 7, bottom: 5 };
const COUNTER: f32 = 22.0;

/// What the composer takes of a pane of this width: as much as its draft needs, up to its most
/// lines.
pub(super) fn height(
    ui: &Ui,
    model: &Model,
    (id, room): (RoomId, &Room),
    screen: &Screen,
    pane: f32,
) -> f32 {
    let outside = OUTSIDE.sum().y + FRAME.sum().y + 2.0;
    let counter = if room.draft.len() > COUNTED_FROM { COUNTER } else { 0.0 };
    let inner = pane - OUTSIDE.sum().x - FRAME.sum().x - 2.0;
    if let Some(says) = instead(ui, model, (id, room), screen) {
        let says = text_height(ui, &says, pane - OUTSIDE.sum().x);
        return OUTSIDE.sum().y + says.max(size::CONTROL);
    }
    let text = text_height(ui, &room.draft, text_width(inner));
    outside + counter + (text + TEXT.sum().y).max(size::CONTROL)
}

fn text_width(inner: f32) -> f32 {
    inner - size::CONTROL - space::S
}

/// The draft's lines, but no more than the composer's most.
fn text_height(ui: &Ui, draft: &str, width: f32) -> f32 {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let line = ui.fonts_mut(|it| it.row_height(&font));
    // Nobody sees more than the first lines' worth of it.
    let colour = palette(ui).text;
    let galley = ui.fonts_mut(|it| it.layout(draft.to_owned(), font, colour, width));
    galley.size().y.clamp(line, line * size::COMPOSER_LINES as f32)
}

pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    (id, room): (RoomId, &Room),
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    Frame::new().inner_margin(OUTSIDE).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        if let Some(says) = instead(ui, model, (id, room), screen) {
            ui.add(egui::Label::new(RichText::new(says).color(colours.weak)).wrap());
            return;
        }
        let edge =
            if ui.memory(|it| it.has_focus(field_id(id))) { colours.accent } else { colours.edge };
        Frame::new()
            .fill(colours.raised)
            .stroke(egui::Stroke::new(1.0, edge))
            .corner_radius(round::LARGE)
            .inner_margin(FRAME)
            .show(ui, |ui| write(ui, model, (id, room), screen, intents));
        count(ui, &room.draft);
    });
}

/// What stands where one would write, when one cannot.
fn instead(ui: &Ui, model: &Model, (id, room): (RoomId, &Room), screen: &Screen) -> Option<String> {
    if !room.is_member {
        return Some(words::NOT_A_MEMBER.to_owned());
    }
    if room.is_leaving {
        return Some(words::LEAVING.to_owned());
    }
    if room.is_ended {
        return Some(words::notices::ROOM_ENDED.to_owned());
    }
    let mute = model.mute_in(id, screen.now)?;
    if let Some(until) = mute.until {
        // One can write again the moment it ends.
        let left = Duration::from_millis(until.since(screen.now) + 20);
        ui.ctx().request_repaint_after(left);
    }
    let until = mute.until.map(|at| says::moment(&screen.calendar, screen.now, at));
    let reason = mute.reason.as_ref().map(|it| it.as_str());
    Some(words::notices::muted(until.as_deref(), reason))
}

fn field_id(room: RoomId) -> Id {
    Id::unique(("composer", room.0))
}

fn write(
    ui: &mut Ui,
    model: &Model,
    (id, room): (RoomId, &Room),
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let field = field_id(id);
    take_focus(ui, model, screen, field);
    let has_focus = ui.memory(|it| it.has_focus(field));
    let wants_to_send = has_focus && enter_pressed(ui);
    if has_focus {
        clean_events(ui);
    }
    let mut draft = room.draft.clone();
    let width = text_width(ui.available_width());
    let most = text_height(ui, &draft, width) + TEXT.sum().y;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.set_min_height(most.max(size::CONTROL));
        let lines = ScrollArea::vertical()
            .id_salt(("draft", id.0))
            .min_scrolled_height(size::CONTROL)
            .max_height(most.max(size::CONTROL))
            .max_width(width)
            .auto_shrink([false, true]);
        ui.spacing_mut().interact_size.y = size::CONTROL;
        let changed = lines.show(ui, |ui| {
            let response = ui.add(
                TextEdit::multiline(&mut draft)
                    .id(field)
                    .frame(Frame::new().inner_margin(TEXT))
                    .desired_rows(1)
                    .desired_width(width)
                    .hint_text(words::message_to(room.name.as_str()))
                    // Enter alone is looked at above, and sends.
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter))
                    .event_filter(EventFilter { tab: false, ..filter() }),
            );
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(words::MESSAGE));
            response.changed()
        });
        if changed.inner && draft.len() <= DRAFT_BYTES_MAX {
            intents.push(Intent::EditDraft { room: id, text: draft.clone() });
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Max), |ui| {
            let may = may_send(&draft);
            let button =
                ui.add_enabled_ui(may, |ui| icons::button(ui, Icon::Send, words::SEND)).inner;
            if may && (button.clicked() || wants_to_send) {
                intents.push(Intent::Say { room: id, text: draft.clone() });
                screen.readings.entry(id).or_default().go_to_end();
                ui.memory_mut(|it| it.request_focus(field));
            }
        });
    });
}

fn filter() -> EventFilter {
    EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        tab: false,
        ..EventFilter::default()
    }
}

fn may_send(draft: &str) -> bool {
    draft.len() <= TEXT_BYTES_MAX && !draft.chars().all(parlor_shared::text::is_blank)
}

/// Whoever types means the composer, unless something else has the focus.
fn take_focus(ui: &Ui, model: &Model, screen: &Screen, field: Id) {
    let nothing_else = model.asking.is_none()
        && screen.new_room.is_none()
        && screen.act.is_none()
        && !screen.notices_open
        && model.account.codes.is_empty();
    let is_free = ui.memory(|it| it.focused().is_none());
    let has_selection =
        ui.ctx().plugin::<egui::text_selection::LabelSelectionState>().lock().has_selection();
    // What is selected in the messages is to be copied; it would be lost with the focus.
    if nothing_else && is_free && (!has_selection || super::timeline::is_typing(ui)) {
        ui.memory_mut(|it| it.request_focus(field));
    }
}

/// Enter without Shift, outside of an input method: there it ends a composition.
fn enter_pressed(ui: &Ui) -> bool {
    ui.input(|it| {
        let composes = it.events.iter().any(|it| {
            matches!(it, Event::Ime(ImeEvent::Commit(text)) if !text.is_empty())
                || matches!(it, Event::Ime(ImeEvent::Preedit { .. }))
        });
        let enter = it.events.iter().any(|it| {
            matches!(it, Event::Key { key: Key::Enter, pressed: true, modifiers, .. }
                if !modifiers.shift && !modifiers.alt)
        });
        enter && !composes
    })
}

/// Newlines of every system become ours, other control characters are dropped, before they
/// reach the text.
fn clean_events(ui: &Ui) {
    ui.input_mut(|it| {
        for event in &mut it.events {
            if let Event::Paste(text) | Event::Text(text) = event
                && text.chars().any(|it| it.is_control() && it != '\n' && it != '\t')
            {
                *text = clean_paste(text);
            }
        }
    });
}

/// `\r\n` and `\r` as `\n`; no other control character but tab.
#[must_use]
pub fn clean_paste(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|it| !it.is_control() || matches!(it, '\n' | '\t'))
        .collect()
}

/// How much more fits, near the end.
fn count(ui: &mut Ui, draft: &str) {
    let colours = palette(ui);
    let says = match TEXT_BYTES_MAX.checked_sub(draft.len()) {
        None => {
            let over = words::bytes_over(draft.len() - TEXT_BYTES_MAX);
            RichText::new(over).color(colours.danger)
        }
        Some(left) if draft.len() > COUNTED_FROM => {
            RichText::new(words::bytes_left(left)).color(colours.weak)
        }
        Some(_) => return,
    };
    ui.label(says.size(size::SMALL));
}
