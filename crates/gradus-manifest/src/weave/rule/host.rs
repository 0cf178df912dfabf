//! Who keeps the pull requests has to be said, and is one of a few.

use super::super::snippet::HOSTS;
use super::{missing, text, there};
use crate::convert::Reader;
use crate::decode::quoted;
use crate::error::Trouble;
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, request: &Path<'_>) {
    let path = request.field("type");
    if !there(reader, &path) {
        reader.fail(request, missing(format!("a pull request needs \"type\": {}", HOSTS.join(", "))));
        return;
    }
    let found = text(reader, &path).unwrap_or_default();
    if !HOSTS.contains(&found) {
        let message = format!("\"type\" must be one of {}, found {}", HOSTS.join(", "), quoted(found));
        reader.fail(&path, Trouble::value(message));
    }
}
