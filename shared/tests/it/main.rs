//! The words on the wire, and the house rules that no compiler sees.

mod decoder;
mod golden;
mod limits;
mod names;
mod readme;
mod secrets;
mod tidy;
mod values;
