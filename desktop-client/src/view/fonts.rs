//! Which letters there are: Inter for Latin, Greek and Cyrillic, Noto's colour emoji, and for
//! every other script whatever the system has, found when first needed.
//!
//! Invariant: nothing is fetched from anywhere. Where the system has no font for a script its
//! letters are boxes; the text itself is right and can be copied.

use std::sync::Arc;

use egui::{Context, FontData, FontDefinitions, FontFamily};

use super::theme::STRONG;

const INTER: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/fonts/Inter-Regular.otf"));
const INTER_STRONG: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/fonts/Inter-SemiBold.otf"));
const EMOJI: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/fonts/NotoColorEmoji.ttf"));

/// Gives the bundled fonts to egui. The emoji come before the system's fonts, of which some
/// have the same emoji in grey, and after the letters, of which a few are emoji too.
pub fn install(ctx: &Context) {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [("inter", INTER), ("inter-strong", INTER_STRONG), ("emoji", EMOJI)] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let default = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, first) in
        [(FontFamily::Proportional, "inter"), (FontFamily::Name(STRONG.into()), "inter-strong")]
    {
        let mut names = vec![first.to_owned()];
        names.extend(default.iter().cloned());
        names.push("emoji".to_owned());
        fonts.families.insert(family, names);
    }
    if let Some(monospace) = fonts.families.get_mut(&FontFamily::Monospace) {
        monospace.push("emoji".to_owned());
    }
    ctx.set_fonts(fonts);
}
