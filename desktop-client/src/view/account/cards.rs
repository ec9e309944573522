//! The cards of the account page, one deed each.

use egui::{Align, Layout, RichText, Sense, Ui};
use parlor_shared::request::WhatOfMessages;

use super::{AccountForm, outcome};
use crate::model::{AccountWish, Deed, Intent, Me, Model};
use crate::view::Screen;
use crate::view::form;
use crate::view::icons;
use crate::view::theme::{self, palette, size, space};
use crate::words::{self, account as say};

/// Who one is.
pub(super) fn head(ui: &mut Ui, me: &Me) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        let (picture, _) =
            ui.allocate_exact_size(theme::square(size::AVATAR + 12.0), Sense::hover());
        icons::avatar(ui, picture, me.name.as_str(), theme::hue_of(me.user));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let name = RichText::new(me.name.as_str()).font(theme::strong(size::HEADING));
            ui.add(egui::Label::new(name.color(colours.text)).truncate());
            let role = words::notices::who_one_is(me.role, me.account);
            ui.label(RichText::new(role).size(size::SMALL).color(colours.weak));
        });
    });
    ui.add_space(space::XS);
}

/// The card of something that can be changed: what it is now, and the form when it is open.
fn changing(
    ui: &mut Ui,
    (title, now, change): (&str, &str, &str),
    deed: Deed,
    model: &Model,
    screen: &mut Screen,
    form: impl FnOnce(&mut Ui, &mut AccountForm) -> Option<AccountWish>,
) -> Option<Intent> {
    let colours = palette(ui);
    form::card(ui, "", |ui| {
        let is_open = screen.account.open == Some(deed);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if !is_open {
                    // There is nothing yet that could be changed.
                    let is_new = deed == Deed::Claim;
                    let button = ui.button(if is_new { change } else { say::CHANGE });
                    form::name(&button, egui::Role::Button, change);
                    if button.clicked() {
                        screen.account.open(Some(deed));
                    }
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    ui.label(RichText::new(title).font(theme::strong(size::BODY)));
                    if !now.is_empty() {
                        let now = RichText::new(now).size(size::SMALL).color(colours.weak);
                        ui.add(egui::Label::new(now).wrap());
                    }
                });
            });
        });
        let wish = if is_open { form(ui, &mut screen.account) } else { None };
        outcome(ui, model, screen, deed);
        wish.map(Intent::Account)
    })
}

/// The main button and the way out; true when the form is to be sent.
fn buttons(ui: &mut Ui, (yes, may): (&str, bool), is_busy: bool, form: &mut AccountForm) -> bool {
    let mut is_sent = false;
    ui.add_space(space::XS);
    ui.horizontal_wrapped(|ui| {
        if is_busy {
            ui.label(RichText::new(say::WORKING).color(palette(ui).weak));
            return;
        }
        is_sent = form::main_button(ui, yes, may).clicked();
        if ui.button(say::CANCEL).clicked() {
            form.open(None);
        }
    });
    is_sent && may
}

pub(super) fn register(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let is_busy = model.account.deed == Some(Deed::Register);
    form::card(ui, say::GUEST, |ui| {
        form::hint(ui, say::GUEST_EXPLAINED);
        ui.add_space(space::XS);
        let form = &mut screen.account;
        if form.open != Some(Deed::Register) {
            if form::main_button(ui, say::REGISTER, true).clicked() {
                form.open(Some(Deed::Register));
            }
            return outcome(ui, model, screen, Deed::Register);
        }
        let password = form::secret(ui, words::join::PASSWORD, &mut form.new, &mut form.is_shown);
        form::begin(ui, &mut form.is_begun, password.id);
        form::hint(ui, say::PASSWORD_RULE);
        ui.add_space(space::XS);
        let email =
            form::field(ui, say::MAIL_OPTIONAL, &mut form.email, words::join::MAIL_ADDRESS_HINT);
        form::hint(ui, say::MAIL_WHY);
        let may = !form.new.is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&password, &email]);
        if buttons(ui, (say::REGISTER, may), is_busy, form) || is_entered {
            let (password, email) = (form.new.take(), form.email.clone());
            intents.push(Intent::Account(AccountWish::Register { password, email }));
        }
        outcome(ui, model, screen, Deed::Register);
    });
}

pub(super) fn name(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let now = model.me.as_ref().map(|it| it.name.to_string()).unwrap_or_default();
    let is_busy = model.account.deed == Some(Deed::Rename);
    let card = (say::NAME, now.as_str(), say::CHANGE_NAME);
    let wish = changing(ui, card, Deed::Rename, model, screen, |ui, form| {
        form::hint(ui, say::NAME_EXPLAINED);
        let name = form::field(ui, say::NEW_NAME, &mut form.name, &now);
        form::begin(ui, &mut form.is_begun, name.id);
        let may = !form.name.trim().is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&name]);
        let is_sent = buttons(ui, (say::SAVE, may), is_busy, form);
        (is_sent || is_entered).then(|| AccountWish::Rename { name: form.name.clone() })
    });
    intents.extend(wish);
}

pub(super) fn password(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let is_busy = model.account.deed == Some(Deed::ChangePassword);
    let card = (words::join::PASSWORD, "", say::CHANGE_PASSWORD);
    let wish = changing(ui, card, Deed::ChangePassword, model, screen, |ui, form| {
        form::hint(ui, say::PASSWORD_CHANGED_EXPLAINED);
        let old = form::secret(ui, say::OLD_PASSWORD, &mut form.old, &mut form.is_shown);
        form::begin(ui, &mut form.is_begun, old.id);
        let new = form::secret(ui, words::join::NEW_PASSWORD, &mut form.new, &mut form.is_shown);
        form::hint(ui, say::PASSWORD_RULE);
        let may = !form.old.is_empty() && !form.new.is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&old, &new]);
        let is_sent = buttons(ui, (say::CHANGE_PASSWORD, may), is_busy, form);
        (is_sent || is_entered)
            .then(|| AccountWish::ChangePassword { old: form.old.take(), new: form.new.take() })
    });
    intents.extend(wish);
}

pub(super) fn recovery(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let now = model.account.shown.as_ref().map(|it| say::codes_left(it.codes_left));
    let now = now.unwrap_or_default();
    let is_busy = model.account.deed == Some(Deed::NewCodes);
    let card = (say::RECOVERY_CODES, now.as_str(), say::NEW_CODES);
    let wish = changing(ui, card, Deed::NewCodes, model, screen, |ui, form| {
        form::hint(ui, say::NEW_CODES_EXPLAINED);
        let password = form::secret(ui, say::OLD_PASSWORD, &mut form.old, &mut form.is_shown);
        form::begin(ui, &mut form.is_begun, password.id);
        let may = !form.old.is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&password]);
        let is_sent = buttons(ui, (say::NEW_CODES, may), is_busy, form);
        (is_sent || is_entered).then(|| AccountWish::NewCodes { password: form.old.take() })
    });
    intents.extend(wish);
}

pub(super) fn email(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let shown = model.account.shown.as_ref();
    let address = shown.and_then(|it| it.email.as_ref()).map(|it| it.as_str().to_owned());
    let is_verified = shown.is_some_and(|it| it.verified);
    let now = match &address {
        Some(address) if is_verified => address.clone(),
        Some(address) => say::unverified(address),
        None => say::NO_MAIL_ADDRESS.to_owned(),
    };
    let is_busy = model.account.deed == Some(Deed::SetEmail);
    let card = (words::join::MAIL_ADDRESS, now.as_str(), say::SET_MAIL);
    let wish = changing(ui, card, Deed::SetEmail, model, screen, |ui, form| {
        let email = form::field(
            ui,
            words::join::MAIL_ADDRESS,
            &mut form.email,
            words::join::MAIL_ADDRESS_HINT,
        );
        form::begin(ui, &mut form.is_begun, email.id);
        form::hint(ui, say::MAIL_EMPTY_REMOVES);
        let password = form::secret(ui, say::OLD_PASSWORD, &mut form.old, &mut form.is_shown);
        let may = !form.old.is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&email, &password]);
        let is_sent = buttons(ui, (say::SAVE, may), is_busy, form);
        (is_sent || is_entered)
            .then(|| AccountWish::SetEmail { password: form.old.take(), email: form.email.clone() })
    });
    intents.extend(wish);
    // Both forms take a code.
    let is_claiming = screen.account.open == Some(Deed::Claim);
    if address.is_some() && !is_verified && !is_claiming {
        verify(ui, model, screen, intents);
    }
}

/// The code that came by mail proves the address.
fn verify(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let is_busy = model.account.deed.is_some();
    form::card(ui, say::VERIFY, |ui| {
        form::hint(ui, say::VERIFY_EXPLAINED);
        let form = &mut screen.account;
        let hint = words::join::CODE_HINT;
        let code = form::field(ui, words::join::CODE, form.code.text_mut(), hint);
        let may = !form.code.is_empty() && !is_busy;
        let is_entered = may && form::is_entered(ui, &[&code]);
        if form::main_button(ui, say::CONFIRM, may).clicked() || is_entered {
            let code = form.code.take();
            intents.push(Intent::Account(AccountWish::VerifyEmail { code }));
        }
        outcome(ui, model, screen, Deed::VerifyEmail);
    });
}

/// Becoming the owner of a server that was started without the app.
pub(super) fn claim(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let is_busy = model.account.deed == Some(Deed::Claim);
    let card = (say::CLAIM, say::CLAIM_NOW, say::CLAIM_CHANGE);
    let wish = changing(ui, card, Deed::Claim, model, screen, |ui, form| {
        let hint = words::join::CODE_HINT;
        let code = form::field(ui, words::join::CODE, form.code.text_mut(), hint);
        form::begin(ui, &mut form.is_begun, code.id);
        let may = !form.code.is_empty();
        let is_entered = may && !is_busy && form::is_entered(ui, &[&code]);
        let is_sent = buttons(ui, (say::CLAIM_BUTTON, may), is_busy, form);
        (is_sent || is_entered).then(|| AccountWish::Claim { code: form.code.take() })
    });
    intents.extend(wish);
}

/// Signing out, and going for good.
pub(super) fn leaving(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let is_account = model.me.as_ref().is_some_and(|it| it.account);
    form::card(ui, say::LEAVING, |ui| {
        form::hint(ui, if is_account { say::ACCOUNT_SIGN_OUT } else { say::GUEST_SIGN_OUT });
        let is_open = screen.account.open == Some(Deed::Delete);
        ui.horizontal_wrapped(|ui| {
            if ui.button(words::SIGN_OUT).clicked() {
                intents.push(Intent::SignOut);
            }
            let says = if is_account { say::DELETE } else { say::DELETE_GUEST };
            if !is_open && form::danger_button(ui, says, true).clicked() {
                screen.account.open(Some(Deed::Delete));
            }
        });
        if is_open {
            intents.extend(delete(ui, model, &mut screen.account, is_account));
        }
        outcome(ui, model, screen, Deed::Delete);
    });
}

fn delete(ui: &mut Ui, model: &Model, form: &mut AccountForm, is_account: bool) -> Option<Intent> {
    let colours = palette(ui);
    let is_busy = model.account.deed == Some(Deed::Delete);
    form::note(ui, colours.warning_soft, say::DELETE_EXPLAINED);
    if form::radio(ui, !form.erase, say::KEEP_MESSAGES) {
        form.erase = false;
    }
    if form::radio(ui, form.erase, say::ERASE_MESSAGES) {
        form.erase = true;
    }
    if form.erase {
        form::hint(ui, say::ERASE_EXPLAINED);
    }
    if is_account {
        let password = form::secret(ui, words::join::PASSWORD, &mut form.old, &mut form.is_shown);
        form::begin(ui, &mut form.is_begun, password.id);
    }
    form::field(ui, &say::type_to_delete(), &mut form.typed, "");
    let is_meant = form.typed.trim().eq_ignore_ascii_case(say::DELETE_WORD);
    let may = is_meant && (!is_account || !form.old.is_empty());
    let mut is_sent = false;
    ui.horizontal_wrapped(|ui| {
        if is_busy {
            ui.label(RichText::new(say::WORKING).color(colours.weak));
            return;
        }
        is_sent = form::danger_button(ui, say::DELETE_NOW, may).clicked();
        if ui.button(say::CANCEL).clicked() {
            form.open(None);
        }
    });
    let messages = if form.erase { WhatOfMessages::Erase } else { WhatOfMessages::Keep };
    (is_sent && may)
        .then(|| Intent::Account(AccountWish::Delete { password: form.old.take(), messages }))
}
