//! What differs between Linux, macOS and Windows.

use std::fs::{DirBuilder, OpenOptions};

use parlor_shared::Label;

/// A folder made by this can be looked into by its owner only. Windows gives a user's folders
/// that by themselves.
#[cfg(unix)]
pub fn only_for_owner(builder: &mut DirBuilder) {
    use std::os::unix::fs::DirBuilderExt as _;
    builder.mode(0o700);
}

/// See above.
#[cfg(not(unix))]
pub fn only_for_owner(_builder: &mut DirBuilder) {}

/// A file made by this can be read by its owner only, as above.
#[cfg(unix)]
pub fn only_for_owner_file(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

/// See above.
#[cfg(not(unix))]
pub fn only_for_owner_file(_options: &mut OpenOptions) {}

/// What this computer is called, shortened to what a server takes; `None` where it does not say.
#[must_use]
pub fn computer_name() -> Option<Label> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("COMPUTERNAME").ok());
    let told = told.or_else(|| std::env::var("HOSTNAME").ok())?;
    let name = told.trim();
    let name = &name[..name.floor_char_boundary(parlor_shared::limits::LABEL_BYTES_MAX)];
    if name.is_empty() { None } else { name.parse().ok() }
}

/// What has to be there for a window, when none can be opened.
#[must_use]
pub fn window_needs() -> &'static str {
    if cfg!(target_os = "linux") {
        "It needs a desktop (X11 or Wayland) and, on a bare system, these packages of Debian and \
         Ubuntu: libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 libegl1 libgl1 \
         libgl1-mesa-dri libfontconfig1."
    } else {
        "It needs a desktop session and a graphics driver with OpenGL."
    }
}

/// Tells whether the desktop is dark, now and whenever that changes; never when it does not say.
/// On macOS and Windows the window itself knows.
#[cfg(target_os = "linux")]
pub fn watch_darkness(tell: impl Fn(bool) + Send + 'static) {
    let watch = move || {
        if let Err(error) = portal::watch(&tell) {
            log::info!("the desktop does not say whether it is dark: {error}");
        }
    };
    match crate::threads::start("darkness", watch) {
        // It waits for the desktop's word for as long as the process lives, and holds nothing.
        Ok(thread) => thread.leave(),
        Err(error) => log::warn!("no thread to watch the desktop with: {error}"),
    }
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub fn watch_darkness(_tell: impl Fn(bool) + Send + 'static) {}

/// The settings that desktops share with programs, over the session's D-Bus.
#[cfg(target_os = "linux")]
mod portal {
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::{OwnedValue, Value};

    const SPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    pub(super) fn watch(tell: &impl Fn(bool)) -> zbus::Result<()> {
        let bus = Connection::session()?;
        let settings = Proxy::new(
            &bus,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )?;
        // Listened to before it is asked, so that no change falls in between.
        let changes = settings.receive_signal("SettingChanged")?;
        let now: OwnedValue = settings.call("Read", &(SPACE, KEY))?;
        tell(is_dark(&now));
        for change in changes {
            let (space, key, value): (String, String, OwnedValue) = change.body().deserialize()?;
            if space == SPACE && key == KEY {
                tell(is_dark(&value));
            }
        }
        Ok(())
    }

    /// 1 asks for dark, 2 for light, 0 for nothing. `Read` wraps its answer twice.
    fn is_dark(value: &Value<'_>) -> bool {
        if let Value::Value(inner) = value { is_dark(inner) } else { *value == Value::U32(1) }
    }
}
