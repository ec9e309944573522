//! The quiet line over the timeline: connecting, lost, and what went wrong.

use egui::{Color32, Frame, Margin, Panel, RichText, Ui};

use super::icons::{self, Icon};
use super::theme::{palette, size, space};
use super::{Screen, news, says};
use crate::model::{Intent, LinkState, Model, Trouble};
use crate::words;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    news::ui(ui, model, screen, intents);
    let colours = palette(ui);
    if let Some(says) = connection(ui, model, screen.millis) {
        line(ui, "connection", colours.warning_soft, |ui| {
            ui.label(RichText::new(says).size(size::SMALL).color(colours.warning));
            if matches!(model.link, LinkState::Offline { .. }) {
                let now = RichText::new(words::TRY_NOW).size(size::SMALL);
                if ui.button(now).clicked() {
                    intents.push(Intent::ConnectNow);
                }
            }
        });
    }
    // A lost connection has its own line, which says more.
    let trouble = model
        .trouble
        .as_ref()
        .filter(|it| **it != Trouble::ConnectionLost || model.link == LinkState::Online);
    if let Some(trouble) = trouble {
        line(ui, "trouble", colours.danger_soft, |ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icons::button(ui, Icon::Cross, words::DISMISS).clicked() {
                    intents.push(Intent::Dismiss);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let says = RichText::new(says::trouble(screen, trouble))
                        .size(size::SMALL)
                        .color(colours.text);
                    ui.add(egui::Label::new(says).wrap().selectable(true));
                });
            });
        });
    }
}

/// How the connection is, when it is not simply there.
fn connection(ui: &Ui, model: &Model, now_millis: u64) -> Option<String> {
    match model.link {
        LinkState::Offline { retry_at: Some(at) } => {
            let left = at.saturating_sub(now_millis);
            // The next second's number, when it comes.
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(left % 1_000 + 20));
            Some(words::retrying_in(left.div_ceil(1_000)))
        }
        LinkState::Offline { retry_at: None } => match &model.why_offline {
            Some(why @ Trouble::KeyChanged(_)) => Some(words::trouble(why)),
            Some(_) | None => Some(words::OFFLINE.to_owned()),
        },
        LinkState::Connecting => Some(words::CONNECTING.to_owned()),
        LinkState::Online => None,
    }
}

fn line(ui: &mut Ui, id: &str, fill: Color32, add: impl FnOnce(&mut Ui)) {
    let frame =
        Frame::new().fill(fill).inner_margin(Margin::symmetric(space::L as i8, space::XS as i8));
    Panel::top(id.to_owned()).frame(frame).show_separator_line(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 26.0;
            ui.spacing_mut().button_padding.y = 2.0;
            add(ui);
        });
    });
}
