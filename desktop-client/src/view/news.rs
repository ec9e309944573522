//! What concerns oneself, told quietly over whatever is shown: an announcement, and notices that
//! wait until they are read.

use egui::{Align, Color32, Frame, Id, Layout, Margin, Modal, Panel, RichText, ScrollArea, Ui};
use parlor_shared::{Fact, RoomId, UserEvent, UserNews};

use super::icons::{self, Icon};
use super::theme::{self, palette, round, size, space};
use super::{Screen, says};
use crate::model::{Intent, Model};
use crate::words::notices as say;

/// An announcement longer than this is read in the lobby.
const SHOWN_CHARS: usize = 280;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let colours = palette(ui);
    if let Some(event) = &model.announcement
        && let Fact::Announced { text, .. } = &event.fact
    {
        let name = model.names.of(event.by, &event.name);
        let text = says::beginning(text.as_str(), SHOWN_CHARS);
        let says = say::announced(name.as_str(), &text);
        let dismiss = say::DISMISS_ANNOUNCEMENT;
        if line(ui, "announcement", colours.accent_soft, (&says, dismiss), |_| {}) {
            intents.push(Intent::DismissAnnouncement);
        }
    }
    let notices = &model.own.notices;
    if let Some(first) = notices.first() {
        let says = in_words(model, screen, first);
        let count = notices.len();
        let is_dismissed = line(ui, "notice", colours.hover, (&says, say::DISMISS_NOTICE), |ui| {
            let all = RichText::new(say::all_notices(count)).size(size::SMALL);
            if count > 1 && ui.button(all).clicked() {
                screen.notices_open = true;
            }
        });
        if is_dismissed {
            intents.push(Intent::DismissNotice(Some(first.mine)));
        }
    }
}

/// One line of news; true when it was dismissed.
fn line(
    ui: &mut Ui,
    id: &str,
    fill: Color32,
    (says, dismiss): (&str, &str),
    more: impl FnOnce(&mut Ui),
) -> bool {
    let colours = palette(ui);
    let frame =
        Frame::new().fill(fill).inner_margin(Margin::symmetric(space::L as i8, space::XS as i8));
    let panel = Panel::top(id.to_owned()).frame(frame).show_separator_line(false);
    panel
        .show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 26.0;
            ui.spacing_mut().button_padding.y = 2.0;
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let is_dismissed = icons::button(ui, Icon::Cross, dismiss).clicked();
                    more(ui);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let (mark, _) =
                            ui.allocate_exact_size(theme::square(16.0), egui::Sense::hover());
                        icons::paint(ui, Icon::Bell, mark, colours.accent);
                        let says = RichText::new(says).size(size::SMALL).color(colours.text);
                        ui.add(egui::Label::new(says).wrap().selectable(true));
                    });
                    is_dismissed
                })
                .inner
            })
            .inner
        })
        .inner
}

/// All notices, while they are looked at.
pub(super) fn all(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    if !screen.notices_open || model.own.notices.is_empty() {
        screen.notices_open = false;
        return;
    }
    let colours = palette(ui);
    let frame = Frame::popup(ui.style())
        .inner_margin(Margin::same(space::XL as i8))
        .corner_radius(round::CARD);
    let mut is_done = false;
    let dialog = Modal::new(Id::unique("notices")).frame(frame).show(ui.ctx(), |ui| {
        let window = ui.ctx().content_rect();
        ui.set_width(size::FORM.min(window.width() - 2.0 * space::XXL));
        ui.label(RichText::new(say::NOTICES).font(theme::strong(size::HEADING)));
        let most = (window.height() * 0.6).max(120.0);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            for notice in model.own.notices.iter().rev() {
                let when = says::moment(&screen.calendar, screen.now, notice.at);
                let says = in_words(model, screen, notice);
                ui.add(egui::Label::new(RichText::new(says).color(colours.text)).wrap());
                ui.label(RichText::new(when).size(size::TINY).color(colours.weak));
                ui.separator();
            }
        });
        ui.horizontal_wrapped(|ui| {
            if super::join::main_button(ui, say::DISMISS_ALL, true).clicked() {
                intents.push(Intent::DismissNotice(None));
                is_done = true;
            }
            is_done |= ui.button(crate::words::CLOSE).clicked();
        });
    });
    if is_done || dialog.should_close() {
        screen.notices_open = false;
    }
}

fn room_name(model: &Model, room: RoomId) -> Option<&str> {
    let joined = model.rooms.get(&room).map(|it| it.name.as_str());
    joined.or_else(|| model.directory.get(&room).map(|it| it.name.as_str()))
}

/// A notice in a sentence.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have neither room nor time")]
fn in_words(model: &Model, screen: &Screen, notice: &UserEvent) -> String {
    let (room, until) = match &notice.news {
        UserNews::RoomRoleIs { room, .. } => (Some(*room), None),
        UserNews::PutOut { until, .. } => (None, *until),
        UserNews::MutedIn { room, until, .. } => (*room, *until),
        UserNews::UnmutedIn { room } => (*room, None),
        _ => (None, None),
    };
    let room = room.and_then(|it| room_name(model, it));
    let until = until.map(|at| says::moment(&screen.calendar, screen.now, at));
    say::notice(&notice.news, room, until.as_deref())
}
