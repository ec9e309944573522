//! A page that takes the place of the chat for a while: one's account, or seeing to the server.

use egui::{CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::icons::{self, Icon};
use super::theme::{self, palette, size, space};
use super::{Screen, account, admin, status};
use crate::model::{Intent, Model, Section};
use crate::words;

/// Which page is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Page {
    Account,
    Admin(Section),
}

pub(super) fn ui(
    ui: &mut Ui,
    page: Page,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let title = match page {
        Page::Account => words::account::YOUR_ACCOUNT,
        Page::Admin(_) => words::admin::TITLE,
    };
    let head = Frame::new().fill(colours.side).inner_margin(Margin::symmetric(space::S as i8, 0));
    Panel::top("page head").exact_size(size::HEADER).frame(head).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            if icons::button(ui, Icon::Back, words::BACK_TO_CHAT).clicked() {
                screen.page = None;
            }
            ui.add_space(space::XS);
            ui.label(RichText::new(title).font(theme::strong(size::HEADING)));
        });
    });
    CentralPanel::default().frame(Frame::new().fill(colours.side)).show(ui, |ui| {
        status::ui(ui, model, screen, intents);
        match page {
            Page::Account => column(ui, "account", size::PAGE, |ui| {
                account::ui(ui, model, screen, intents);
            }),
            Page::Admin(section) => admin::ui(ui, section, model, screen, intents),
        }
    });
}

/// A scrolling column of at most this width, in the middle.
pub(super) fn column(ui: &mut Ui, id: &str, most: f32, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().id_salt(id).auto_shrink([false; 2]).show(ui, |ui| {
        let pane = ui.available_width();
        let width = (pane - 2.0 * space::L).min(most);
        let margin = ((pane - width) / 2.0).max(0.0);
        ui.horizontal(|ui| {
            ui.add_space(margin);
            ui.vertical(|ui| {
                ui.set_width(width);
                ui.add_space(space::M);
                add(ui);
                ui.add_space(space::XL);
            });
        });
    });
}
