//! The app's tests in one binary: the brain, the archive, the link, and both brains together.

mod archive;
mod key_changed;
mod keyring;
mod link;
mod link_tls;
mod model;
mod sim;
mod view_account;
mod view_acts;
mod view_admin;
mod view_blocks;
mod view_join;
mod view_list;
mod view_scene;
mod view_stage;
mod view_talking;
mod view_theme;
mod view_timeline;
mod whole;
mod window;
mod window_desktop;
