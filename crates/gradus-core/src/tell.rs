//! The words: everything that people read of a report, in one place, so that it
//! is the same on the terminal, in a proposal, in the API and on a page.

mod advice;
mod commit;
mod evidence;
mod explain;
mod headline;
mod lines;
mod proposal;
mod sentence;
mod status;
mod time;

pub use advice::advice;
pub use commit::{Trailer, commit_message, promotion_title, trailers_of};
pub use explain::explain;
pub use proposal::{proposal_body, proposal_title};
pub use sentence::sentence;
pub use status::{StatusRow, status_line, status_rows};
pub use time::{Clock, age, duration};
