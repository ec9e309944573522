//! The face: reads the model, draws it, and returns what the person wants as intents.
//!
//! Invariant: it never writes the model, opens no socket or file, and knows nothing of the link
//! or the archive. Time comes in with [`Screen`].

mod account;
mod acts;
mod admin;
pub mod bidi;
pub mod blocks;
pub mod calendar;
mod composer;
mod dialogs;
pub mod eye;
mod fate;
pub mod fonts;
mod form;
pub mod heights;
pub mod icons;
mod join;
mod key_changed;
pub mod links;
mod members;
mod message;
mod news;
mod notices;
mod page;
mod rooms;
mod says;
mod screen;
mod separators;
mod status;
mod talking;
pub mod theme;
mod timeline;

use egui::{Context, Ui};

pub use calendar::Calendar;
pub use composer::clean_paste;
pub use page::Page;
pub use screen::Screen;

use crate::model::{Intent, Model, Stage};

/// Once, before the first frame: fonts and themes.
pub fn install(ctx: &Context) {
    fonts::install(ctx);
    theme::install(ctx);
}

/// Draws everything into the window.
pub fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen) -> Vec<Intent> {
    let mut intents = Vec::new();
    screen.follow(model);
    match &model.stage {
        Stage::Joining(joining) => join::ui(ui, model, joining, screen, &mut intents),
        Stage::Talking => match screen.page {
            Some(page) => page::ui(ui, page, model, screen, &mut intents),
            None => talking::ui(ui, model, screen, &mut intents),
        },
    }
    account::codes_modal(ui, model, screen, &mut intents);
    acts::dialog(ui, model, screen, &mut intents);
    news::all(ui, model, screen, &mut intents);
    match &model.key_changed {
        Some(changed) => key_changed::ui(ui, changed, screen, &mut intents),
        None => screen.has_asked_about_key = false,
    }
    if let Some(question) = model.asking {
        dialogs::question(ui, question, &mut intents);
    }
    intents
}
