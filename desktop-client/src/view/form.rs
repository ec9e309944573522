//! The pieces of every form: fields with a name, fields for secrets, cards, and what became of
//! them.
//!
//! Invariant: a secret is behind dots unless it is asked for, and an empty secret field has no
//! past: nothing of it can be had back by undoing.

use egui::text_edit::TextEditState;
use egui::{Align, Frame, Id, Key, Layout, Margin, Response, RichText, TextEdit, Ui, WidgetInfo};

use super::theme::{self, palette, round, size, space};
use crate::model::Secret;
use crate::words;

/// A name over a field.
pub(super) fn label(ui: &mut Ui, says: &str) -> Response {
    let colours = palette(ui);
    ui.label(RichText::new(says).font(theme::strong(size::SMALL)).color(colours.text))
}

/// Small grey words under something.
pub(super) fn hint(ui: &mut Ui, says: &str) {
    let colours = palette(ui);
    ui.add(
        egui::Label::new(RichText::new(says).size(size::SMALL).color(colours.weak))
            .wrap()
            .selectable(false),
    );
}

/// One line of text with its name above it.
pub(super) fn field(ui: &mut Ui, says: &str, text: &mut String, hint: &str) -> Response {
    let label = label(ui, says);
    let field = TextEdit::singleline(text)
        .hint_text(hint)
        .margin(Margin::symmetric(space::M as i8, space::S as i8))
        .desired_width(f32::INFINITY);
    ui.add(field).labelled_by(label.id)
}

/// A password or a code: behind dots, with a button that shows it.
pub(super) fn secret(
    ui: &mut Ui,
    says: &str,
    secret: &mut Secret,
    is_shown: &mut bool,
) -> Response {
    let label = label(ui, says);
    let id = ui.scope_id().with(("secret", says));
    if secret.is_empty() {
        // What was typed here before is not to be had back by undoing.
        TextEditState::default().store(ui.ctx(), id);
    }
    let shows = if *is_shown { words::join::HIDE } else { words::join::SHOW };
    let row = egui::vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        let button = ui.button(RichText::new(shows).size(size::SMALL));
        let name = if *is_shown { words::join::HIDE_PASSWORD } else { words::join::SHOW_PASSWORD };
        button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
        if button.clicked() {
            *is_shown = !*is_shown;
        }
        let field = TextEdit::singleline(secret.text_mut())
            .id(id)
            .password(!*is_shown)
            .margin(Margin::symmetric(space::M as i8, space::S as i8))
            .desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id)
    })
    .inner
}

/// Enter was pressed in one of the fields.
pub(super) fn is_entered(ui: &Ui, fields: &[&Response]) -> bool {
    ui.input(|it| it.key_pressed(Key::Enter)) && fields.iter().any(|it| it.lost_focus())
}

/// A button that looks like a link: what else one could do.
pub(super) fn quiet_button(ui: &mut Ui, says: &str) -> Response {
    let colours = palette(ui);
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = egui::vec2(space::XS, 2.0);
        ui.spacing_mut().interact_size.y = 26.0;
        let text = RichText::new(says).size(size::SMALL).color(colours.link);
        ui.add(egui::Button::new(text).frame(false))
    })
    .inner
}

/// One of several small choices in a row; true when it was just chosen.
pub(super) fn choice(ui: &mut Ui, is_chosen: bool, says: &str) -> bool {
    let text = RichText::new(says).size(size::SMALL).color(palette(ui).text);
    ui.selectable_label(is_chosen, text).clicked()
}

/// One of several choices below each other; true when it was just chosen.
pub(super) fn radio(ui: &mut Ui, is_chosen: bool, says: &str) -> bool {
    ui.scope(|ui| {
        // Its ring is all that shows it.
        let ring = egui::Stroke::new(1.0, palette(ui).weak);
        ui.visuals_mut().widgets.inactive.bg_stroke = ring;
        ui.radio(is_chosen, says).clicked()
    })
    .inner
}

/// The main button; grey while nothing can be done.
pub(super) fn main_button(ui: &mut Ui, says: &str, may: bool) -> Response {
    super::join::main_button(ui, says, may)
}

/// A button for what cannot be undone.
pub(super) fn danger_button(ui: &mut Ui, says: &str, may: bool) -> Response {
    let colours = palette(ui);
    let text = RichText::new(says).font(theme::strong(size::BODY)).color(colours.danger);
    ui.add_enabled(may, egui::Button::new(text).min_size(egui::vec2(0.0, size::CONTROL)))
}

/// Words on a coloured ground.
pub(super) fn note(ui: &mut Ui, fill: egui::Color32, says: &str) {
    note_with(ui, fill, says, |_| {});
}

/// The same with something below them.
pub(super) fn note_with(ui: &mut Ui, fill: egui::Color32, says: &str, add: impl FnOnce(&mut Ui)) {
    let colours = palette(ui);
    Frame::new()
        .fill(fill)
        .corner_radius(round::LARGE)
        .inner_margin(Margin::same(space::M as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.add(egui::Label::new(RichText::new(says).color(colours.text)).wrap());
            add(ui);
        });
}

/// A part of a page, with its title.
pub(super) fn card<R>(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let colours = palette(ui);
    let inner = Frame::new()
        .fill(colours.raised)
        .stroke(egui::Stroke::new(1.0, colours.line))
        .corner_radius(round::LARGE)
        .inner_margin(Margin::same(space::L as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            if !title.is_empty() {
                let text = RichText::new(title).font(theme::strong(size::BODY));
                ui.label(text.color(colours.text));
            }
            add(ui)
        })
        .inner;
    ui.add_space(space::S);
    inner
}

/// Names what has no visible words of its own, for screen readers.
pub(super) fn name(response: &Response, role: egui::Role, says: &str) {
    response.widget_info(|| WidgetInfo::labeled(role, true, says));
}

/// Gives the focus to a form's first field when the form has just come up.
pub(super) fn begin(ui: &Ui, is_begun: &mut bool, first: Id) {
    if !*is_begun {
        *is_begun = true;
        ui.memory_mut(|it| it.request_focus(first));
    }
}
