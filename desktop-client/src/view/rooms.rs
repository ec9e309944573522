//! The left pane: the rooms one is in with what is unread, and who one is.

use egui::{
    Align, Frame, Layout, Margin, Panel, Popup, PopupCloseBehavior, Rect, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};
use parlor_shared::RoomId;

use super::Screen;
use super::icons::{self, Icon};
use super::screen::Drawer;
use super::theme::{self, palette, round, size, space};
use crate::model::{Intent, Model, Room, Section};
use crate::words;

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let head = Frame::new().inner_margin(Margin {
        left: space::L as i8,
        right: space::S as i8,
        ..Margin::ZERO
    });
    Panel::top("rooms head").exact_size(size::HEADER).show_separator_line(false).frame(head).show(
        ui,
        |ui| {
            ui.horizontal_centered(|ui| {
                if screen.drawer == Some(Drawer::Rooms) {
                    if icons::button(ui, Icon::Back, words::BACK).clicked() {
                        screen.drawer = None;
                    }
                } else {
                    let (sign, _) = ui.allocate_exact_size(theme::square(22.0), Sense::hover());
                    icons::sign(ui, sign);
                }
                ui.label(egui::RichText::new(words::APP_NAME).font(theme::strong(size::HEADING)));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icons::button(ui, Icon::Plus, words::ADD_ROOM).clicked() {
                        screen.new_room = Some(String::new());
                        intents.push(Intent::ListRooms);
                    }
                });
            });
        },
    );
    let foot = Frame::new().inner_margin(Margin::symmetric(space::M as i8, space::S as i8));
    Panel::bottom("me").frame(foot).show(ui, |ui| show_me(ui, model, screen, intents));
    let list = Frame::new().inner_margin(Margin::symmetric(space::S as i8, 0));
    egui::CentralPanel::no_frame().frame(list).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink([false; 2]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            // By name, as one looks for them; the lobby, where everybody is, first.
            let mut rooms: Vec<(&RoomId, &Room)> = model.rooms.iter().collect();
            rooms.sort_by_cached_key(|(id, room)| {
                (**id != parlor_shared::LOBBY_ID, room.name.as_str().to_lowercase(), **id)
            });
            for (id, room) in rooms {
                show_room(ui, model, *id, room, screen, intents);
            }
            ui.add_space(space::L);
        });
    });
}

fn show_room(
    ui: &mut Ui,
    model: &Model,
    id: RoomId,
    room: &Room,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let is_open = model.selected == Some(id);
    let unread = if is_open && screen.drawer != Some(Drawer::Rooms) { 0 } else { room.unread() };
    let size = vec2(ui.available_width(), size::ENTRY);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let says = words::room_entry(room.name.as_str(), unread);
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_open, &says));
    if is_open {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.accent_soft);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.hover);
    }
    focus_ring(ui, &response, rect);
    let strong = unread > 0 || is_open;
    let font = if strong { theme::strong(size::BODY) } else { theme::plain(size::BODY) };
    let ink = if strong { colours.text } else { colours.weak };
    let hash = theme::plain(size::BODY);
    ui.painter().text(
        rect.left_center() + vec2(space::M, 0.0),
        egui::Align2::LEFT_CENTER,
        "#",
        hash,
        colours.weak,
    );
    let mut right = rect.right() - space::S;
    if unread > 0 {
        right = badge(ui, right, rect.center().y, unread) - space::S;
    } else if !room.outbox.is_empty() {
        let mark = Rect::from_center_size(pos2(right - 8.0, rect.center().y), theme::square(13.0));
        icons::paint(ui, Icon::Clock, mark, colours.weak);
        right -= 24.0;
    }
    let left = rect.left() + space::M + 16.0;
    one_line(
        ui,
        room.name.as_str(),
        font,
        ink,
        Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom())),
    );
    if response.clicked() {
        screen.drawer = None;
        intents.push(Intent::Select(id));
    }
    if id != parlor_shared::LOBBY_ID {
        response.context_menu(|ui| {
            if ui.button(words::LEAVE_ROOM).clicked() {
                intents.push(Intent::LeaveRoom(id));
                ui.close();
            }
        });
    }
}

/// The ring round what has the keyboard's focus.
pub(super) fn focus_ring(ui: &Ui, response: &egui::Response, rect: Rect) {
    if response.has_focus() {
        let edge = egui::Stroke::new(1.5, palette(ui).accent);
        ui.painter().rect_stroke(rect, f32::from(round::SMALL), edge, egui::StrokeKind::Inside);
    }
}

/// One line of text in a row, cut where it does not fit.
pub(super) fn one_line(ui: &Ui, text: &str, font: egui::FontId, ink: egui::Color32, rect: Rect) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width().max(8.0));
    let galley = super::bidi::reorder(ui.fonts_mut(|it| it.layout_job(job)), text);
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
}

/// How many are unread, ending at `right`; returns where it begins.
fn badge(ui: &Ui, right: f32, y: f32, count: u64) -> f32 {
    let colours = palette(ui);
    let says = if count > 999 { "999+".to_owned() } else { count.to_string() };
    let text =
        ui.fonts_mut(|it| it.layout_no_wrap(says, theme::strong(size::TINY), colours.on_accent));
    let width = (text.size().x + 12.0).max(20.0);
    let rect = Rect::from_center_size(pos2(right - width / 2.0, y), vec2(width, 20.0));
    ui.painter().rect_filled(rect, 10.0, colours.accent);
    ui.painter().galley(rect.center() - text.size() / 2.0, text, colours.on_accent);
    rect.left()
}

fn show_me(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let colours = palette(ui);
    if let Some(shown) = &model.hosting {
        let says = egui::RichText::new(words::hosting(shown)).size(size::SMALL).color(colours.weak);
        ui.add(egui::Label::new(says).wrap().selectable(true));
        ui.add_space(space::XS);
    }
    let Some(me) = &model.me else { return };
    let row = vec2(ui.available_width(), size::CONTROL + space::XS);
    let (rect, name) = ui.allocate_exact_size(row, Sense::click());
    let says = words::account::your_account(me.name.as_str());
    name.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &says));
    if name.hovered() {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), colours.hover);
    }
    focus_ring(ui, &name, rect);
    let at = pos2(rect.left() + size::AVATAR_SMALL / 2.0 + space::XS, rect.center().y);
    let picture = Rect::from_center_size(at, theme::square(size::AVATAR_SMALL + 4.0));
    icons::avatar(ui, picture, me.name.as_str(), theme::hue_of(me.user));
    let text = rect.with_min_x(picture.right() + space::S).with_max_x(rect.right() - space::S);
    one_line(ui, me.name.as_str(), theme::strong(size::BODY), colours.text, text);
    if name.on_hover_text(words::account::OPEN).clicked() {
        screen.open_account(intents);
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        if icons::button(ui, Icon::Leave, words::SIGN_OUT).clicked() {
            intents.push(Intent::SignOut);
        }
        let theme_button = icons::button(ui, Icon::Sun, words::THEME);
        Popup::menu(&theme_button).show(|ui| choose_theme(ui, screen));
        show_connection(ui, model);
        if me.role.is_admin() && icons::button(ui, Icon::Gear, words::admin::TITLE).clicked() {
            screen.open_admin(Section::default(), intents);
        }
    });
}

/// How private the connection is, and the server's key to compare. There without a connection
/// too: a button that goes would leave its open popup to the next one.
fn show_connection(ui: &mut Ui, model: &Model) {
    let icon = if model.key.is_some() { Icon::Lock } else { Icon::OpenLock };
    let button = icons::button(ui, icon, words::CONNECTION);
    let frame = Frame::popup(ui.style()).inner_margin(Margin::same(space::L as i8));
    Popup::menu(&button)
        // Open while one reads out or copies what it says.
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .layout(Layout::top_down(Align::Min))
        .frame(frame)
        .show(|ui| super::key_changed::connection(ui, model));
}

/// Light, dark, or like the system.
fn choose_theme(ui: &mut Ui, screen: &mut Screen) {
    use egui::ThemePreference::{Dark, Light, System};
    for (choice, says) in
        [(System, words::THEME_SYSTEM), (Light, words::THEME_LIGHT), (Dark, words::THEME_DARK)]
    {
        if ui.selectable_label(screen.theme == choice, says).clicked() {
            screen.theme = choice;
            ui.close();
        }
    }
}
