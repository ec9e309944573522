//! One block of a timeline: laid out, measured, and drawn.
//!
//! Invariant: measuring and drawing share one layout ([`Shape`]), so a row is drawn exactly as
//! tall as it was measured.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::text_selection::LabelSelectionState;
use egui::{
    Align, Color32, Galley, Pos2, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use parlor_shared::{RoomId, Seq, UnixMillis, UserId};

use super::acts::{self, ActForm};
use super::blocks::{Block, GROUP_MILLIS, Kind};
use super::calendar::Calendar;
use super::fate::{self, CHECK, FOOT};
use super::icons;
use super::separators::{self, SEPARATOR, Separator};
use super::theme::{self, Palette, palette, size, space};
use super::{bidi, links, notices};
use crate::model::{Intent, Me, Model, Pending, PendingState, Room, What};
use crate::words;

/// From the pane's edge to the pictures, and from them to the text.
pub(super) const MARGIN: f32 = space::L + space::XS;
const GUTTER: f32 = MARGIN + size::AVATAR + space::M;
/// Above a message that shows its author, and above one that does not.
const ABOVE_HEAD: f32 = 14.0;
const ABOVE_MORE: f32 = 2.0;
const HEAD: f32 = 22.0;

/// What a row is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    Block(&'a Block),
    Pending { pending: &'a Pending, head: bool },
}

/// What all rows of a room's timeline share in a frame.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub id: RoomId,
    pub room: &'a Room,
    pub me: Option<&'a Me>,
    pub model: &'a Model,
    pub calendar: &'a Calendar,
    pub now: UnixMillis,
    /// The width of the pane, in points.
    pub width: f32,
    /// The block with the first unread message.
    pub divider: Option<Seq>,
    /// The oldest block, over which there is a word about what is above.
    pub oldest: Option<Seq>,
}

/// What may be wanted of a row.
pub(super) struct Wants<'a> {
    pub intents: &'a mut Vec<Intent>,
    /// What is about to be done to an author.
    pub act: &'a mut Option<ActForm>,
}

impl Sight<'_> {
    /// What the author of a row in the timeline is called now.
    fn name_of(&self, user: UserId) -> &str {
        let row = self.room.timeline.iter().rev().find(|(_, it)| it.by == user);
        row.map_or("", |(_, it)| self.model.names.of(user, &it.name).as_str())
    }
}

/// A row, laid out.
struct Shape {
    separators: Vec<Separator>,
    head: Option<(Arc<Galley>, Arc<Galley>)>,
    above: f32,
    body: Arc<Galley>,
    body_left: f32,
    has_foot: bool,
    /// Said to everybody: stands out.
    is_announcement: bool,
    label: String,
}

impl Shape {
    fn top(&self) -> f32 {
        let separators: f32 = self.separators.iter().map(Separator::height).sum();
        separators + self.above
    }

    fn body_top(&self) -> f32 {
        self.top() + if self.head.is_some() { HEAD } else { 0.0 }
    }

    fn height(&self) -> u32 {
        let foot = if self.has_foot { FOOT } else { 0.0 };
        (self.body_top() + self.body.size().y + foot + ABOVE_MORE).ceil() as u32
    }
}

/// A pending message shows its author's name unless the message before is its own author's too.
#[must_use]
pub(super) fn pending_has_head(before: Option<&Block>, me: Option<&Me>, at: UnixMillis) -> bool {
    !before.is_some_and(|before| {
        matches!(before.kind, Kind::Said { .. })
            && me.is_some_and(|me| me.user == before.by)
            && at.since(before.at) < GROUP_MILLIS
    })
}

/// The row's height in whole points.
pub(super) fn measure(ui: &Ui, see: &Sight<'_>, item: Item<'_>) -> u32 {
    shape(ui, see, item).height()
}

/// A guess at the height of a block that was never laid out, in whole points.
#[must_use]
pub(super) fn estimate(see: &Sight<'_>, block: &Block) -> u32 {
    let Kind::Said { head } = block.kind else { return 30 };
    let text = see.room.timeline.index_of(block.first).and_then(|it| see.room.timeline.get(it));
    let text = text.and_then(|it| it.text()).unwrap_or_default();
    // About 7.3 points a letter; one byte a letter is right for Latin and too many for others.
    let per_line = (text_width(see.width) / 7.3).max(1.0);
    let lines = (text.len() as f32 / per_line).ceil().max(1.0)
        + text.bytes().filter(|it| *it == b'\n').count() as f32;
    let day = if block.new_day { SEPARATOR } else { 0.0 };
    let above = if head { ABOVE_HEAD + HEAD } else { ABOVE_MORE };
    (day + above + lines * size::LINE + ABOVE_MORE) as u32
}

pub(super) fn text_width(pane: f32) -> f32 {
    (pane - GUTTER - space::XL - CHECK).clamp(60.0, size::READABLE)
}

/// Draws the row at `top` and says what was wanted.
pub(super) fn show(
    ui: &mut Ui,
    see: &Sight<'_>,
    item: Item<'_>,
    top: Pos2,
    wants: &mut Wants<'_>,
) -> u32 {
    let shape = shape(ui, see, item);
    let height = shape.height();
    let row = Rect::from_min_size(top, vec2(see.width, height as f32));
    let mut y = top.y;
    for separator in &shape.separators {
        let at = Rect::from_min_size(pos2(top.x, y), vec2(see.width, separator.height()));
        separators::show_separator(ui, separator, at);
        y += separator.height();
    }
    let colours = palette(ui);
    let content = Rect::from_min_max(pos2(row.left(), y), row.max);
    let is_hovered = ui.rect_contains_pointer(content);
    let is_said = !matches!(kind_of(item), Some(Kind::Notices | Kind::Act | Kind::Unknown));
    if shape.is_announcement {
        let shade = content.with_min_y(top.y + shape.top() - space::S);
        ui.painter().rect_filled(shade, 0.0, colours.accent_soft);
    } else if is_hovered && is_said {
        let shade = content.with_min_y(top.y + shape.top() - ABOVE_MORE);
        ui.painter().rect_filled(shade, 0.0, colours.hover.gamma_multiply(0.55));
    }
    if let Some((name, time)) = &shape.head {
        let at = pos2(top.x + GUTTER, top.y + shape.top());
        show_head(ui, see, item, name, time, at);
    }
    let body_at = pos2(top.x + shape.body_left, top.y + shape.body_top());
    show_body(ui, see, item, &shape, body_at, wants);
    if is_hovered && shape.head.is_none() && matches!(kind_of(item), Some(Kind::Said { .. })) {
        let time = see.calendar.time(at_of(item));
        let at = pos2(top.x + GUTTER - space::M, body_at.y + size::LINE / 2.0);
        let font = theme::plain(size::TINY);
        ui.painter().text(at, egui::Align2::RIGHT_CENTER, time, font, colours.weak);
    }
    let body = Rect::from_min_size(body_at, shape.body.size());
    fate::show(ui, see, item, body, wants.intents);
    height
}

fn kind_of(item: Item<'_>) -> Option<Kind> {
    match item {
        Item::Block(block) => Some(block.kind),
        Item::Pending { .. } => None,
    }
}

fn at_of(item: Item<'_>) -> UnixMillis {
    match item {
        Item::Block(block) => block.at,
        Item::Pending { pending, .. } => pending.at,
    }
}

fn shape(ui: &Ui, see: &Sight<'_>, item: Item<'_>) -> Shape {
    let colours = palette(ui);
    match item {
        Item::Block(block) => block_shape(ui, see, block, colours),
        Item::Pending { pending, head } => {
            let name = see.me.map_or("", |it| it.name.as_str());
            let user = see.me.map_or(UserId(0), |it| it.user);
            let is_failed = matches!(pending.state, PendingState::Failed(_) | PendingState::Held);
            let colour = if is_failed { colours.text } else { colours.weak };
            let time = see.calendar.time(pending.at);
            let text = pending.text.as_str();
            Shape {
                separators: Vec::new(),
                head: head.then(|| head_galleys(ui, name, user, &time, colours)),
                above: if head { ABOVE_HEAD } else { ABOVE_MORE },
                body: body_galley(ui, text, colour, see.width),
                body_left: GUTTER,
                has_foot: fate::reason(&pending.state).is_some(),
                is_announcement: false,
                label: words::message(name, &time, text, fate::in_words(&pending.state)),
            }
        }
    }
}

fn block_shape(ui: &Ui, see: &Sight<'_>, block: &Block, colours: &Palette) -> Shape {
    let timeline = &see.room.timeline;
    let row = timeline.index_of(block.first).and_then(|it| timeline.get(it));
    let name = row.map_or("", |it| see.model.names.of(it.by, &it.name).as_str());
    let time = see.calendar.time(block.at);
    let separators = separators::separators(see, block);
    match (block.kind, row.map(|it| &it.what)) {
        (Kind::Said { head }, Some(what @ (What::Said(_) | What::Announced(_) | What::Blank))) => {
            let head = head || !separators.is_empty();
            let is_announcement = matches!(what, What::Announced(_));
            let text = row.and_then(|it| it.text());
            let (says, ink) = match text {
                Some(text) => (text, colours.text),
                None => (words::notices::ERASED, colours.weak),
            };
            let shown_time = if is_announcement {
                format!("{time}{}{}", words::BETWEEN, words::notices::ANNOUNCEMENT)
            } else {
                time
            };
            Shape {
                separators,
                head: head.then(|| head_galleys(ui, name, block.by, &shown_time, colours)),
                above: if head { ABOVE_HEAD } else { ABOVE_MORE },
                body: body_galley(ui, says, ink, see.width),
                body_left: GUTTER,
                has_foot: false,
                is_announcement,
                label: words::message(name, &shown_time, says, None),
            }
        }
        (kind, _) => {
            let says = if matches!(kind, Kind::Notices | Kind::Act) {
                let first = timeline.index_of(block.first).unwrap_or(0);
                let last = timeline.index_of(block.last).unwrap_or(first);
                notices::in_words(see, (first..=last).filter_map(|it| timeline.get(it)))
            } else {
                words::NEEDS_NEWER.to_owned()
            };
            let mut job = LayoutJob::simple(
                says.clone(),
                theme::plain(size::SMALL),
                colours.weak,
                text_width(see.width),
            );
            job.break_on_newline = false;
            let body = bidi::reorder(ui.fonts_mut(|it| it.layout_job(job)), &says);
            let label = format!("{says}, {time}");
            Shape {
                separators,
                head: None,
                above: space::S,
                body,
                body_left: GUTTER,
                has_foot: false,
                is_announcement: false,
                label,
            }
        }
    }
}

fn head_galleys(
    ui: &Ui,
    name: &str,
    user: UserId,
    time: &str,
    colours: &Palette,
) -> (Arc<Galley>, Arc<Galley>) {
    let hue = colours.names[theme::hue_of(user)];
    let line = |text: &str, font, colour| {
        ui.fonts_mut(|it| it.layout_no_wrap(text.to_owned(), font, colour))
    };
    (
        bidi::reorder(line(name, theme::strong(size::BODY), hue), name),
        line(time, theme::plain(size::TINY), colours.weak),
    )
}

fn body_galley(ui: &Ui, text: &str, colour: Color32, width: f32) -> Arc<Galley> {
    let colours = palette(ui);
    let format = |is_link: bool| TextFormat {
        font_id: theme::plain(size::BODY),
        color: if is_link { colours.link } else { colour },
        line_height: Some(size::LINE),
        valign: Align::Center,
        ..TextFormat::default()
    };
    let wrap = TextWrapping { max_width: text_width(width), ..TextWrapping::default() };
    let mut job = LayoutJob { wrap, ..LayoutJob::default() };
    let mut from = 0;
    for link in links::find(text) {
        job.append(&text[from..link.start], 0.0, format(false));
        job.append(&text[link.clone()], 0.0, format(true));
        from = link.end;
    }
    job.append(&text[from..], 0.0, format(false));
    bidi::reorder(ui.fonts_mut(|it| it.layout_job(job)), text)
}

fn show_head(
    ui: &Ui,
    see: &Sight<'_>,
    item: Item<'_>,
    name: &Arc<Galley>,
    time: &Arc<Galley>,
    at: Pos2,
) {
    let colours = palette(ui);
    let user = match item {
        Item::Block(block) => block.by,
        Item::Pending { .. } => see.me.map_or(UserId(0), |it| it.user),
    };
    let picture = Rect::from_min_size(at - vec2(GUTTER - MARGIN, 0.0), theme::square(size::AVATAR));
    icons::avatar(ui, picture, name.text(), theme::hue_of(user));
    let room_for_name = see.width - GUTTER - time.size().x - space::XL * 2.0;
    let clip = Rect::from_min_size(at, vec2(room_for_name.max(0.0), HEAD));
    ui.painter().with_clip_rect(clip.intersect(ui.clip_rect())).galley(
        at,
        Arc::clone(name),
        colours.text,
    );
    let after = name.size().x.min(room_for_name) + space::S;
    let baseline = name.size().y - time.size().y - 1.5;
    ui.painter().galley(at + vec2(after, baseline), Arc::clone(time), colours.weak);
}

/// The text, which can be selected and copied, with its links.
fn show_body(
    ui: &mut Ui,
    see: &Sight<'_>,
    item: Item<'_>,
    shape: &Shape,
    at: Pos2,
    wants: &mut Wants<'_>,
) {
    let colours = palette(ui);
    let id = match item {
        Item::Block(block) => ui.scope_id().with(("block", see.id.0, block.last.0)),
        Item::Pending { pending, .. } => ui.scope_id().with(("pending", pending.client_id)),
    };
    let rect = Rect::from_min_size(at, shape.body.size());
    let is_said = !matches!(kind_of(item), Some(Kind::Notices | Kind::Act | Kind::Unknown));
    // Tab goes to what can be done, not through every word that was said.
    let sense = if is_said { Sense::click_and_drag() - Sense::FOCUSABLE } else { Sense::hover() };
    let response = ui.interact(rect, id, sense);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &shape.label));
    if !is_said {
        ui.painter().galley(at, Arc::clone(&shape.body), colours.weak);
        return;
    }
    let body = Arc::clone(&shape.body);
    LabelSelectionState::label_text_selection(ui, &response, at, body, colours.text, Stroke::NONE);
    let text = match item {
        Item::Block(block) => {
            let timeline = &see.room.timeline;
            let row = timeline.index_of(block.first).and_then(|it| timeline.get(it));
            row.and_then(|it| it.text()).unwrap_or_default()
        }
        Item::Pending { pending, .. } => pending.text.as_str(),
    };
    show_links(ui, &shape.body, text, at, &response);
    response.context_menu(|ui| {
        if !text.is_empty() && ui.button(words::COPY_TEXT).clicked() {
            ui.ctx().copy_text(text.to_owned());
            ui.close();
        }
        if let Item::Block(block) = item
            && acts::has_any(see.model, see.id, block.by)
        {
            let name = see.name_of(block.by).to_owned();
            acts::menu(ui, see.model, (see.id, block.by, &name), wants.act, wants.intents);
        }
    });
}

/// Gives each link of a laid-out text its place to click, to tab to and to ask for its target.
fn show_links(ui: &mut Ui, galley: &Galley, text: &str, at: Pos2, body: &Response) {
    for link in links::find(text) {
        let target = &text[link.clone()];
        let chars = text[..link.start].chars().count()..text[..link.end].chars().count();
        let mut passed = 0;
        let mut part = 0_u32;
        for row in &galley.rows {
            let here = passed..passed + row.row.glyphs.len();
            let (from, to) = (chars.start.max(here.start), chars.end.min(here.end));
            passed = here.end + usize::from(row.ends_with_newline);
            if from >= to {
                continue;
            }
            let glyphs = &row.row.glyphs[from - here.start..to - here.start];
            let left = glyphs.iter().map(|it| it.pos.x).fold(f32::INFINITY, f32::min);
            let right = glyphs.iter().map(|it| it.max_x()).fold(0.0, f32::max);
            let rect = Rect::from_min_max(
                at + row.pos.to_vec2() + vec2(left, 0.0),
                at + row.pos.to_vec2() + vec2(right, row.row.size.y),
            );
            // The layout's own line would be at the foot of the row, and would not move with words
            // that change places.
            let baseline = glyphs.first().map_or(rect.bottom(), |it| at.y + row.pos.y + it.pos.y);
            let under = Stroke::new(1.0, palette(ui).link.gamma_multiply(0.6));
            ui.painter().hline(rect.x_range(), baseline + 2.5, under);
            let id = body.id.with(("link", link.start, part));
            part += 1;
            let response = ui.interact(rect, id, Sense::click());
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Link, true, target));
            if response.has_focus() {
                let edge = Stroke::new(1.5, palette(ui).accent);
                ui.painter().rect_stroke(rect.expand(1.0), 3.0, edge, egui::StrokeKind::Outside);
            }
            if response.clicked() {
                ui.ctx().open_url(egui::OpenUrl::new_tab(target));
            }
            response.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(target);
        }
    }
}
