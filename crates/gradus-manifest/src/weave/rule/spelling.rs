//! `pull-request` has a dash. It was planned without one.

use super::there;
use crate::convert::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, path: &Path<'_>) {
    let path = path.field("pullRequest");
    if there(reader, &path) {
        let message = "\"pullRequest\" is written \"pull-request\", below \"strategy\"";
        reader.fail(&path, Trouble::new(ManifestErrorKind::UnknownField, message));
    }
}
