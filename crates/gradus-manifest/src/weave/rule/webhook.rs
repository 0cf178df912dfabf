//! A webhook to be called was planned and never came; a notification does the same.

use super::there;
use crate::convert::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, path: &Path<'_>) {
    let path = path.field("webhook");
    if there(reader, &path) {
        let message = "there is no strategy \"webhook\"; \"notification\" tells other systems through Flux's Providers and Alerts";
        reader.fail(&path, Trouble::new(ManifestErrorKind::UnknownField, message));
    }
}
