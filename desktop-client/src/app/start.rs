//! From the command line to the open window, and what to say when there is none.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::{App, program_log};
use crate::archive::{Archive, Keyring, NoKeyring, OpenError, PatientKeyring};
use crate::settings::{self, Profile, ProfileError};
use crate::{host, platform, words};

const ICON: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/icon.png"));

/// How the app is started.
#[derive(Clone, Debug)]
pub struct Start {
    pub profile: String,
    /// Where profiles are kept instead of the system's place; a chat served from here too.
    pub place: Option<PathBuf>,
    /// Join at once: name and address.
    pub join: Option<(String, String)>,
    /// Arguments that make this program a server.
    pub serve: Vec<OsString>,
    /// Where a chat served from here listens instead of the usual port.
    pub serve_at: Option<SocketAddr>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Archive(#[from] OpenError),
    #[error("This program cannot find itself: {0}")]
    NoProgram(std::io::Error),
    #[error("No window can be opened: {0}. {needs}", needs = platform::window_needs())]
    NoWindow(Box<eframe::Error>),
    #[error("The window broke down. {needs}", needs = platform::window_needs())]
    Panicked,
}

/// Opens the window and stays until it is closed.
///
/// # Errors
/// See [`StartError`].
pub fn run(start: Start) -> Result<(), StartError> {
    let profile = Profile::open(start.place.as_deref(), &start.profile)?;
    if let Err(error) = program_log::start(profile.folder()) {
        return Err(ProfileError::Unusable { folder: profile.folder().to_path_buf(), error }.into());
    }
    log::info!("{} {}", words::APP_NAME, env!("CARGO_PKG_VERSION"));
    let plan = host::Plan {
        program: std::env::current_exe().map_err(StartError::NoProgram)?,
        arguments: start.serve,
        kept_in: start.place.as_deref().map(settings::server_place),
        bind: start.serve_at,
    };
    // Opened before the window, so that its trouble can still be said in the terminal; it wakes
    // the window once there is one.
    let window = Arc::new(OnceLock::<egui::Context>::new());
    let to_wake = Arc::clone(&window);
    let wake = move || {
        if let Some(context) = to_wake.get() {
            context.request_repaint();
        }
    };
    let opened = Archive::open(profile.folder(), keyring(), Arc::new(wake))?;
    let viewport = egui::ViewportBuilder::default()
        .with_title(words::APP_NAME)
        .with_app_id("parlor")
        .with_inner_size([1_120.0, 740.0])
        .with_min_inner_size([480.0, 420.0]);
    let viewport = match eframe::icon_data::from_png_bytes(ICON) {
        Ok(icon) => viewport.with_icon(icon),
        Err(error) => {
            log::warn!("no icon: {error}");
            viewport
        }
    };
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let join = start.join;
    let open_window = || {
        let make = |context: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
            let context = &context.egui_ctx;
            let is_first = window.set(context.clone()).is_ok();
            debug_assert!(is_first, "one window");
            Ok(Box::new(App::new(context, profile, opened, plan, join)) as Box<dyn eframe::App>)
        };
        eframe::run_native(words::APP_NAME, options, Box::new(make))
    };
    // A missing library of the system is a panic deep inside; it is to be a sentence.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(open_window)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(StartError::NoWindow(Box::new(error))),
        Err(_) => Err(StartError::Panicked),
    }
}

/// The system's keyring, where this computer is not too busy for it.
fn keyring() -> Box<dyn Keyring> {
    match PatientKeyring::system() {
        Ok(keyring) => Box::new(keyring),
        Err(error) => {
            log::warn!("no thread for the keyring: {error}");
            Box::new(NoKeyring)
        }
    }
}
