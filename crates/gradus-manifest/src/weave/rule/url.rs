//! A pull request is for a repository.

use super::{missing, text};
use crate::convert::Reader;
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, request: &Path<'_>) {
    if text(reader, &request.field("url")).is_none_or(str::is_empty) {
        reader.fail(request, missing("a pull request needs \"url\": the repository, over https"));
    }
}
