//! The words on the wire, and the house rules that no compiler sees.

mod decoder;
mod golden;
mod kinds;
mod limits;
mod names;
mod networks;
mod read_aloud;
mod readme;
mod secrets;
mod tidy;
mod values;
