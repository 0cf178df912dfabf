//! Judges a target.

use crate::sighting::Sighting;
use crate::state::{Judged, State};
use crate::target::TargetSpec;

/// Judges a target by what was seen.
pub fn judge(_: &TargetSpec, _: &Sighting<'_>) -> Judged {
    let state = State::Unknown { why: "its kind is not known".to_owned() };
    Judged { state, evidence: Vec::new(), needs: Vec::new(), lists: Vec::new() }
}
