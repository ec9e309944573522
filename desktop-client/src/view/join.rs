//! The first window: a name, an address, or a chat of one's own.

use egui::{
    Align, Button, CentralPanel, Frame, Key, Layout, Margin, RichText, ScrollArea, Sense, TextEdit,
    Ui,
};

use super::Screen;
use super::icons;
use super::theme::{self, palette, round, size, space};
use crate::model::{Intent, Joining, Model};
use crate::words;

pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let is_first = !screen.join.is_begun;
    if is_first {
        screen.join.name.clone_from(&joining.name);
        screen.join.address.clone_from(&joining.address);
        screen.join.is_begun = true;
    }
    let colours = palette(ui);
    CentralPanel::default().frame(Frame::new().fill(colours.side)).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink([false; 2]).show(ui, |ui| {
            let room = ui.available_size();
            ui.vertical_centered(|ui| {
                ui.add_space(((room.y - 600.0) / 2.0).clamp(space::L, 160.0));
                show_title(ui);
                ui.add_space(space::XL);
                let width = size::FORM.min(room.x - 2.0 * space::XL);
                Frame::new()
                    .fill(colours.raised)
                    .stroke(egui::Stroke::new(1.0, colours.line))
                    .corner_radius(round::CARD)
                    .inner_margin(Margin::same(space::XL as i8))
                    .show(ui, |ui| {
                        ui.set_width(width - 2.0 * space::XL);
                        ui.with_layout(Layout::top_down(Align::Min), |ui| {
                            show_form(ui, model, joining, screen, is_first, intents);
                        });
                    });
                ui.add_space(space::XL);
            });
        });
    });
}

fn show_title(ui: &mut Ui) {
    let colours = palette(ui);
    let (sign, _) = ui.allocate_exact_size(theme::square(56.0), Sense::hover());
    icons::sign(ui, sign);
    ui.add_space(space::XS);
    ui.label(RichText::new(words::APP_NAME).font(theme::strong(size::TITLE)));
    ui.label(RichText::new(words::TAGLINE).color(colours.weak));
}

fn show_form(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    is_first: bool,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let was_entered = fields(ui, joining, screen, is_first);
    let may_host = !screen.join.name.trim().is_empty();
    let may_join = may_host && !screen.join.address.trim().is_empty();
    show_refusal(ui, model, joining, screen, intents);
    ui.add_space(space::XS);
    if joining.busy {
        ui.horizontal(|ui| {
            // A word, not a spinner: a spinner would repaint the window all the time.
            ui.label(RichText::new(words::JOINING).color(colours.weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button(words::CANCEL).clicked() {
                    intents.push(Intent::Cancel);
                }
            });
        });
        return;
    }
    let join = wide_button(ui, words::JOIN, may_join, true);
    if join.clicked() || (was_entered && may_join) {
        let (name, address) = (screen.join.name.clone(), screen.join.address.clone());
        intents.push(Intent::Join { name, address });
    }
    ui.add_space(space::XS);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new(words::OR).size(size::SMALL).color(colours.weak));
    });
    ui.add_space(space::XS);
    if wide_button(ui, words::HOST_HERE, may_host, false).clicked() {
        intents.push(Intent::HostHere { name: screen.join.name.clone() });
    }
    let says = RichText::new(words::host_explained()).size(size::SMALL).color(colours.weak);
    ui.add(egui::Label::new(says).wrap());
}

/// Name and address; true when Enter was pressed in one of them.
fn fields(ui: &mut Ui, joining: &Joining, screen: &mut Screen, is_first: bool) -> bool {
    let colours = palette(ui);
    let label = |ui: &mut Ui, says: &str| {
        ui.label(RichText::new(says).font(theme::strong(size::SMALL)).color(colours.text))
    };
    let edit = |text, hint| {
        TextEdit::singleline(text)
            .hint_text(hint)
            .margin(Margin::symmetric(space::M as i8, space::S as i8))
            .desired_width(f32::INFINITY)
            .interactive(!joining.busy)
    };
    ui.spacing_mut().item_spacing.y = space::XS + 2.0;
    let form = &mut screen.join;
    let name_label = label(ui, words::YOUR_NAME);
    let name = ui.add(edit(&mut form.name, words::YOUR_NAME_HINT)).labelled_by(name_label.id);
    ui.add_space(space::S);
    let address_label = label(ui, words::SERVER_ADDRESS);
    let address =
        ui.add(edit(&mut form.address, words::SERVER_ADDRESS_HINT)).labelled_by(address_label.id);
    let others: Vec<String> = screen
        .remembered
        .iter()
        .map(ToString::to_string)
        .filter(|it| *it != screen.join.address)
        .take(4)
        .collect();
    if !others.is_empty() && !joining.busy {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().button_padding = egui::vec2(space::S, 1.0);
            ui.spacing_mut().interact_size.y = 24.0;
            for other in others {
                if ui.button(RichText::new(&other).size(size::SMALL)).clicked() {
                    screen.join.address = other;
                }
            }
        });
    }
    if is_first {
        let first_empty = if screen.join.name.is_empty() || !screen.join.address.is_empty() {
            &name
        } else {
            &address
        };
        first_empty.request_focus();
    }
    let entered = ui.input(|it| it.key_pressed(Key::Enter));
    entered && (name.lost_focus() || address.lost_focus())
}

/// Why the last try failed, and what there is to take instead.
fn show_refusal(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let refused = joining.refused.as_ref().or(model.trouble.as_ref());
    if refused.is_none() && joining.offer.is_none() {
        return;
    }
    ui.add_space(space::S);
    Frame::new()
        .fill(colours.danger_soft)
        .corner_radius(round::LARGE)
        .inner_margin(Margin::same(space::M as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            if let Some(trouble) = refused {
                ui.add(
                    egui::Label::new(RichText::new(words::trouble(trouble)).color(colours.text))
                        .wrap(),
                );
            }
            if let Some(free) = &joining.suggestion
                && ui.button(words::take_name(free.as_str())).clicked()
            {
                screen.join.name = free.as_str().to_owned();
                let (name, address) = (screen.join.name.clone(), screen.join.address.clone());
                intents.push(Intent::Join { name, address });
            }
            if let Some(offer) = &joining.offer
                && ui.button(words::join_offer(&offer.to_string())).clicked()
            {
                screen.join.address = offer.to_string();
                let name = screen.join.name.clone();
                intents.push(Intent::Join { name, address: offer.to_string() });
            }
        });
}

fn wide_button(ui: &mut Ui, says: &str, may: bool, is_main: bool) -> egui::Response {
    let size = egui::vec2(ui.available_width(), size::CONTROL + 6.0);
    ui.allocate_ui_with_layout(
        size,
        Layout::centered_and_justified(egui::Direction::TopDown),
        |ui| {
            if is_main {
                button(ui, says, may, size)
            } else {
                ui.add_enabled(may, Button::new(says).min_size(size))
            }
        },
    )
    .inner
}

/// The button that one came for.
pub(super) fn main_button(ui: &mut Ui, says: &str, may: bool) -> egui::Response {
    button(ui, says, may, egui::vec2(0.0, size::CONTROL))
}

fn button(ui: &mut Ui, says: &str, may: bool, min: egui::Vec2) -> egui::Response {
    let colours = palette(ui);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for (widget, fill) in [
            (&mut widgets.inactive, colours.accent),
            (&mut widgets.hovered, colours.accent_hover),
            (&mut widgets.active, colours.accent_hover),
        ] {
            widget.weak_bg_fill = fill;
            widget.bg_fill = fill;
            widget.bg_stroke = egui::Stroke::new(1.0, fill);
            widget.fg_stroke.color = colours.on_accent;
        }
        let text = RichText::new(says).font(theme::strong(size::BODY));
        ui.add_enabled(may, Button::new(text).min_size(min))
    })
    .inner
}
