//! How everything looks: the only file with colours, sizes and motion.
//!
//! Two palettes of the same roles, one for light and one for dark; the system chooses unless
//! the person did. A test computes the contrast of every pair that is listed in [`Palette::pairs`].

use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle,
    Theme, Ui, Vec2, Visuals, vec2,
};
use parlor_shared::UserId;

/// The family of names, headings and whatever is unread: the heavier cut of the same face.
pub const STRONG: &str = "strong";

/// Distances, in points. Everything is a multiple of the smallest.
pub mod space {
    pub const XS: f32 = 4.0;
    pub const S: f32 = 8.0;
    pub const M: f32 = 12.0;
    pub const L: f32 = 16.0;
    pub const XL: f32 = 24.0;
    pub const XXL: f32 = 40.0;
}

/// Sizes, in points.
pub mod size {
    pub const BODY: f32 = 15.0;
    pub const SMALL: f32 = 12.5;
    pub const TINY: f32 = 11.0;
    pub const HEADING: f32 = 17.0;
    pub const TITLE: f32 = 34.0;
    /// From one line of a message to the next.
    pub const LINE: f32 = 22.0;
    pub const AVATAR: f32 = 36.0;
    pub const AVATAR_SMALL: f32 = 26.0;
    pub const ROOMS: f32 = 232.0;
    pub const MEMBERS: f32 = 208.0;
    pub const HEADER: f32 = 52.0;
    pub const CONTROL: f32 = 34.0;
    /// A row of the rooms or the members.
    pub const ENTRY: f32 = 34.0;
    pub const FORM: f32 = 380.0;
    /// The column of a page.
    pub const PAGE: f32 = 560.0;
    /// The column of a page with lists.
    pub const LIST: f32 = 820.0;
    /// The sections of a page, beside it.
    pub const SECTIONS: f32 = 190.0;
    /// A dialog with more to read than to fill in.
    pub const READING_FORM: f32 = 560.0;
    /// Half of a key's digits: two lines of eight groups are easier to compare than one and a bit.
    pub const KEY_DIGITS: f32 = 315.0;
    pub const SCROLL_BAR: f32 = 8.0;
    /// Below this width who is here comes and goes by a button.
    pub const NARROW: f32 = 920.0;
    /// Below this width the rooms do so too.
    pub const NARROWEST: f32 = 660.0;
    /// The composer grows to this many lines, then it scrolls.
    pub const COMPOSER_LINES: usize = 8;
    /// Longer lines of text than this are hard to read.
    pub const READABLE: f32 = 760.0;
}

/// Roundings, in points.
pub mod round {
    pub const SMALL: u8 = 6;
    pub const LARGE: u8 = 10;
    pub const CARD: u8 = 16;
}

/// Motion, in seconds. Short, and nothing moves by itself.
pub mod motion {
    pub const QUICK: f32 = 0.08;
    pub const TOOLTIP_DELAY: f32 = 0.35;
}

/// The colours of one theme, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Behind the messages.
    pub canvas: Color32,
    /// Behind the rooms and the members.
    pub side: Color32,
    /// Behind what one types into, and what floats.
    pub raised: Color32,
    /// Hairlines between panes and round fields.
    pub line: Color32,
    /// Round a field, where the edge is all that shows it.
    pub edge: Color32,
    pub text: Color32,
    /// Times, notices, hints: still readable.
    pub weak: Color32,
    pub hover: Color32,
    /// The main button, badges, what is chosen.
    pub accent: Color32,
    pub accent_hover: Color32,
    pub on_accent: Color32,
    /// Behind the chosen room.
    pub accent_soft: Color32,
    pub link: Color32,
    pub selection: Color32,
    pub danger: Color32,
    pub danger_soft: Color32,
    pub warning: Color32,
    pub warning_soft: Color32,
    /// The dot beside somebody who is here.
    pub here: Color32,
    pub shadow: Color32,
    /// Names of authors; index by [`hue_of`].
    pub names: [Color32; HUES],
    /// Behind initials.
    pub avatars: [Color32; HUES],
    pub on_avatar: Color32,
}

/// How many colours people come in.
pub const HUES: usize = 10;

const AVATARS: [Color32; HUES] = [
    rgb(0x0f6f82),
    rgb(0xa94438),
    rgb(0x565ac0),
    rgb(0x47731f),
    rgb(0xa83878),
    rgb(0x2b66b0),
    rgb(0x9a5118),
    rgb(0x20755a),
    rgb(0x8449b3),
    rgb(0x7d610c),
];

pub const LIGHT: Palette = Palette {
    canvas: rgb(0xffffff),
    side: rgb(0xf6f5f2),
    raised: rgb(0xffffff),
    line: rgb(0xe6e3dd),
    edge: rgb(0xc9c5bd),
    text: rgb(0x1f242b),
    weak: rgb(0x5c636f),
    hover: rgb(0xedebe6),
    accent: rgb(0x0f736b),
    accent_hover: rgb(0x0b5f58),
    on_accent: rgb(0xffffff),
    accent_soft: rgb(0xdcebe8),
    link: rgb(0x0b6a80),
    selection: rgb(0xbfe3de),
    danger: rgb(0xb3261e),
    danger_soft: rgb(0xfbeae8),
    warning: rgb(0x7a4b00),
    warning_soft: rgb(0xfdf2da),
    here: rgb(0x1c8f62),
    shadow: Color32::from_black_alpha(28),
    names: AVATARS,
    avatars: AVATARS,
    on_avatar: rgb(0xffffff),
};

pub const DARK: Palette = Palette {
    canvas: rgb(0x191b20),
    side: rgb(0x131518),
    raised: rgb(0x22252b),
    line: rgb(0x2a2d34),
    edge: rgb(0x3d424b),
    text: rgb(0xe4e6ea),
    weak: rgb(0x9aa2ae),
    hover: rgb(0x22252b),
    accent: rgb(0x3fb5a6),
    accent_hover: rgb(0x57c6b8),
    on_accent: rgb(0x06201d),
    accent_soft: rgb(0x1c3733),
    link: rgb(0x67c6d8),
    selection: rgb(0x20524c),
    danger: rgb(0xff958b),
    danger_soft: rgb(0x3b2023),
    warning: rgb(0xf0bd5b),
    warning_soft: rgb(0x352a14),
    here: rgb(0x46c28e),
    shadow: Color32::from_black_alpha(110),
    names: [
        rgb(0x68c3d6),
        rgb(0xf09a8f),
        rgb(0xa9adf5),
        rgb(0x9cc97a),
        rgb(0xf091c0),
        rgb(0x86b6f2),
        rgb(0xe7a36b),
        rgb(0x6fcba5),
        rgb(0xcb9bee),
        rgb(0xd9b857),
    ],
    avatars: AVATARS,
    on_avatar: rgb(0xffffff),
};

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The palette of the theme that is on.
#[must_use]
pub fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// Which of the [`HUES`] somebody has, for as long as they exist. Ids are given in a row, so
/// the first ten people of a chat all differ.
#[must_use]
pub fn hue_of(user: UserId) -> usize {
    (user.0 % HUES as u64) as usize
}

/// The heavier cut at a size.
#[must_use]
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG.into()))
}

/// The normal cut at a size.
#[must_use]
pub fn plain(size: f32) -> FontId {
    FontId::proportional(size)
}

impl Palette {
    /// Every pair (what it is, foreground, background, least contrast) that occurs on the
    /// screen: WCAG 2.2 AA, 4.5 for text and 3 for marks.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, Color32, Color32, f32)> {
        let grounds = [
            ("canvas", self.canvas),
            ("side", self.side),
            ("raised", self.raised),
            ("hover", self.hover),
        ];
        let mut pairs = Vec::new();
        for (ground_name, ground) in grounds {
            for (name, colour) in [
                ("text", self.text),
                ("weak", self.weak),
                ("link", self.link),
                ("danger", self.danger),
                ("warning", self.warning),
            ] {
                pairs.push((format!("{name} on {ground_name}"), colour, ground, 4.5));
            }
            pairs.push((format!("here on {ground_name}"), self.here, ground, 3.0));
            pairs.push((format!("accent on {ground_name}"), self.accent, ground, 3.0));
        }
        for (name, colour, ground) in [
            ("text on accent_soft", self.text, self.accent_soft),
            ("weak on accent_soft", self.weak, self.accent_soft),
            ("text on selection", self.text, self.selection),
            ("on_accent on accent", self.on_accent, self.accent),
            ("on_accent on accent_hover", self.on_accent, self.accent_hover),
            ("danger on danger_soft", self.danger, self.danger_soft),
            ("text on danger_soft", self.text, self.danger_soft),
            ("warning on warning_soft", self.warning, self.warning_soft),
            ("text on warning_soft", self.text, self.warning_soft),
        ] {
            pairs.push((name.to_owned(), colour, ground, 4.5));
        }
        for hue in 0..HUES {
            pairs.push((format!("initials {hue}"), self.on_avatar, self.avatars[hue], 4.5));
            for (ground_name, ground) in [("canvas", self.canvas), ("hover", self.hover)] {
                pairs.push((format!("name {hue} on {ground_name}"), self.names[hue], ground, 4.5));
            }
        }
        pairs
    }
}

/// Gives both themes to egui. The fonts are [`super::fonts`]' matter.
pub fn install(ctx: &Context) {
    ctx.set_style_of(Theme::Light, style(&LIGHT, Visuals::light()));
    ctx.set_style_of(Theme::Dark, style(&DARK, Visuals::dark()));
}

fn style(palette: &Palette, visuals: Visuals) -> Style {
    let mut style = Style { visuals: dress(palette, visuals), ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, plain(size::SMALL)),
        (TextStyle::Body, plain(size::BODY)),
        (TextStyle::Button, plain(size::BODY)),
        (TextStyle::Monospace, FontId::monospace(size::BODY - 1.0)),
        (TextStyle::Heading, strong(size::HEADING)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(space::S, space::S);
    spacing.button_padding = vec2(space::M, 7.0);
    spacing.interact_size = vec2(size::CONTROL, size::CONTROL);
    spacing.window_margin = Margin::same(space::L as i8);
    spacing.menu_margin = Margin::same(space::S as i8);
    spacing.text_edit_width = size::FORM;
    spacing.tooltip_width = size::FORM;
    spacing.scroll.bar_width = size::SCROLL_BAR;
    style.interaction.tooltip_delay = motion::TOOLTIP_DELAY;
    // Labels are not for copying; what people said is, and says so itself.
    style.interaction.selectable_labels = false;
    style.animation_time = motion::QUICK;
    style.url_in_tooltip = true;
    style
}

fn dress(palette: &Palette, mut visuals: Visuals) -> Visuals {
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.link;
    visuals.panel_fill = palette.canvas;
    visuals.window_fill = palette.raised;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(round::CARD);
    visuals.menu_corner_radius = CornerRadius::same(round::LARGE);
    let shadow = Shadow { offset: [0, 6], blur: 24, spread: 0, color: palette.shadow };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.extreme_bg_color = palette.raised;
    visuals.text_edit_bg_color = Some(palette.raised);
    visuals.faint_bg_color = palette.side;
    visuals.code_bg_color = palette.side;
    visuals.error_fg_color = palette.danger;
    visuals.warn_fg_color = palette.warning;
    visuals.selection.bg_fill = palette.selection;
    visuals.selection.stroke = Stroke::new(1.5, palette.accent);
    // A blinking caret would repaint the window for ever.
    visuals.text_cursor.blink = false;
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    visuals.interact_cursor = Some(egui::CursorIcon::PointingHand);

    let radius = CornerRadius::same(round::SMALL);
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, palette.text);
    for (widget, fill, edge) in [
        (&mut widgets.inactive, palette.side, palette.edge),
        (&mut widgets.hovered, palette.hover, palette.edge),
        (&mut widgets.active, palette.accent_soft, palette.accent),
        (&mut widgets.open, palette.hover, palette.edge),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, edge);
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    visuals
}

/// A square of this many points.
#[must_use]
pub fn square(points: f32) -> Vec2 {
    Vec2::splat(points)
}
