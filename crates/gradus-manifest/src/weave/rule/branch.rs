//! A pull request is for a branch. It was called `branch` once, and could be left out once.

use super::{missing, there};
use crate::convert::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, request: &Path<'_>) {
    if there(reader, &request.field("baseBranch")) {
        return;
    }
    let path = request.field("branch");
    if there(reader, &path) {
        let message = "\"branch\" is called \"baseBranch\" now";
        reader.fail(&path, Trouble::new(ManifestErrorKind::UnknownField, message));
    } else {
        reader.fail(request, missing("a pull request needs \"baseBranch\": the branch to merge into"));
    }
}
