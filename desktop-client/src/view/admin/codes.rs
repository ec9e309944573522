//! A code that was just made, shown this once.

use egui::{RichText, Ui};

use crate::model::{AdminWish, Intent};
use crate::view::theme::{palette, size, space};
use crate::view::{Screen, form};
use crate::words::admin as say;

/// The code with what it is for, until it was handed on.
pub(super) fn ui(
    ui: &mut Ui,
    (title, explained): (&str, &str),
    code: &str,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    form::note_with(ui, colours.accent_soft, title, |ui| {
        let shown = RichText::new(code).monospace().size(size::HEADING).color(colours.text);
        ui.add(egui::Label::new(shown).selectable(true));
        form::hint(ui, explained);
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            let copy =
                if screen.admin.is_copied { crate::words::account::COPIED } else { say::COPY };
            if ui.button(copy).clicked() {
                ui.ctx().copy_text(code.to_owned());
                screen.admin.is_copied = true;
            }
            if ui.button(say::DONE).clicked() {
                screen.admin.is_copied = false;
                intents.push(Intent::Admin(AdminWish::ForgetCodes));
            }
        });
    });
}
