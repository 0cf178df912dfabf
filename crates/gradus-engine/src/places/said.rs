//! From what a pipeline says of a place to what the editor understands.

use gradus_core::observation::Why;
use gradus_core::pipeline::{EditSpec, EditValue, ImagePart, Select, StaleDigest};
use gradus_edit::{FieldPath, KustomizeImage, KustomizePatch, Locator, Operation};

use super::Place;

/// The place that an `edit:` of a pipeline names.
pub(super) fn place(edit: &EditSpec, range: bool) -> Result<Place, Why> {
    let path =
        |text: &str| FieldPath::parse(text).map_err(|error| Why::new(format!("{}: {error}", edit.file)));
    let digest = match edit.digest {
        StaleDigest::Refused => gradus_edit::StaleDigest::Refused,
        StaleDigest::Dropped => gradus_edit::StaleDigest::Dropped,
    };
    let select = |select: &Select| {
        Ok(Locator::Path(gradus_edit::Select {
            api_version: select.api_version.clone(),
            kind: select.kind.clone(),
            name: select.name.clone(),
            namespace: select.namespace.clone(),
            path: path(&select.path)?,
        }))
    };
    let value = match &edit.value {
        EditValue::Field(field) => select(field)?,
        EditValue::KustomizeImage { image, field } => {
            Locator::KustomizeImage(KustomizeImage { image: image.clone(), field: part(*field), digest })
        }
        EditValue::KustomizePatch { kind, name, path: field } => Locator::KustomizePatch(KustomizePatch {
            kind: kind.clone(),
            name: name.clone(),
            path: path(field)?,
        }),
        EditValue::Operation(field) => Locator::Operation(Operation { path: path(field)? }),
    };
    let value = match edit.part {
        Some(wanted) => value.part(part(wanted), digest),
        None => value,
    };
    let locator = match &edit.inside {
        Some(block) => select(block)?.inside(value),
        None => value,
    };
    Ok(Place { file: edit.file.clone(), locator, create: edit.create, range, artifact: edit.from.clone() })
}

fn part(part: ImagePart) -> gradus_edit::ImagePart {
    match part {
        ImagePart::Name => gradus_edit::ImagePart::Name,
        ImagePart::Tag => gradus_edit::ImagePart::Tag,
        ImagePart::Digest => gradus_edit::ImagePart::Digest,
    }
}
