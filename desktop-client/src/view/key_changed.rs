//! The server has another key than before: what that can mean, both keys side by side, and two
//! ways on. Not connecting is the one that costs nothing, so it has the focus and the Escape key;
//! the other one takes two deliberate steps.

use egui::{Button, FontFamily, FontId, Frame, Id, Label, Margin, Modal, RichText, ScrollArea, Ui};
use parlor_shared::Fingerprint;

use super::Screen;
use super::theme::{self, palette, round, size, space};
use crate::model::{Intent, KeyChanged, LinkState, Model};
use crate::words;

pub(super) fn ui(
    ui: &mut Ui,
    changed: &KeyChanged,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let window = ui.ctx().content_rect();
    let dialog = Modal::new(Id::unique("key changed")).frame(super::dialogs::frame(ui));
    let dialog = dialog.show(ui.ctx(), |ui| {
        ui.set_width(size::READING_FORM.min(window.width() - 2.0 * space::XXL));
        ui.label(RichText::new(words::KEY_CHANGED_TITLE).font(theme::strong(size::HEADING)));
        ScrollArea::vertical().max_height(window.height() - 230.0).show(ui, |ui| {
            ui.add(Label::new(words::key_changed(&changed.address)).wrap());
            ui.add_space(space::S);
            key(ui, words::KEY_BEFORE, changed.known);
            ui.add_space(space::XS);
            key(ui, words::KEY_NOW, changed.found);
            ui.add_space(space::S);
            ui.add(Label::new(words::KEY_ADVICE).wrap());
        });
        ui.add_space(space::S);
        ui.checkbox(&mut screen.has_asked_about_key, words::KEY_ASKED);
        ui.add_space(space::S);
        ui.horizontal_wrapped(|ui| {
            let refuse = super::join::main_button(ui, words::KEY_REFUSE, true);
            if ui.memory(|it| it.focused().is_none()) {
                refuse.request_focus();
            }
            if refuse.clicked() {
                intents.push(Intent::RefuseKey);
            }
            let trust = Button::new(words::KEY_TRUST);
            if ui.add_enabled(screen.has_asked_about_key, trust).clicked() {
                intents.push(Intent::TrustKey);
            }
        });
    });
    if dialog.should_close() {
        intents.push(Intent::RefuseKey);
    }
}

/// A key as two people compare it: words to read out, digits to look at.
fn key(ui: &mut Ui, title: &str, key: Fingerprint) {
    let colours = palette(ui);
    Frame::new()
        .fill(colours.side)
        .corner_radius(round::LARGE)
        .inner_margin(Margin::symmetric(space::M as i8, space::S as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = space::XS;
            ui.label(RichText::new(title).font(theme::strong(size::SMALL)).color(colours.weak));
            let mono = |points| FontId::new(points, FontFamily::Monospace);
            let words = RichText::new(key.words()).font(mono(size::BODY)).color(colours.text);
            ui.add(Label::new(words).wrap().selectable(true));
            let digits = RichText::new(key.hex()).font(mono(size::SMALL)).color(colours.weak);
            ui.set_max_width(size::KEY_DIGITS.min(ui.available_width()));
            ui.add(Label::new(digits).wrap().selectable(true));
        });
}

/// How the present connection is kept private, to be compared with another person's.
pub(super) fn connection(ui: &mut Ui, model: &Model) {
    ui.set_width(size::READING_FORM.min(ui.ctx().content_rect().width() - 2.0 * space::XXL));
    if let Some(server) = &model.server {
        let server = RichText::new(server.to_string()).font(theme::strong(size::BODY));
        ui.add(Label::new(server).wrap());
    }
    let says = match (model.link, model.key) {
        (LinkState::Online, Some(_)) => words::CONNECTION_PRIVATE,
        (LinkState::Online, None) => words::CONNECTION_PLAIN,
        (LinkState::Offline { .. } | LinkState::Connecting, _) => words::OFFLINE,
    };
    ui.add(Label::new(says).wrap());
    if let Some(present) = model.key {
        ui.add_space(space::XS);
        key(ui, words::SERVER_KEY, present);
    }
}
