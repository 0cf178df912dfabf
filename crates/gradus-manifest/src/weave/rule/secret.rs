//! A Secret is named by a mapping with its name. It was planned as a text.

use super::{missing, text, there};
use crate::convert::Reader;
use crate::decode::quoted;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, owner: &Path<'_>, needed: bool) {
    let path = owner.field("secretRef");
    if let Some(name) = text(reader, &path).filter(|_| there(reader, &path)) {
        let message =
            format!("\"secretRef\" is a mapping: {{name: {}}}, found the text {}", name, quoted(name));
        reader.fail(&path, Trouble::new(ManifestErrorKind::WrongType, message));
    } else if there(reader, &path) {
        if !there(reader, &path.field("name")) {
            reader.fail(&path, missing("\"secretRef\" needs \"name\""));
        }
    } else if needed {
        let message = "a pull request needs \"secretRef\": the Secret with username, password and token";
        reader.fail(owner, missing(message));
    }
}
