//! The brain alone: what a person sees, input by input.

mod hostile;
mod joining;
mod other_history;
mod outbox;
mod people;
mod person;
mod pins;
mod reading;
mod sync;
mod timeline;
