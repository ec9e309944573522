//! The brain alone: what a person sees, input by input.

mod account;
mod admin;
mod hostile;
mod joining;
mod moderation;
mod other_history;
mod outbox;
mod own;
mod people;
mod person;
mod pins;
mod reading;
mod signing_in;
mod sync;
mod timeline;
