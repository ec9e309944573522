//! What differs between Linux, macOS and Windows.

use std::fs::DirBuilder;

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
