//! Which kinds may have to be looked at below a target.

use crate::target::GroupKind;

/// The kinds that a target of this kind may have to look at. Those that a
/// cluster does not have are lists of none.
pub fn needs_of(_: &GroupKind) -> Vec<GroupKind> {
    Vec::new()
}
