//! The right pane: who is here, and who is away.

use egui::{Frame, Margin, Rect, Response, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use parlor_shared::{RoomRole, UserId};

use super::rooms::{focus_ring, one_line};
use super::theme::{self, palette, round, size, space};
use super::{Screen, acts, icons};
use crate::model::{Intent, Member, Model};
use crate::words;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some((id, room)) = model.open_room() else { return };
    let by_name = |here: bool| {
        let mut group: Vec<(&UserId, &Member)> =
            room.members.iter().filter(|(_, it)| it.here == here).collect();
        group.sort_by_cached_key(|(user, it)| (it.name.as_str().to_lowercase(), **user));
        group
    };
    let (here, away) = (by_name(true), by_name(false));
    let frame = Frame::new().inner_margin(Margin::symmetric(space::M as i8, space::S as i8));
    frame.show(ui, |ui| {
        let groups = [(words::HERE, here), (words::AWAY, away)];
        // Headings and people are rows of one height, so that ten thousand cost what is shown.
        let rows: Vec<Row<'_>> = groups
            .iter()
            .filter(|(_, group)| !group.is_empty())
            .flat_map(|(heading, group)| {
                let head = std::iter::once(Row::Heading(heading, group.len()));
                head.chain(group.iter().map(|(user, it)| Row::Person(**user, it)))
            })
            .collect();
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().auto_shrink([false; 2]).show_rows(
            ui,
            size::ENTRY,
            rows.len(),
            |ui, shown| {
                for row in rows.get(shown).unwrap_or_default() {
                    match row {
                        Row::Heading(heading, count) => show_heading(ui, heading, *count),
                        Row::Person(user, it) => {
                            let is_me = model.me.as_ref().is_some_and(|me| me.user == *user);
                            let has_menu = acts::has_any(model, id, *user);
                            let response = show_member(ui, *user, it, is_me, has_menu);
                            if has_menu {
                                let who = (id, *user, it.name.as_str());
                                let act = &mut screen.act;
                                egui::Popup::menu(&response)
                                    .show(|ui| acts::menu(ui, model, who, act, intents));
                            }
                        }
                    }
                }
            },
        );
        if room.members_cut {
            ui.label(words::members_cut(room.members.len()));
        }
    });
}

enum Row<'a> {
    Heading(&'a str, usize),
    Person(UserId, &'a Member),
}

fn show_heading(ui: &mut Ui, heading: &str, count: usize) {
    let colours = palette(ui);
    let says = words::counted(heading, count);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ENTRY), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &says));
    let at = pos2(rect.left() + space::XS, rect.bottom() - space::S);
    let font = theme::strong(size::SMALL);
    ui.painter().text(at, egui::Align2::LEFT_BOTTOM, says, font, colours.weak);
}

fn show_member(
    ui: &mut Ui,
    user: UserId,
    member: &Member,
    is_me: bool,
    has_menu: bool,
) -> Response {
    let colours = palette(ui);
    let sense = if has_menu { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ENTRY), sense);
    let name = member.name.as_str();
    let badge = badge(member);
    let mut says = words::member_entry(name, member.here, is_me);
    if let Some(badge) = badge {
        says = words::acts::member_with_role(&says, badge);
    }
    let role = if has_menu { egui::Role::Button } else { egui::Role::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, &says));
    if has_menu && response.hovered() {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.hover);
    }
    focus_ring(ui, &response, rect);
    let at = pos2(rect.left() + size::AVATAR_SMALL / 2.0 + space::XS, rect.center().y);
    let picture = Rect::from_center_size(at, theme::square(size::AVATAR_SMALL));
    icons::avatar(ui, picture, name, theme::hue_of(user));
    icons::presence(ui, picture.right_bottom() - vec2(3.0, 3.0), member.here, colours.side);
    let ink = if member.here { colours.text } else { colours.weak };
    let mut right = rect.right() - space::XS;
    if let Some(badge) = badge {
        let font = theme::plain(size::TINY);
        let text = ui.fonts_mut(|it| it.layout_no_wrap(badge.to_owned(), font, colours.weak));
        right -= text.size().x;
        let at = pos2(right, rect.center().y - text.size().y / 2.0);
        ui.painter().galley(at, text, colours.weak);
        right -= space::XS;
    }
    let left = picture.right() + space::S + 2.0;
    let shown = if is_me { words::you(name) } else { name.to_owned() };
    one_line(
        ui,
        &shown,
        theme::plain(size::BODY - 1.0),
        ink,
        Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom())),
    );
    response
}

/// What stands beside a name: that somebody cannot write, or keeps order here.
fn badge(member: &Member) -> Option<&'static str> {
    match member.role {
        _ if member.muted => Some(words::admin::MUTED),
        RoomRole::Member => None,
        role @ (RoomRole::Moderator | RoomRole::Owner) => Some(words::notices::room_role(role)),
    }
}
