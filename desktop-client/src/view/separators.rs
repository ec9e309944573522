//! What stands between messages: a new day, the first unread one, a clock that was set back, and
//! a word about what lies above the oldest.

use egui::{Rect, Sense, Stroke, Ui, WidgetInfo};

use super::blocks::Block;
use super::message::{MARGIN, Sight};
use super::theme::{self, palette, size, space};
use crate::model::History;
use crate::words;

pub(super) const SEPARATOR: f32 = 44.0;
const CAP: f32 = 56.0;

pub(super) enum Separator {
    /// What lies above the oldest row.
    Cap(String),
    Line {
        says: String,
        is_new: bool,
    },
}

impl Separator {
    pub(super) fn height(&self) -> f32 {
        match self {
            Self::Cap(_) => CAP,
            Self::Line { .. } => SEPARATOR,
        }
    }
}

/// What stands above a block, from the top.
pub(super) fn separators(see: &Sight<'_>, block: &Block) -> Vec<Separator> {
    let mut separators = Vec::new();
    if see.oldest == Some(block.first) {
        let says = match see.room.history {
            History::More => words::OLDER_ABOVE.to_owned(),
            History::Loading => words::LOADING_OLDER.to_owned(),
            History::Complete => words::beginning_of(see.room.name.as_str()),
            History::Full => words::TOO_MUCH.to_owned(),
        };
        separators.push(Separator::Cap(says));
    }
    if block.new_day {
        let says = see.calendar.day_in_words(block.at, see.now);
        separators.push(Separator::Line { says, is_new: false });
    }
    if block.clock_back {
        let says = words::CLOCK_CHANGED.to_owned();
        separators.push(Separator::Line { says, is_new: false });
    }
    if see.divider.is_some_and(|it| (block.first..=block.last).contains(&it)) {
        let says = words::NEW_MESSAGES.to_owned();
        separators.push(Separator::Line { says, is_new: true });
    }
    separators
}

/// Draws one into its place.
pub(super) fn show_separator(ui: &Ui, separator: &Separator, at: Rect) {
    let colours = palette(ui);
    match separator {
        Separator::Cap(says) => {
            let font = theme::plain(size::SMALL);
            ui.painter().text(at.center(), egui::Align2::CENTER_CENTER, says, font, colours.weak);
        }
        Separator::Line { says, is_new } => {
            let colour = if *is_new { colours.accent } else { colours.line };
            let ink = if *is_new { colours.accent } else { colours.weak };
            let font = theme::strong(size::TINY + 0.5);
            let text = ui.fonts_mut(|it| it.layout_no_wrap(says.clone(), font, ink));
            let half = text.size().x / 2.0 + space::M;
            let y = at.center().y.round();
            let line = Stroke::new(1.0, colour);
            let (left, right) = (at.left() + MARGIN, at.right() - MARGIN);
            ui.painter().hline(left..=at.center().x - half, y, line);
            ui.painter().hline(at.center().x + half..=right, y, line);
            ui.painter().galley(at.center() - text.size() / 2.0, text, ink);
        }
    }
    let response =
        ui.interact(at, ui.scope_id().with(("separator", at.top() as i32)), Sense::hover());
    let says = match separator {
        Separator::Cap(says) | Separator::Line { says, .. } => says,
    };
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, says));
}
