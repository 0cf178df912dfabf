//! Says, from what was seen, what should happen next and why.

pub mod names;
pub mod version;
pub mod window;
