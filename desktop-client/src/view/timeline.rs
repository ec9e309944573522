//! The middle pane: what was said in the open room, scrolled by the row.
//!
//! [`Reading`] is what the mouse cares about in one room: its blocks, their heights, and where
//! the eye is. It can be thrown away at any time; only the place in the text is lost.

use egui::{Event, Key, Modifiers, Pos2, Rect, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use parlor_shared::{RoomId, Seq};

use super::Screen;
use super::blocks::{Block, Blocks, Change};
use super::eye::{Eye, Move, Seen};
use super::heights::{Height, Heights};
use super::icons::{self, Icon};
use super::message::{self, Item, Sight, Wants};
use super::theme::{self, palette, round, size, space};
use crate::model::{History, Intent, Model, Room};
use crate::words;

/// Older messages are asked for when less than this many views is left above.
const AHEAD: f32 = 2.0;
/// What the arrow keys scroll, in points.
const STEP: f32 = 60.0;

/// Where one is in a room's timeline.
#[derive(Debug)]
pub(super) struct Reading {
    blocks: Blocks,
    heights: Heights,
    eye: Eye,
    width: f32,
    pixels_per_point: f32,
    divider: Option<Seq>,
    history: History,
    oldest: Option<Seq>,
    /// What this view last reported as seen.
    seen: Seq,
    /// Where to go as soon as there is something to see.
    goal: Option<Goal>,
    /// Where in the scroll bar's handle it was taken, in points.
    grip: f32,
}

#[derive(Clone, Copy, Debug)]
enum Goal {
    /// The first unread message, or the end when all was read.
    Unread,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            blocks: Blocks::default(),
            heights: Heights::default(),
            eye: Eye::End,
            width: 0.0,
            pixels_per_point: 0.0,
            divider: None,
            history: History::More,
            oldest: None,
            seen: Seq(0),
            goal: Some(Goal::Unread),
            grip: 0.0,
        }
    }
}

impl Reading {
    /// The room was opened again: show where the unread messages begin.
    pub(super) fn reopen(&mut self, room: &Room) {
        if room.divider.is_some() && room.divider != self.divider {
            self.goal = Some(Goal::Unread);
        }
    }

    /// To the newest message, as after one's own.
    pub(super) fn go_to_end(&mut self) {
        self.eye = Eye::End;
    }

    /// Takes up what changed in the room, keeping the eye on its row.
    fn follow(&mut self, see: &Sight<'_>, screen_scale: f32) {
        let held = match self.eye {
            Eye::Row { row, .. } => self.blocks.get(row).map(|it| it.last).ok_or(row),
            Eye::End => Err(0),
        };
        let old_len = self.blocks.len();
        let change = self.blocks.follow(&see.room.timeline, see.calendar);
        self.resize(see, change);
        if let Eye::Row { row, .. } = &mut self.eye {
            *row = match held {
                Ok(seq) => self.blocks.index_of(seq).unwrap_or(0),
                // In one's own pending messages, which come after all blocks.
                Err(pending) => pending + self.blocks.len() - old_len.min(self.blocks.len()),
            };
        }
        self.remark(see);
        let is_other_width = (self.width - see.width).abs() > 0.1;
        if is_other_width || (self.pixels_per_point - screen_scale).abs() > f32::EPSILON {
            self.width = see.width;
            self.pixels_per_point = screen_scale;
            self.heights.forget_measures();
        }
        self.heights.truncate(self.blocks.len());
        for _ in &see.room.outbox {
            self.heights.push(Height::estimated(size::LINE as u32 + 4));
        }
    }

    fn resize(&mut self, see: &Sight<'_>, change: Change) {
        let guess = |block: Option<&Block>| {
            Height::estimated(block.map_or(0, |it| message::estimate(see, it)))
        };
        match change {
            Change::Nothing => {}
            Change::Appended { kept } => {
                self.heights.truncate(kept);
                for index in kept..self.blocks.len() {
                    self.heights.push(guess(self.blocks.get(index)));
                }
            }
            Change::Prepended { added, replaced } => {
                let old = self.blocks.len() - added + replaced;
                let new = (0..added).map(|it| guess(self.blocks.get(it)));
                let kept = (replaced..old).map(|it| self.heights.get(it));
                self.heights = Heights::new(new.chain(kept).collect());
            }
            Change::Rebuilt => {
                let all = (0..self.blocks.len()).map(|it| guess(self.blocks.get(it)));
                self.heights = Heights::new(all.collect());
            }
        }
    }

    /// What stands above some blocks (the first unread one, the oldest) may have moved: they
    /// are to be measured again.
    fn remark(&mut self, see: &Sight<'_>) {
        let mut changed = Vec::new();
        if self.divider != see.room.divider {
            changed.extend([self.divider, see.room.divider]);
            self.divider = see.room.divider;
        }
        if self.oldest != see.oldest || self.history != see.room.history {
            changed.extend([self.oldest, see.oldest]);
            (self.oldest, self.history) = (see.oldest, see.room.history);
        }
        for seq in changed.into_iter().flatten() {
            if let Some(row) = self.blocks.index_of(seq) {
                self.heights.set(row, Height::estimated(self.heights.get(row).points));
            }
        }
    }

    fn item<'a>(&'a self, see: &Sight<'a>, row: usize) -> Option<Item<'a>> {
        if let Some(block) = self.blocks.get(row) {
            return Some(Item::Block(block));
        }
        let index = row - self.blocks.len();
        let pending = see.room.outbox.get(index)?;
        let head = index == 0 && message::pending_has_head(self.blocks.last(), see.me, pending.at);
        Some(Item::Pending { pending, head })
    }
}

/// Draws the open room's timeline into what is left of `ui`.
pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    (id, room): (RoomId, &Room),
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let view = ui.available_rect_before_wrap();
    if room.timeline.is_empty() && room.outbox.is_empty() {
        return show_empty(ui, view, model, room);
    }
    ui.advance_cursor_after_rect(view);
    // The newest message does not stick to the composer.
    let view = view.with_max_y(view.bottom() - space::S);
    let screen_scale = ui.ctx().pixels_per_point();
    let Screen { calendar, readings, now, act, .. } = screen;
    let reading = readings.entry(id).or_default();
    let oldest = (!room.timeline.is_empty()).then(|| room.timeline.first_seq());
    let see = Sight {
        id,
        room,
        me: model.me.as_ref(),
        model,
        calendar,
        now: *now,
        width: view.width() - size::SCROLL_BAR - space::XS,
        divider: room.divider,
        oldest,
    };
    reading.follow(&see, screen_scale);
    let bar = Rect::from_min_max(pos2(view.right() - size::SCROLL_BAR - 2.0, view.top()), view.max);
    let moved = wish(ui, view, bar, reading, &see);
    let mut list = ui.new_child(UiBuilder::new().id_salt(("timeline", id)).max_rect(view));
    list.set_clip_rect(view.intersect(ui.clip_rect()));
    list.ctx().accesskit_node_builder(list.unique_id(), |node| {
        node.set_role(egui::Role::List);
        node.set_label(words::TIMELINE);
    });
    let mut wants = Wants { intents, act };
    let seen = show_rows(&mut list, view, reading, &see, moved, &mut wants);
    show_bar(ui, view, bar, &seen);
    report(ui, view, &see, reading, &seen, intents);
    if !seen.at_end {
        show_jump(ui, view, &see, reading, &seen);
    }
}

/// Measures and draws what is in view.
fn show_rows(
    ui: &mut Ui,
    view: Rect,
    reading: &mut Reading,
    see: &Sight<'_>,
    moved: Move,
    wants: &mut Wants<'_>,
) -> Seen {
    let mut heights = std::mem::take(&mut reading.heights);
    let mut eye = reading.eye;
    let measure = |row| reading.item(see, row).map_or(1, |it| message::measure(ui, see, it));
    let seen = eye.look(&mut heights, view.height(), moved, measure);
    let mut y = view.top() + seen.top;
    for row in seen.first..seen.end {
        let known = heights.get(row).points;
        let Some(item) = reading.item(see, row) else { break };
        // Whole pixels, or scrolled text is blurred.
        let top = Pos2::new(view.left(), ui.painter().round_to_pixel_center(y) - 0.5);
        let drawn = message::show(ui, see, item, top, wants);
        if drawn != known {
            // A font was found meanwhile, for instance.
            heights.set(row, Height::measured(drawn));
            ui.ctx().request_repaint();
        }
        y += known as f32;
    }
    reading.heights = heights;
    reading.eye = eye;
    seen
}

/// How the wheel, the keys, the bar and the room's opening want to move the eye.
fn wish(ui: &mut Ui, view: Rect, bar: Rect, reading: &mut Reading, see: &Sight<'_>) -> Move {
    if let Some(Goal::Unread) = reading.goal.take() {
        let unread = see.room.divider.and_then(|it| reading.blocks.index_of(it));
        return match unread {
            Some(row) => Move::ToRow { row, below_top: space::XS },
            None => Move::ToEnd,
        };
    }
    if let Some(to) = drag_bar(ui, view, bar, reading) {
        return Move::To(to);
    }
    let page = view.height() - size::LINE * 2.0;
    let has_focus = ui.memory(|it| it.focused().is_some());
    let keys = [
        (Modifiers::NONE, Key::PageUp, Move::By(-page)),
        (Modifiers::NONE, Key::PageDown, Move::By(page)),
        (Modifiers::COMMAND, Key::Home, Move::To(0.0)),
        (Modifiers::COMMAND, Key::End, Move::ToEnd),
    ];
    let free_keys = [
        (Modifiers::NONE, Key::ArrowUp, Move::By(-STEP)),
        (Modifiers::NONE, Key::ArrowDown, Move::By(STEP)),
        (Modifiers::NONE, Key::Home, Move::To(0.0)),
        (Modifiers::NONE, Key::End, Move::ToEnd),
    ];
    let free_keys = free_keys.iter().filter(|_| !has_focus);
    for (modifiers, key, moved) in keys.iter().chain(free_keys) {
        if ui.input_mut(|it| it.consume_key(*modifiers, *key)) {
            return *moved;
        }
    }
    if !ui.rect_contains_pointer(view) {
        return Move::By(0.0);
    }
    let by = ui.input_mut(|it| std::mem::take(&mut it.smooth_scroll_delta.y));
    Move::By(-by)
}

/// The scroll bar's handle: where it is, and how long.
fn handle(view: Rect, bar: Rect, above: f32, total: f32) -> Option<Rect> {
    if total <= view.height() + 0.5 {
        return None;
    }
    let length = (view.height() / total * bar.height()).max(36.0).min(bar.height());
    let part = (above / (total - view.height())).clamp(0.0, 1.0);
    let top = bar.top() + part * (bar.height() - length);
    Some(Rect::from_min_size(pos2(bar.left(), top), vec2(bar.width() - 2.0, length)))
}

fn drag_bar(ui: &Ui, view: Rect, bar: Rect, reading: &mut Reading) -> Option<f32> {
    let total = reading.heights.total() as f32;
    let above = match reading.eye {
        Eye::End => total - view.height(),
        Eye::Row { row, bottom } => reading.heights.above(row + 1) as f32 - bottom,
    };
    let handle = handle(view, bar, above, total)?;
    let response = ui.interact(
        bar,
        ui.scope_id().with("scroll bar"),
        Sense::click_and_drag() - Sense::FOCUSABLE,
    );
    response
        .widget_info(|| WidgetInfo::labeled(egui::Role::ScrollBar, true, words::SCROLL_POSITION));
    let pointer =
        response.interact_pointer_pos().filter(|_| response.is_pointer_button_down_on())?;
    let is_press = ui.input(|it| it.pointer.any_pressed());
    if is_press {
        reading.grip =
            if handle.contains(pointer) { pointer.y - handle.top() } else { handle.height() / 2.0 };
    }
    let track = (bar.height() - handle.height()).max(1.0);
    let part = ((pointer.y - reading.grip - bar.top()) / track).clamp(0.0, 1.0);
    Some(part * (total - view.height()))
}

fn show_bar(ui: &Ui, view: Rect, bar: Rect, seen: &Seen) {
    let Some(handle) = handle(view, bar, seen.above, seen.total) else { return };
    let colours = palette(ui);
    let is_near = ui.rect_contains_pointer(bar.expand(4.0));
    let colour = if is_near { colours.weak } else { colours.edge };
    let thin = if is_near { handle } else { handle.with_min_x(handle.left() + 2.0) };
    ui.painter().rect_filled(thin, size::SCROLL_BAR / 2.0, colour);
}

/// Tells the model what was seen and what is missing.
fn report(
    ui: &Ui,
    view: Rect,
    see: &Sight<'_>,
    reading: &mut Reading,
    seen: &Seen,
    intents: &mut Vec<Intent>,
) {
    if seen.above < view.height() * AHEAD && see.room.history == History::More {
        intents.push(Intent::LoadOlder(see.id));
    }
    let shown = match seen.end.checked_sub(1).and_then(|it| reading.blocks.get(it)) {
        Some(block) => block.last,
        None => see.room.timeline.last_seq(),
    };
    let has_focus = ui.input(|it| it.focused);
    if has_focus && shown > see.room.read_seq && shown > reading.seen {
        reading.seen = shown;
        intents.push(Intent::Seen { room: see.id, seq: shown });
    }
}

/// The button that goes to the newest message and says how many are below.
fn show_jump(ui: &mut Ui, view: Rect, see: &Sight<'_>, reading: &mut Reading, seen: &Seen) {
    let timeline = &see.room.timeline;
    let shown = seen.end.checked_sub(1).and_then(|it| reading.blocks.get(it));
    let nth = shown.and_then(|it| timeline.get(timeline.index_of(it.last)?)).map(|it| it.nth);
    let below = nth.map_or(0, |it| see.room.last_nth.0.saturating_sub(it.0));
    let says = if below == 0 { words::JUMP_TO_NEWEST.to_owned() } else { words::new_below(below) };
    let colours = palette(ui);
    let text = ui
        .fonts_mut(|it| it.layout_no_wrap(says.clone(), theme::strong(size::SMALL), colours.text));
    let pill = vec2(text.size().x + 46.0, 32.0);
    let min = pos2(view.right() - pill.x - space::XL, view.bottom() - pill.y - space::M);
    let rect = Rect::from_min_size(min, pill);
    let response = ui.interact(rect, ui.scope_id().with("jump"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &says));
    let fill = if response.hovered() { colours.hover } else { colours.raised };
    let shadow = ui.visuals().popup_shadow.as_shape(rect, 16.0);
    ui.painter().add(shadow);
    let edge = if response.has_focus() { colours.accent } else { colours.edge };
    let stroke = egui::Stroke::new(1.0, edge);
    ui.painter().rect(rect, f32::from(round::CARD), fill, stroke, egui::StrokeKind::Inside);
    let icon =
        Rect::from_center_size(pos2(rect.left() + 20.0, rect.center().y), theme::square(14.0));
    icons::paint(ui, Icon::Down, icon, colours.accent);
    ui.painter().galley(
        pos2(rect.left() + 34.0, rect.center().y - text.size().y / 2.0),
        text,
        colours.text,
    );
    if response.clicked() {
        reading.eye = Eye::End;
        ui.ctx().request_repaint();
    }
}

/// Nothing to show: because nothing was said, or not yet.
fn show_empty(ui: &mut Ui, view: Rect, model: &Model, room: &Room) {
    let is_complete = room.history == History::Complete && !room.is_catching_up();
    let is_online = model.link == crate::model::LinkState::Online;
    let (title, hint) = match (is_complete, is_online) {
        (true, _) => (words::NOTHING_SAID, words::SAY_SOMETHING),
        (false, true) => (words::LOADING, ""),
        (false, false) => (words::OFFLINE, ""),
    };
    let colours = palette(ui);
    let builder = UiBuilder::new()
        .max_rect(Rect::from_center_size(view.center(), vec2(view.width() - space::XL, 80.0)));
    ui.scope_builder(builder.layout(egui::Layout::top_down(egui::Align::Center)), |ui| {
        ui.label(egui::RichText::new(title).font(theme::strong(size::HEADING)));
        if !hint.is_empty() {
            ui.label(egui::RichText::new(hint).color(colours.weak));
        }
    });
    ui.advance_cursor_after_rect(view);
}

/// True when a key was typed that belongs into the composer, wherever the focus is.
#[must_use]
pub(super) fn is_typing(ui: &Ui) -> bool {
    ui.input(|it| {
        it.events.iter().any(|it| matches!(it, Event::Text(text) if !text.trim().is_empty()))
    })
}
