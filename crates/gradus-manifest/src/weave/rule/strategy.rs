//! What a promotion does stands below `strategy`. It stood beside it once.

use super::{missing, there};
use crate::convert::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, path: &Path<'_>) {
    let strays: Vec<&str> = ["pull-request", "notification", "secretRef"]
        .into_iter()
        .filter(|field| there(reader, &path.field(field)))
        .collect();
    for field in &strays {
        let message = format!("{field:?} belongs below \"strategy\"");
        reader.fail(&path.field(field), Trouble::new(ManifestErrorKind::UnknownField, message));
    }
    let others = ["pullRequest", "webhook"].into_iter().any(|field| there(reader, &path.field(field)));
    if strays.is_empty() && !others && !there(reader, &path.field("strategy")) {
        reader.fail(path, missing("a promotion needs \"strategy\""));
    }
}
