//! The account page: what a guest can become, and what somebody with an account sees to.
//!
//! One form at a time is open, in its own card; what became of it is said there.

mod cards;
mod codes;
mod sessions;

use egui::Ui;
use parlor_shared::Role;

use super::Screen;
use super::theme::space;
use super::{form, says};
use crate::model::{Deed, Intent, Model, Secret};
use crate::words;

pub(super) use codes::modal as codes_modal;
pub(super) use sessions::row as session_row;

/// What is typed into the page's forms.
#[derive(Debug, Default)]
pub(super) struct AccountForm {
    /// The card whose form is open.
    pub open: Option<Deed>,
    pub name: String,
    pub email: String,
    pub old: Secret,
    pub new: Secret,
    pub code: Secret,
    pub typed: String,
    pub erase: bool,
    pub is_shown: bool,
    pub is_begun: bool,
    /// The codes were copied since they came up.
    pub is_copied: bool,
}

impl AccountForm {
    /// Opens a card with empty fields; whatever was typed into another one is gone.
    pub(super) fn open(&mut self, deed: Option<Deed>) {
        *self = Self { open: deed, ..Self::default() };
    }
}

pub(super) fn ui(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some(me) = &model.me else { return };
    ui.spacing_mut().item_spacing.y = space::S;
    close_what_is_done(model, screen);
    cards::head(ui, me);
    if me.account {
        cards::name(ui, model, screen, intents);
        cards::password(ui, model, screen, intents);
        cards::recovery(ui, model, screen, intents);
        cards::email(ui, model, screen, intents);
    } else {
        cards::register(ui, model, screen, intents);
        cards::name(ui, model, screen, intents);
    }
    sessions::ui(ui, model, screen, intents);
    if me.role != Role::Owner {
        cards::claim(ui, model, screen, intents);
    }
    cards::leaving(ui, model, screen, intents);
}

/// A form whose deed went well closes by itself.
fn close_what_is_done(model: &Model, screen: &mut Screen) {
    if let Some((deed, Ok(_))) = &model.account.outcome
        && screen.account.open == Some(*deed)
    {
        screen.account.open(None);
    }
}

/// What became of the latest deed, where it is this one.
fn outcome(ui: &mut Ui, model: &Model, screen: &Screen, deed: Deed) {
    let colours = super::theme::palette(ui);
    match &model.account.outcome {
        Some((it, Ok(outcome))) if *it == deed => {
            form::note(ui, colours.accent_soft, &words::account::outcome(deed, *outcome));
        }
        Some((it, Err(trouble))) if *it == deed => {
            form::note(ui, colours.danger_soft, &says::trouble(screen, trouble));
        }
        Some(_) | None => {}
    }
}
