//! Judges the objects of a cluster: says, from what they hold, which version runs
//! and whether it works. Reads nothing, waits for nobody and knows no clock.
//!
//! [`judge()`] takes a [`TargetSpec`] (which object, and where its version is
//! written) and a [`Sighting`] (the object as it was seen, and a way to ask for
//! those below it) and gives a [`Judged`]: the state, what it rests on, and which
//! other objects had to be looked at.
//!
//! It doubts: a tick of a controller counts for the generation and the revision
//! it was made for, and only as far as the controller waits for what it applies.
//! What cannot be proven is [`State::Unknown`] with its reason.

mod image;
mod judge;
mod kind;
mod needs;
mod notes;
mod owned;
mod read;
mod revision;
mod sighting;
mod slim;
mod state;
mod target;
mod words;

pub use image::Image;
pub use judge::judge;
pub use needs::needs_of;
pub use revision::Revision;
pub use sighting::{Below, Listing, Lookup, NothingBelow, Sighting};
pub use slim::{slim, slim_keeping};
pub use state::{Evidence, Judged, State};
pub use target::{Confidence, GroupKind, ObjectRef, Scope, TargetSpec, VersionSource, Wanted};
