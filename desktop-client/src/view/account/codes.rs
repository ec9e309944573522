//! Recovery codes, shown this once, over everything else until the person has them.

use egui::{Frame, Id, Margin, Modal, RichText, Ui};

use crate::model::{AccountWish, FileNews, Intent, Model, Secret};
use crate::view::theme::{self, palette, round, size, space};
use crate::view::{Screen, form};
use crate::words::account as say;

pub(in crate::view) fn modal(
    ui: &mut Ui,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let codes: Vec<String> = model.account.codes.iter().map(ToString::to_string).collect();
    if codes.is_empty() {
        return;
    }
    let frame = Frame::popup(ui.style())
        .inner_margin(Margin::same(space::XL as i8))
        .corner_radius(round::CARD);
    Modal::new(Id::unique("recovery codes")).frame(frame).show(ui.ctx(), |ui| {
        let window = ui.ctx().content_rect();
        ui.set_width(size::FORM.min(window.width() - 2.0 * space::XXL));
        ui.label(RichText::new(say::CODES_TITLE).font(theme::strong(size::HEADING)));
        form::hint(ui, say::CODES_EXPLAINED);
        show(ui, &codes);
        buttons(ui, model, &codes, screen, intents);
    });
}

fn show(ui: &mut Ui, codes: &[String]) {
    let colours = palette(ui);
    Frame::new()
        .fill(colours.side)
        .corner_radius(round::LARGE)
        .inner_margin(Margin::same(space::M as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 2.0;
            for code in codes {
                let text = RichText::new(code).monospace().color(colours.text);
                ui.add(egui::Label::new(text).selectable(true));
            }
        });
}

fn buttons(
    ui: &mut Ui,
    model: &Model,
    codes: &[String],
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    ui.horizontal_wrapped(|ui| {
        let copy = if screen.account.is_copied { say::COPIED } else { say::COPY_CODES };
        if ui.button(copy).clicked() {
            ui.ctx().copy_text(codes.join("\n"));
            screen.account.is_copied = true;
        }
        if ui.button(say::SAVE_CODES).clicked() {
            let name = model.me.as_ref().map(|it| it.name.to_string()).unwrap_or_default();
            let address = model.server.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = say::codes_file(&name, &address, &codes.join("\n"));
            let (name, text) = ("parlor-recovery-codes.txt".to_owned(), Secret::new(&text));
            intents.push(Intent::SaveFile { name, text });
        }
    });
    match &model.file {
        Some(FileNews::Written { path }) => form::hint(ui, &say::file_saved(path)),
        Some(FileNews::Failed { says }) => {
            form::note(ui, colours.danger_soft, &say::file_failed(says));
        }
        None => {}
    }
    ui.add_space(space::XS);
    if form::main_button(ui, say::CODES_KEPT, true).clicked() {
        screen.account.is_copied = false;
        intents.push(Intent::Account(AccountWish::CodesKept));
    }
}
