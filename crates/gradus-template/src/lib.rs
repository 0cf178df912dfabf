//! The templates of proposals: what a branch, a title, a text, a commit or a label is called for a change.
//!
//! People write them, in the language of Jinja. They may do little: no template takes longer than a moment, fills
//! the memory or reads anything but the [`Facts`] of the change. What does not exist is an error, never an empty
//! place, and [`check`] finds it when a manifest is read. The same change makes the same text.

mod comment;
mod engine;
mod error;
mod facts;
mod filters;
mod news;
mod part;
mod rules;
mod sample;

pub use comment::{CommentFacts, EventFacts, comment};
pub use engine::render;
pub use error::{TemplateError, TemplateErrorKind};
pub use facts::{Facts, Made};
pub use news::{check_message, message};
pub use part::Part;
pub use sample::{Sample, check};
