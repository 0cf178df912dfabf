//! The words: everything that people read of a report, in one place, so that it
//! is the same on the terminal, in a proposal, in the API and on a page.

mod advice;
mod commit;
mod evidence;
mod explain;
mod headline;
mod lines;
mod news;
mod proposal;
mod sentence;
mod standing;
mod status;
mod time;

pub use advice::advice;
pub use commit::{Trailer, because, commit_message, commit_message_saying, promotion_title, trailers_of};
pub use explain::explain;
pub use news::NewsWords;
pub(crate) use news::{deployed, failed, hold_ends, promoted, proposed, rolled_back, waiting};
pub use proposal::{proposal_body, proposal_title};
pub use sentence::sentence;
pub use standing::{Light, deployed_line, proposal_line, standing_comment, timeless};
pub use status::{StatusRow, status_line, status_rows};
pub use time::{Clock, age, duration};
