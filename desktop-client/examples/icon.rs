//! Draws the app's icon: `cargo run --example icon` writes `assets/icon.png`. The same shapes as
//! the sign in the app: a speech bubble with an open door.

use eframe::icon_data::IconDataExt as _;
use parlor_desktop::view::theme::LIGHT;

const SIDE: u32 = 256;
/// Samples per pixel and direction: smooth edges without any library.
const SAMPLES: u32 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            rgba.extend(pixel(x, y));
        }
    }
    let icon = egui::IconData { rgba, width: SIDE, height: SIDE };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/icon.png");
    std::fs::write(path, icon.to_png_bytes()?)?;
    Ok(())
}

fn pixel(x: u32, y: u32) -> [u8; 4] {
    let (mut sum, mut covered) = ([0_u32; 3], 0);
    for step in 0..SAMPLES * SAMPLES {
        let at = |pixel: u32, sub: u32| {
            (pixel as f32 + (sub as f32 + 0.5) / SAMPLES as f32) / SIDE as f32
        };
        if let Some(colour) = colour(at(x, step % SAMPLES), at(y, step / SAMPLES)) {
            covered += 1;
            for (sum, part) in sum.iter_mut().zip(colour.to_array()) {
                *sum += u32::from(part);
            }
        }
    }
    let part = |it: u32| it.checked_div(covered).unwrap_or(0) as u8;
    [part(sum[0]), part(sum[1]), part(sum[2]), (covered * 255 / (SAMPLES * SAMPLES)) as u8]
}

/// What is drawn at a point of the unit square; nothing, for `None`.
fn colour(x: f32, y: f32) -> Option<egui::Color32> {
    let knob = distance(x, y, 0.585, 0.45) < 0.026;
    let is_door = (0.37..0.63).contains(&x) && (0.33..0.65).contains(&y)
        || (distance(x, y, 0.5, 0.33) < 0.13 && y < 0.331);
    if is_door {
        return Some(if knob { LIGHT.accent } else { LIGHT.on_accent });
    }
    let is_bubble = rounded(x, y, (0.04, 0.07), (0.96, 0.78), 0.2);
    // The tail: a triangle under the left half.
    let is_tail = y >= 0.74 && x >= 0.21 && (y - 0.74) / 0.22 + (x - 0.21) / 0.27 <= 1.0;
    (is_bubble || is_tail).then_some(LIGHT.accent)
}

fn distance(x: f32, y: f32, to_x: f32, to_y: f32) -> f32 {
    (x - to_x).hypot(y - to_y)
}

fn rounded(x: f32, y: f32, min: (f32, f32), max: (f32, f32), radius: f32) -> bool {
    let near_x = x.clamp(min.0 + radius, max.0 - radius);
    let near_y = y.clamp(min.1 + radius, max.1 - radius);
    distance(x, y, near_x, near_y) <= radius
}
