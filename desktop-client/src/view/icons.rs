//! The few pictures of the app, drawn with lines so that they are sharp at every size.

use egui::{Color32, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::theme::{self, palette, round, size};

/// What a picture shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Icon {
    Plus,
    Cross,
    People,
    Rooms,
    Down,
    Send,
    Leave,
    Back,
    Clock,
    Check,
    Warning,
    Sun,
    Gear,
    More,
    Bell,
    Lock,
    OpenLock,
}

/// A button that is a picture; its name is a tooltip and what a screen reader says.
pub fn button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(theme::square(size::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), name));
    let palette = palette(ui);
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(round::SMALL), palette.hover);
    }
    if response.has_focus() {
        let edge = Stroke::new(1.5, palette.accent);
        ui.painter().rect_stroke(rect, f32::from(round::SMALL), edge, egui::StrokeKind::Inside);
    }
    let colour = if response.hovered() { palette.text } else { palette.weak };
    paint(ui, icon, Rect::from_center_size(rect.center(), theme::square(18.0)), colour);
    response.on_hover_text(name)
}

/// Draws into a square.
pub fn paint(ui: &Ui, icon: Icon, at: Rect, colour: Color32) {
    let painter = ui.painter();
    let stroke = Stroke::new((at.width() / 11.0).max(1.2), colour);
    let p = |x: f32, y: f32| -> Pos2 { at.min + vec2(x, y) * at.width() };
    let lines = |points: &[(f32, f32)]| {
        let points: Vec<Pos2> = points.iter().map(|(x, y)| p(*x, *y)).collect();
        painter.line(points, stroke);
    };
    let circle = |x: f32, y: f32, radius: f32| {
        painter.circle_stroke(p(x, y), radius * at.width(), stroke);
    };
    match icon {
        Icon::Plus => {
            lines(&[(0.5, 0.15), (0.5, 0.85)]);
            lines(&[(0.15, 0.5), (0.85, 0.5)]);
        }
        Icon::Cross => {
            lines(&[(0.22, 0.22), (0.78, 0.78)]);
            lines(&[(0.78, 0.22), (0.22, 0.78)]);
        }
        Icon::People => {
            circle(0.38, 0.32, 0.17);
            lines(&arc(0.38, 0.92, 0.32, 180.0, 360.0));
            lines(&arc(0.62, 0.32, 0.17, 270.0, 450.0));
            lines(&arc(0.66, 0.92, 0.32, 275.0, 360.0));
        }
        Icon::Rooms => {
            for y in [0.24, 0.5, 0.76] {
                lines(&[(0.12, y), (0.88, y)]);
            }
        }
        Icon::Down => {
            lines(&[(0.5, 0.12), (0.5, 0.84)]);
            lines(&[(0.2, 0.56), (0.5, 0.86), (0.8, 0.56)]);
        }
        Icon::Send => {
            lines(&[(0.1, 0.12), (0.92, 0.5), (0.1, 0.88), (0.22, 0.5), (0.1, 0.12)]);
            lines(&[(0.22, 0.5), (0.55, 0.5)]);
        }
        Icon::Leave => {
            lines(&[(0.48, 0.12), (0.14, 0.12), (0.14, 0.88), (0.48, 0.88)]);
            lines(&[(0.4, 0.5), (0.9, 0.5)]);
            lines(&[(0.68, 0.28), (0.9, 0.5), (0.68, 0.72)]);
        }
        Icon::Back => lines(&[(0.62, 0.14), (0.26, 0.5), (0.62, 0.86)]),
        Icon::Clock => {
            circle(0.5, 0.5, 0.4);
            lines(&[(0.5, 0.26), (0.5, 0.52), (0.68, 0.62)]);
        }
        Icon::Check => lines(&[(0.14, 0.54), (0.4, 0.8), (0.88, 0.22)]),
        Icon::Warning => {
            lines(&[(0.5, 0.1), (0.95, 0.88), (0.05, 0.88), (0.5, 0.1), (0.95, 0.88)]);
            lines(&[(0.5, 0.4), (0.5, 0.62)]);
            painter.circle_filled(p(0.5, 0.75), stroke.width * 0.65, colour);
        }
        Icon::Lock | Icon::OpenLock => {
            lines(&[(0.18, 0.46), (0.82, 0.46), (0.82, 0.9), (0.18, 0.9), (0.18, 0.46)]);
            lines(&arc(0.5, 0.32, 0.2, 180.0, 360.0));
            lines(&[(0.3, 0.32), (0.3, 0.46)]);
            let end = if icon == Icon::Lock { 0.46 } else { 0.36 };
            lines(&[(0.7, 0.32), (0.7, end)]);
        }
        Icon::Gear | Icon::More | Icon::Bell => paint_more(painter, icon, at, colour),
        Icon::Sun => {
            circle(0.5, 0.5, 0.36);
            let half: Vec<Pos2> =
                arc(0.5, 0.5, 0.36, 90.0, 270.0).iter().map(|(x, y)| p(*x, *y)).collect();
            painter.add(egui::Shape::convex_polygon(half, colour, Stroke::NONE));
        }
    }
}

/// The pictures of pages and menus.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are painted above")]
fn paint_more(painter: &egui::Painter, icon: Icon, at: Rect, colour: Color32) {
    let stroke = Stroke::new((at.width() / 11.0).max(1.2), colour);
    let p = |x: f32, y: f32| -> Pos2 { at.min + vec2(x, y) * at.width() };
    let lines = |points: &[(f32, f32)]| {
        let points: Vec<Pos2> = points.iter().map(|(x, y)| p(*x, *y)).collect();
        painter.line(points, stroke);
    };
    let circle = |x: f32, y: f32, radius: f32| {
        painter.circle_stroke(p(x, y), radius * at.width(), stroke);
    };
    match icon {
        Icon::Gear => {
            circle(0.5, 0.5, 0.17);
            circle(0.5, 0.5, 0.33);
            for step in 0..8 {
                let angle = (step as f32 * 45.0).to_radians();
                let (x, y) = (angle.cos(), angle.sin());
                lines(&[(0.5 + x * 0.33, 0.5 + y * 0.33), (0.5 + x * 0.45, 0.5 + y * 0.45)]);
            }
        }
        Icon::More => {
            for x in [0.2, 0.5, 0.8] {
                painter.circle_filled(p(x, 0.5), stroke.width * 0.9, colour);
            }
        }
        Icon::Bell => {
            lines(&arc(0.5, 0.42, 0.26, 180.0, 360.0));
            lines(&[
                (0.24, 0.42),
                (0.24, 0.62),
                (0.14, 0.76),
                (0.86, 0.76),
                (0.76, 0.62),
                (0.76, 0.42),
            ]);
            lines(&arc(0.5, 0.8, 0.1, 0.0, 180.0));
        }
        _ => {}
    }
}

/// Points of an arc, in degrees clockwise from the right.
fn arc(x: f32, y: f32, radius: f32, from: f32, to: f32) -> Vec<(f32, f32)> {
    const STEPS: u8 = 16;
    (0..=STEPS)
        .map(|step| {
            let part = f32::from(step) / f32::from(STEPS);
            let angle = (from + (to - from) * part).to_radians();
            (x + radius * angle.cos(), y + radius * angle.sin())
        })
        .collect()
}

/// Somebody's initials on their colour.
pub fn avatar(ui: &Ui, at: Rect, name: &str, hue: usize) {
    let palette = palette(ui);
    let fill = palette.avatars[hue % theme::HUES];
    ui.painter().circle_filled(at.center(), at.width() / 2.0, fill);
    ui.painter().text(
        at.center(),
        egui::Align2::CENTER_CENTER,
        initials(name),
        theme::strong(at.width() * 0.38),
        palette.on_avatar,
    );
}

/// The first letters of the first two words, or of the only one.
#[must_use]
pub fn initials(name: &str) -> String {
    name.split(|it: char| it.is_whitespace() || matches!(it, '-' | '_' | '.'))
        .filter_map(|word| word.chars().find(|it| it.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

/// A dot beside somebody who is here, a ring beside somebody who is away: told apart without
/// their colours.
pub fn presence(ui: &Ui, at: Pos2, here: bool, ground: Color32) {
    let palette = palette(ui);
    ui.painter().circle_filled(at, 6.0, ground);
    if here {
        ui.painter().circle_filled(at, 4.0, palette.here);
    } else {
        ui.painter().circle_stroke(at, 3.2, Stroke::new(1.5, palette.weak));
    }
}

/// The app's sign: a speech bubble with an open door.
pub fn sign(ui: &Ui, at: Rect) {
    let palette = palette(ui);
    let unit = at.width();
    let p = |x: f32, y: f32| -> Pos2 { at.min + vec2(x, y) * unit };
    let bubble = Rect::from_min_max(p(0.04, 0.06), p(0.96, 0.78));
    ui.painter().rect_filled(bubble, unit * 0.2, palette.accent);
    let tail = vec![p(0.2, 0.7), p(0.5, 0.76), p(0.2, 0.98)];
    ui.painter().add(egui::Shape::convex_polygon(tail, palette.accent, Stroke::NONE));
    let door = Rect::from_min_max(p(0.36, 0.2), p(0.64, 0.66));
    let radius = egui::CornerRadius { nw: 40, ne: 40, sw: 0, se: 0 };
    ui.painter().rect_filled(door, radius, palette.on_accent);
    ui.painter().circle_filled(
        pos2(door.right() - unit * 0.07, door.center().y),
        unit * 0.03,
        palette.accent,
    );
    debug_assert!(door.size() != Vec2::ZERO);
}
