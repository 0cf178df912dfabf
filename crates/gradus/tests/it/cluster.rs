//! `gradus controller` as a process of its own, against a real API server and real
//! repositories. Nothing plays Flux but the tests: they write what Flux would.

mod answers;
mod faults;
mod hooks;
pub(crate) mod host;
mod leads;
mod leaving;
mod loaded;
mod parts;
mod poked;
mod release;
mod replayed;
mod rows;
mod said;
mod secrets;
mod skew;
mod stage;
mod told;
mod trouble;
mod walks;

pub(crate) use stage::define;
