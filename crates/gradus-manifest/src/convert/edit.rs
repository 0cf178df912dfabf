//! Edits: which value in which file says the version.

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, RepoPath};
use gradus_core::pipeline::{EditSpec, EditValue, ImagePart, Select, StaleDigest};
use gradus_core::version::Order;

use super::Reader;
use super::versions::unknown_artifact;
use crate::decode::quoted;
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Reads a list of edits.
pub(super) fn list(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    edits: &[wire::Edit],
    artifacts: &BTreeMap<ArtifactName, Order>,
) -> Option<Vec<EditSpec>> {
    reader.each(path, edits, |reader, path, edit| {
        let file = reader.take(path, file(edit)).and_then(|file| {
            let field = if edit.file.is_some() { "file" } else { "kustomization" };
            reader.take(&path.field(field), RepoPath::parse(&file))
        });
        let value = value(reader, path, edit);
        let inside = match &edit.inside {
            Some(inside) => select(reader, &path.field("inside"), inside).map(Some),
            None => Some(None),
        };
        // Without `from` the mistake is in the edit itself.
        let from_field = path.field("from");
        let from_path = if edit.from.is_some() { &from_field } else { path };
        let from = reader.take(from_path, from(edit.from.as_deref(), artifacts));
        let alone = reader.take(path, that_go_together(edit));
        alone?;
        Some(EditSpec {
            file: file?,
            inside: inside?,
            value: value?,
            part: edit.part.map(part),
            digest: match edit.digest {
                None | Some(wire::StaleDigest::Refuse) => StaleDigest::Refused,
                Some(wire::StaleDigest::Drop) => StaleDigest::Dropped,
            },
            create: edit.create.unwrap_or_default(),
            from: from?,
        })
    })
}

/// The file that is edited.
fn file(edit: &wire::Edit) -> Result<String, Trouble> {
    match (&edit.file, &edit.kustomization) {
        (Some(file), None) => Ok(file.clone()),
        (None, Some(kustomization)) => {
            let named = [".yaml", ".yml", "Kustomization"].iter().any(|end| kustomization.ends_with(end));
            let folder = kustomization.trim_end_matches('/');
            Ok(if named { kustomization.clone() } else { format!("{folder}/kustomization.yaml") })
        }
        (None, None) => Err(Trouble::value("the edit does not say in which file the value is")
            .help("add `file:`, or `kustomization:` with the folder of one")),
        (Some(_), Some(_)) => {
            Err(Trouble::value("the edit names a file and a kustomization").help("keep one"))
        }
    }
}

fn value(reader: &mut Reader<'_, '_>, path: &Path<'_>, edit: &wire::Edit) -> Option<EditValue> {
    match (&edit.select, &edit.image, &edit.patch, &edit.operation) {
        (Some(one), None, None, None) => select(reader, &path.field("select"), one).map(EditValue::Field),
        (None, Some(image), None, None) => {
            let image =
                reader.take(&path.field("image"), field(image, "the image to edit", "`image: nginx`"))?;
            let field = match edit.set {
                None | Some(wire::ImageField::NewTag) => ImagePart::Tag,
                Some(wire::ImageField::NewName) => ImagePart::Name,
                Some(wire::ImageField::Digest) => ImagePart::Digest,
            };
            Some(EditValue::KustomizeImage { image, field })
        }
        (None, None, Some(patch), None) => {
            let at = path.field("patch");
            let mut text = |key: &'static str, text: &str| {
                let what = format!("the {key} of the patched object");
                reader.take(
                    &at.field(key),
                    field(
                        text,
                        &what,
                        "`patch: {kind: HelmRelease, name: podinfo, path: spec.chart.spec.version}`",
                    ),
                )
            };
            let (kind, name) = (text("kind", &patch.kind), text("name", &patch.name));
            let path = text("path", &patch.path);
            Some(EditValue::KustomizePatch { kind: kind?, name: name?, path: path? })
        }
        (None, None, None, Some(operation)) => {
            let what = "the path of the operation";
            let text = field(operation, what, "`operation: /spec/chart/spec/version`");
            reader.take(&path.field("operation"), text).map(EditValue::Operation)
        }
        (None, None, None, None) => {
            let trouble = Trouble::value("the edit does not say where in the file the value is")
                .help("add one of `select:`, `image:`, `patch:` and `operation:`");
            reader.fail(path, trouble);
            None
        }
        _ => {
            let trouble = Trouble::value("the edit names several values").help(
                "keep one of `select:`, `image:`, `patch:` and `operation:`; write another edit for another value",
            );
            reader.fail(path, trouble);
            None
        }
    }
}

/// Refuses what would have no meaning together.
fn that_go_together(edit: &wire::Edit) -> Result<(), Trouble> {
    let only = |what: &str, with: &str| {
        Err(Trouble::value(format!("{what} has no meaning without {with}")).help(format!("leave {what} out")))
    };
    if edit.set.is_some() && edit.image.is_none() {
        return only("`set:`", "`image:`");
    }
    if edit.image.is_some() && edit.inside.is_some() {
        return Err(Trouble::value("`images:` of a kustomization is not in a block of text")
            .help("leave `inside:` out"));
    }
    if edit.image.is_some() && edit.part.is_some() {
        return Err(Trouble::value("`image:` names a field of an entry, which has no parts")
            .help("say which with `set: newTag`, `set: newName` or `set: digest`"));
    }
    if edit.digest.is_some() && edit.image.is_none() && edit.part.is_none() {
        return only("`digest:`", "`image:` or `part: tag`");
    }
    let only_read = |what: &str| {
        Err(Trouble::value(format!("{what} is not created"))
            .help("write it once by hand, and leave `create:` out"))
    };
    let other_format = edit.file.as_ref().is_some_and(|file| {
        let name = file.rsplit('/').next().unwrap_or(file);
        name.ends_with(".toml") || name.ends_with(".env")
    });
    if edit.create == Some(true) && edit.part.is_some() {
        return only_read("a part of an image reference");
    }
    if edit.create == Some(true) && other_format {
        return only_read("a value in a TOML or .env file");
    }
    if edit.create == Some(true) && edit.operation.is_some() {
        return Err(Trouble::value("an operation of a patch file is not created")
            .help("write the operation, or name the kustomization and `patch:`"));
    }
    Ok(())
}

fn part(part: wire::ImagePart) -> ImagePart {
    match part {
        wire::ImagePart::Name => ImagePart::Name,
        wire::ImagePart::Tag => ImagePart::Tag,
        wire::ImagePart::Digest => ImagePart::Digest,
    }
}

fn select(reader: &mut Reader<'_, '_>, path: &Path<'_>, select: &wire::Select) -> Option<Select> {
    let text = field(&select.path, "the field to edit", "`path: spec.chart.spec.version`");
    let text = reader.take(&path.field("path"), text)?;
    Some(Select {
        api_version: select.api_version.clone(),
        kind: select.kind.clone(),
        namespace: select.namespace.clone(),
        name: select.name.clone(),
        path: text,
    })
}

fn field(text: &str, what: &str, like: &str) -> Result<String, Trouble> {
    if text.trim().is_empty() {
        Err(Trouble::value(format!("{what} is empty")).help(format!("write it such as {like}")))
    } else if text.chars().any(char::is_control) {
        Err(Trouble::value(format!("{what} has a control character in it")))
    } else {
        Ok(text.to_owned())
    }
}

fn from(text: Option<&str>, artifacts: &BTreeMap<ArtifactName, Order>) -> Result<ArtifactName, Trouble> {
    let Some(text) = text else {
        return match artifacts.keys().collect::<Vec<_>>().as_slice() {
            [only] => Ok((*only).clone()),
            all => {
                let names: Vec<&str> = all.iter().map(|name| name.as_str()).collect();
                Err(Trouble::value("the edit does not say which artifact's version is written")
                    .help(format!("add `from:` with one of {}", names.join(", "))))
            }
        };
    };
    let (name, part) = text.split_once('.').unwrap_or((text, "version"));
    if part != "version" {
        return Err(Trouble::value(format!("{} is not an artifact's version", quoted(text)))
            .help(format!("write {}", quoted(&format!("{name}.version")))));
    }
    let name = ArtifactName::parse(name)?;
    if artifacts.contains_key(&name) { Ok(name) } else { Err(unknown_artifact(&name, artifacts)) }
}
