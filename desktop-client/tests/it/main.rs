//! The app's tests in one binary: the brain, the archive, the link, and both brains together.

mod sim;
