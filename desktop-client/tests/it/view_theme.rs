//! Both themes can be read.

use parlor_desktop::view::theme::{DARK, HUES, LIGHT, Palette, hue_of};
use parlor_shared::UserId;

/// WCAG 2.2: relative luminance of an sRGB colour.
fn luminance(colour: egui::Color32) -> f64 {
    let part = |it: u8| {
        let it = f64::from(it) / 255.0;
        if it <= 0.040_45 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
}

fn contrast(a: egui::Color32, b: egui::Color32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_what_the_standard_says() {
    let black_on_white = contrast(egui::Color32::BLACK, egui::Color32::WHITE);
    assert!((black_on_white - 21.0).abs() < 0.01);
    let grey = egui::Color32::from_rgb(0x77, 0x77, 0x77);
    assert!((contrast(grey, egui::Color32::WHITE) - 4.48).abs() < 0.01, "a known example");
}

#[test]
fn everything_can_be_read() {
    let mut wrong = Vec::new();
    for (theme, palette) in [("light", &LIGHT), ("dark", &DARK)] {
        let pairs = Palette::pairs(palette);
        assert!(pairs.len() > 50, "all pairs are looked at");
        for (name, ink, ground, least) in pairs {
            let found = contrast(ink, ground);
            if found < f64::from(least) {
                wrong.push(format!("{theme}: {name} has {found:.2}, wanted {least}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_first_people_of_a_chat_all_differ() {
    let hues: std::collections::BTreeSet<usize> = (1..=10).map(|it| hue_of(UserId(it))).collect();
    assert_eq!(hues.len(), HUES);
    assert_eq!(hue_of(UserId(7)), hue_of(UserId(7)));
}
