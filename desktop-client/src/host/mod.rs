//! A chat served from this computer.
