//! The window's body: ferries between the link, the archive, the host, the model and the view.
//! The only file that knows them all.
//!
//! `logic` drains what came in, `ui` draws and takes what the person wants; both end in
//! `Model::update`, whose effects are performed here.
//!
//! Invariant: nothing repaints while nothing happens. Threads wake the window once per batch of
//! news, and the model says when it next wants the time.

mod clock;
mod files;
mod program_log;
mod start;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use egui::{Context, ViewportCommand};

use crate::archive::Archive;
use crate::host::{self, Host};
use crate::link::Link;
use crate::model::{
    Address, Closed, Effect, FileNews, HostNews, Intent, LinkNews, Model, News, Opened, Question,
};
use crate::platform;
use crate::settings::{Appearance, Profile, Settings};
use crate::view::{self, Calendar, Screen};
use crate::words;
use clock::Clock;
use files::Files;

pub use start::{Start, StartError, run};

/// What may be spent on news before a frame is drawn.
const DRAIN: Duration = Duration::from_millis(10);

/// The app, as the window sees it.
pub struct App {
    model: Model,
    screen: Screen,
    link: Option<Link>,
    host: Option<Host>,
    archive: Archive,
    plan: host::Plan,
    files: Files,
    clock: Clock,
    settings: Settings,
    /// Whether the desktop is dark, each time it says so.
    darkness: Receiver<bool>,
    system_theme: Option<egui::Theme>,
    had_focus: bool,
    may_close: bool,
    title: String,
    profile: Profile,
}

impl App {
    fn new(
        context: &Context,
        profile: Profile,
        (archive, opened): (Archive, Opened),
        plan: host::Plan,
        join: Option<(String, String)>,
    ) -> Self {
        view::install(context);
        // Where nobody says, most desktops are light.
        context.options_mut(|it| it.fallback_theme = egui::Theme::Light);
        let clock = Clock::start();
        let settings = profile.settings();
        let mut screen = Screen::new(Calendar::here());
        screen.remembered = addresses(&opened);
        screen.theme = match settings.appearance {
            Appearance::System => egui::ThemePreference::System,
            Appearance::Light => egui::ThemePreference::Light,
            Appearance::Dark => egui::ThemePreference::Dark,
        };
        let (mut model, effects) = Model::start(opened, clock.moment());
        model.call_device(platform::computer_name());
        let mut app = Self {
            model,
            screen,
            link: None,
            host: None,
            archive,
            plan,
            files: Files::new(),
            clock,
            settings,
            darkness: watch_darkness(context),
            system_theme: None,
            had_focus: false,
            may_close: false,
            title: String::new(),
            profile,
        };
        app.perform(context, effects);
        if let Some((name, address)) = join {
            app.feed(context, News::Intent(Intent::Join { name, address }));
        }
        app
    }

    /// One piece of news through the brain, and what follows from it.
    fn feed(&mut self, context: &Context, news: News) {
        let input = crate::model::Input { moment: self.clock.moment(), news };
        let effects = self.model.update(input);
        self.perform(context, effects);
    }

    fn perform(&mut self, context: &Context, effects: Vec<Effect>) {
        let mut kept = Vec::new();
        let mut failed = Vec::new();
        for effect in effects {
            match effect {
                Effect::Connect { link, address, pin } => {
                    // The old one first: two connections of one device would be one too many.
                    self.link = None;
                    match Link::open(link, address, pin, waker(context)) {
                        Ok(open) => self.link = Some(open),
                        Err(error) => {
                            log::error!("no thread for a connection: {error}");
                            failed.push(News::Link(link, LinkNews::Closed(Closed::Lost)));
                        }
                    }
                }
                Effect::Disconnect => self.link = None,
                Effect::Send(request) => {
                    if let Some(link) = &self.link {
                        link.send(request);
                    }
                }
                Effect::Keep(order) => kept.push(order),
                Effect::StartHost => {
                    self.host = None;
                    match Host::start(self.plan.clone(), waker(context)) {
                        Ok(host) => self.host = Some(host),
                        Err(error) => {
                            let says = words::host_not_started(&error.to_string());
                            failed.push(News::Host(HostNews::Ended { says }));
                        }
                    }
                }
                Effect::WriteFile { name, text } => {
                    let wake = waker(context);
                    if let Err(error) = self.files.write(name, text, move || wake()) {
                        let says = error.to_string();
                        failed.push(News::File(FileNews::Failed { says }));
                    }
                }
                Effect::Quit => {
                    self.may_close = true;
                    context.send_viewport_cmd(ViewportCommand::Close);
                }
            }
        }
        for order in kept {
            self.archive.keep(order);
        }
        for news in failed {
            self.feed(context, news);
        }
    }

    /// The next piece of news of anybody.
    fn next_news(&mut self) -> Option<News> {
        if let Some(news) = self.archive.try_recv() {
            return Some(News::Archive(news));
        }
        // What cannot be kept yet is not read yet; the archive wakes the window when it can.
        if !self.archive.is_behind()
            && let Some(link) = &mut self.link
            && let Some(news) = link.try_recv()
        {
            return Some(News::Link(link.id(), news));
        }
        if let Some(news) = self.files.try_recv() {
            return Some(News::File(news));
        }
        let news = self.host.as_ref().and_then(Host::try_recv)?;
        Some(News::Host(self.host_news(news)))
    }

    fn host_news(&mut self, news: host::News) -> HostNews {
        // Encrypted like everywhere: who else may listen on this computer is not known here.
        let local = |port| Address { host: "127.0.0.1".to_owned(), port, is_plain: false };
        match news {
            host::News::Serving { port, shown } => {
                HostNews::Serving { address: local(port), shown }
            }
            host::News::Unclaimed(code) => HostNews::Unclaimed(code),
            host::News::ServesAlready { port } => HostNews::ServesAlready { address: local(port) },
            host::News::Ended(end) => {
                self.host = None;
                log::warn!("the chat served from here ended: {end:?}");
                HostNews::Ended { says: host_end_in_words(&end) }
            }
        }
    }

    /// Focus, the wish to close, the title and the theme: what the window has apart from its
    /// contents.
    fn follow_window(&mut self, context: &Context) {
        let (has_focus, wants_to_close) =
            context.input(|it| (it.focused, it.viewport().close_requested()));
        if has_focus != self.had_focus {
            self.had_focus = has_focus;
            self.feed(context, News::Intent(Intent::Focus(has_focus)));
        }
        if wants_to_close && !self.may_close {
            context.send_viewport_cmd(ViewportCommand::CancelClose);
            // Asked a second time, the window is meant.
            let is_asking =
                matches!(self.model.asking, Some(Question::CloseWithOthersInside { .. }));
            let intent = if is_asking { Intent::QuitAnyway } else { Intent::Quit };
            self.feed(context, News::Intent(intent));
        }
        let unread: u64 = self.model.rooms.values().map(crate::model::Room::unread).sum();
        let title = words::window_title(unread);
        if title != self.title {
            context.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
        if context.options(|it| it.theme_preference) != self.screen.theme {
            context.set_theme(self.screen.theme);
            self.keep_settings();
        }
    }

    /// A few hundred bytes, when a menu was used.
    fn keep_settings(&mut self) {
        let appearance = match self.screen.theme {
            egui::ThemePreference::System => Appearance::System,
            egui::ThemePreference::Light => Appearance::Light,
            egui::ThemePreference::Dark => Appearance::Dark,
        };
        if self.settings.appearance != appearance {
            self.settings.appearance = appearance;
            if let Err(error) = self.profile.keep(&self.settings) {
                log::warn!("the settings are not kept: {error}");
            }
        }
    }

    /// Comes back when the model wants the time.
    fn set_alarm(&self, context: &Context) {
        if let Some(at) = self.model.next_wake() {
            let wait = at.saturating_sub(self.clock.millis());
            context.request_repaint_after(Duration::from_millis(wait));
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, context: &Context, _frame: &mut eframe::Frame) {
        let begun = Instant::now();
        if self.model.next_wake().is_some_and(|at| at <= self.clock.millis()) {
            self.feed(context, News::Tick);
        }
        while let Some(news) = self.next_news() {
            self.feed(context, news);
            if begun.elapsed() > DRAIN {
                // The rest after this frame: a flood must not freeze the window.
                context.request_repaint();
                break;
            }
        }
        self.follow_window(context);
        self.set_alarm(context);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.screen.now = Clock::wall();
        self.screen.millis = self.clock.millis();
        let intents = view::ui(ui, &self.model, &mut self.screen);
        let context = ui.ctx().clone();
        // Asking for older messages is repeated until they can be had; the answer wakes by itself.
        let is_news = intents.iter().any(|it| !matches!(it, Intent::LoadOlder(_)));
        for intent in intents {
            self.feed(&context, News::Intent(intent));
        }
        if is_news {
            // What was wanted shows in the next frame.
            context.request_repaint();
            self.set_alarm(&context);
        }
    }

    fn raw_input_hook(&mut self, _context: &Context, input: &mut egui::RawInput) {
        if let Some(is_dark) = self.darkness.try_iter().last() {
            self.system_theme = Some(if is_dark { egui::Theme::Dark } else { egui::Theme::Light });
        }
        // What the window knows by itself goes first.
        input.system_theme = input.system_theme.or(self.system_theme);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The connection first, then the chat that it may belong to.
        self.link = None;
        self.host = None;
    }
}

fn waker(context: &Context) -> Arc<dyn Fn() + Send + Sync> {
    let context = context.clone();
    Arc::new(move || context.request_repaint())
}

/// Why there is no chat from this computer, and what to do.
fn host_end_in_words(end: &host::End) -> String {
    match end {
        host::End::NotStarted(why) => words::host_not_started(why),
        host::End::Refused(sentence) => words::host_refused(sentence),
        host::End::Silent => words::HOST_SILENT.to_owned(),
    }
}

/// Asks the desktop for light or dark; each word of it wakes the window.
fn watch_darkness(context: &Context) -> Receiver<bool> {
    let (tell, told) = bounded(8);
    let context = context.clone();
    platform::watch_darkness(move |is_dark| {
        // Only the latest counts; a full queue means that the window is not drawn anyway.
        tell.try_send(is_dark).ok();
        context.request_repaint();
    });
    told
}

/// Where one was signed in before, each once, the latest first.
fn addresses(opened: &Opened) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for session in &opened.sessions {
        if !addresses.contains(&session.address) {
            addresses.push(session.address.clone());
        }
    }
    addresses
}
