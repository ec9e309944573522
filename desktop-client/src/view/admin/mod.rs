//! The page of those who see to the server: sections beside it, or above it in a narrow window.

mod audit;
mod bans;
mod codes;
mod invites;
mod policy;
mod rooms;
mod sessions;
mod storage;
mod users;

use egui::{
    Align, CentralPanel, Frame, Layout, Margin, Panel, RichText, Sense, Ui, WidgetInfo, vec2,
};

use super::page::{Page, column};
use super::rooms::{focus_ring, one_line};
use super::theme::{self, palette, round, size, space};
use super::{Screen, form};
use crate::model::{AdminWish, Intent, Model, Section};
use crate::words::admin as say;

/// What is typed into the page's forms.
#[derive(Debug, Default)]
pub(super) struct AdminForm {
    pub find: String,
    pub announcement: String,
    /// Which of [`say::USES`] and [`say::LIFETIMES`].
    pub uses: usize,
    pub lifetime: usize,
    pub hours: Option<String>,
    pub keep: Option<String>,
    /// A code was copied since it came up.
    pub is_copied: bool,
}

pub(super) fn ui(
    ui: &mut Ui,
    section: Section,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let is_wide = ui.available_width() >= size::NARROWEST;
    if is_wide {
        let frame = Frame::new().inner_margin(Margin::same(space::S as i8));
        let pane = Panel::left("sections").exact_size(size::SECTIONS).resizable(false).frame(frame);
        pane.show_separator_line(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for it in Section::ALL {
                if entry(ui, it, it == section) {
                    screen.open_admin(it, intents);
                }
            }
        });
    }
    CentralPanel::no_frame().show(ui, |ui| {
        column(ui, "section", size::LIST, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if !is_wide {
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
                    for it in Section::ALL {
                        if form::choice(ui, it == section, say::section(it)) {
                            screen.open_admin(it, intents);
                        }
                    }
                });
            }
            title(ui, section, intents);
            content(ui, section, model, screen, intents);
        });
    });
}

fn content(
    ui: &mut Ui,
    section: Section,
    model: &Model,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    match section {
        Section::Users => users::ui(ui, model, screen, intents),
        Section::Rooms => rooms::ui(ui, model, screen),
        Section::Sessions => sessions::ui(ui, model, screen, intents),
        Section::Bans => bans::ui(ui, model, screen, intents),
        Section::Invitations => invites::ui(ui, model, screen, intents),
        Section::Audit => audit::ui(ui, model, screen, intents),
        Section::Storage => storage::ui(ui, model, screen, intents),
        Section::Policy => policy::ui(ui, model, screen, intents),
    }
}

/// A section in the list beside the page; true when it was chosen.
fn entry(ui: &mut Ui, section: Section, is_open: bool) -> bool {
    let colours = palette(ui);
    let row = vec2(ui.available_width(), size::ENTRY);
    let (rect, response) = ui.allocate_exact_size(row, Sense::click());
    let says = say::section(section);
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_open, says));
    if is_open {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.accent_soft);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.hover);
    }
    focus_ring(ui, &response, rect);
    let font = if is_open { theme::strong(size::BODY) } else { theme::plain(size::BODY) };
    one_line(ui, says, font, colours.text, rect.shrink2(vec2(space::M, 0.0)));
    response.clicked()
}

fn title(ui: &mut Ui, section: Section, intents: &mut Vec<Intent>) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(RichText::new(say::READ_AGAIN).size(size::SMALL)).clicked() {
                intents.push(Intent::Admin(AdminWish::Look(section)));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = RichText::new(say::section(section)).font(theme::strong(size::HEADING));
                ui.add(egui::Label::new(title).truncate());
            });
        });
    });
    form::hint(ui, say::explained(section));
    ui.add_space(space::XS);
}

/// A row of a list: two lines on the left, and something to do on the right.
fn row(ui: &mut Ui, (first, second): (&str, &str), acts: impl FnOnce(&mut Ui)) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL + space::S);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            acts(ui);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.add_space(3.0);
                ui.add(egui::Label::new(RichText::new(first).color(colours.text)).truncate());
                if !second.is_empty() {
                    let second = RichText::new(second).size(size::SMALL).color(colours.weak);
                    ui.add(egui::Label::new(second).wrap());
                }
            });
        });
    });
    ui.separator();
}

/// What is shown while there is nothing: because it was not answered yet, or because it is empty.
fn instead(ui: &mut Ui, is_answered: bool, empty: &str) {
    form::hint(ui, if is_answered { empty } else { say::LOADING });
}

/// A small button in a row, with a name of its own for screen readers.
fn small(ui: &mut Ui, says: &str, name: &str) -> bool {
    let button = ui.button(RichText::new(says).size(size::SMALL));
    form::name(&button, egui::Role::Button, name);
    button.clicked()
}

/// Goes to another section.
fn go_to(screen: &mut Screen, section: Section) {
    screen.page = Some(Page::Admin(section));
}
