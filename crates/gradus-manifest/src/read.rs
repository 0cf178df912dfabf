//! One file, and the manifests in it.

use std::sync::Arc;

use gradus_core::names::{PipelineKey, PipelineName};
use gradus_core::pipeline::Pipeline;
use serde::de::DeserializeOwned;

use crate::convert::{self, Reader};
use crate::decode::{decode, quoted};
use crate::error::{ManifestError, ManifestErrorKind, Note, Place, Trouble};
use crate::hold::HoldManifest;
use crate::levels::Levels;
use crate::nearest::{did_you_mean, nearest};
use crate::notification::NotificationManifest;
use crate::weave;
use crate::wire;
use crate::yaml::{self, At, Document, NodeId, Path};

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

const GROUP: &str = "gradus.dev";
pub(crate) const API_VERSION: &str = "gradus.dev/v1alpha1";
const KINDS: [&str; 3] = ["Pipeline", "Hold", "Notification"];

/// A file that somebody else has opened.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// What it is called, as it is shown to people.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a [u8],
}

/// One manifest.
#[derive(Debug, Clone)]
pub enum Manifest {
    /// A pipeline and the place of its name.
    Pipeline(Box<Pipeline>, Place),
    /// A hold.
    Hold(Box<HoldManifest>),
    /// A notification.
    Notification(Box<NotificationManifest>),
}

/// What was in one file.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The manifests without mistakes.
    pub manifests: Vec<Manifest>,
    /// What is wrong with the others.
    pub errors: Vec<ManifestError>,
    /// What there is to know beside that.
    pub notes: Vec<Note>,
    /// The pipelines that a manifest with mistakes is about.
    pub(crate) spoiled: Vec<PipelineKey>,
}

/// Reads a file. A mistake in one document does not keep the others from being
/// read, and a document that is not gradus's is passed over.
pub fn read(file: &SourceFile<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    let name: Arc<str> = Arc::from(file.name);
    let fail = |parsed: &mut Parsed, At { line, column }, trouble: Trouble| {
        let place = Place { file: Arc::clone(&name), line, column };
        parsed.errors.push(trouble.at(place, String::new()));
    };
    let top = At { line: 1, column: 1 };
    if file.text.len() > MAX_FILE_BYTES {
        let message =
            format!("the file has {} bytes; at most {MAX_FILE_BYTES} (1 MiB) are read", file.text.len());
        let trouble = Trouble::new(ManifestErrorKind::TooLarge, message).help("split it into files");
        fail(&mut parsed, top, trouble);
        return parsed;
    }
    let text = match std::str::from_utf8(file.text) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("the file is not UTF-8: byte {} is wrong", error.valid_up_to() + 1);
            let before = file.text.get(..error.valid_up_to()).unwrap_or_default();
            let trouble = Trouble::new(ManifestErrorKind::NotUtf8, message).help("save the file as UTF-8");
            fail(&mut parsed, place_after(before), trouble);
            return parsed;
        }
    };
    let (documents, broken) = yaml::parse(text);
    for document in &documents {
        read_document(&name, document, &mut parsed);
    }
    for yaml::Broken { at, trouble } in broken {
        fail(&mut parsed, at, trouble);
    }
    parsed.errors.sort_by(|a, b| a.place.cmp(&b.place));
    parsed
}

fn place_after(before: &[u8]) -> At {
    let text = String::from_utf8_lossy(before);
    let (line, last) = yaml::lines(&text).enumerate().last().unwrap_or((0, ""));
    At { line: line + 1, column: last.chars().count() + 1 }
}

fn read_document(file: &Arc<str>, document: &Document<'_>, parsed: &mut Parsed) {
    let Some(root) = document.root() else { return };
    let mut reader = Reader { file: Arc::clone(file), document, errors: Vec::new(), notes: Vec::new() };
    match whose(document, root) {
        Whose::Others => return,
        Whose::Unknown(field, trouble) => {
            reader.fail(&Path::ROOT.field(field), trouble);
            // It may have been meant as a hold.
            parsed.spoiled.extend(key(document, root, &["spec", "pipeline"]));
        }
        Whose::Older => {
            weave::refuse(&mut reader, root);
            parsed.spoiled.extend(key(document, root, &["metadata", "name"]));
        }
        Whose::Newer(message) => reader.note(&Path::ROOT.field("kind"), message),
        Whose::Pipeline => {
            if let Some(wire) = decoded::<wire::PipelineManifest>(&mut reader, root, "PipelineManifest") {
                let place = reader.place(&Path::ROOT.field("metadata").field("name"));
                if let Some(pipeline) = convert::pipeline(&mut reader, &wire)
                    && reader.errors.is_empty()
                {
                    parsed.manifests.push(Manifest::Pipeline(Box::new(pipeline), place));
                }
            }
            if !reader.errors.is_empty() {
                parsed.spoiled.extend(key(document, root, &["metadata", "name"]));
            }
        }
        Whose::Notification => {
            if let Some(wire) =
                decoded::<wire::NotificationManifest>(&mut reader, root, "NotificationManifest")
                && let Some(notification) = convert::notification(&mut reader, &wire)
                && reader.errors.is_empty()
            {
                let place = reader.place(&Path::ROOT.field("metadata").field("name"));
                let list = Path::ROOT.field("spec");
                let list = list.field("pipelines");
                // All of them were read, or there would be no notification.
                let names = wire.spec.pipelines.iter().enumerate().filter_map(|(at, name)| {
                    Some((PipelineName::parse(name).ok()?, reader.place(&list.item(at))))
                });
                let pipelines = names.collect();
                let manifest = NotificationManifest { notification, place, pipelines };
                parsed.manifests.push(Manifest::Notification(Box::new(manifest)));
            }
        }
        Whose::Hold => {
            if let Some(wire) = decoded::<wire::HoldManifest>(&mut reader, root, "HoldManifest")
                && let Some(hold) = convert::hold(&mut reader, &wire)
                && reader.errors.is_empty()
            {
                parsed.manifests.push(Manifest::Hold(Box::new(hold)));
            }
            if !reader.errors.is_empty() {
                parsed.spoiled.extend(key(document, root, &["spec", "pipeline"]));
            }
        }
    }
    parsed.errors.append(&mut reader.errors);
    parsed.notes.append(&mut reader.notes);
}

/// Whose a document is.
enum Whose {
    Others,
    Pipeline,
    Hold,
    Notification,
    /// A pipeline of the older kind.
    Older,
    /// gradus's, of a kind that is not read here.
    Newer(String),
    /// One that looks like gradus's and is not: the field at fault.
    Unknown(&'static str, Trouble),
}

fn whose(document: &Document<'_>, root: NodeId) -> Whose {
    let text = |key| document.get(root, key).and_then(|node| document.text(node)).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let group = version.split('/').next().unwrap_or_default();
    let unknown = |message: String| Trouble::new(ManifestErrorKind::UnknownKind, message);
    let write_version = || format!("write {API_VERSION}");
    match (group, kind) {
        (weave::GROUP, "Pipeline") => Whose::Older,
        (GROUP, _) if version != API_VERSION => Whose::Unknown(
            "apiVersion",
            unknown(format!("there is no version {}", quoted(version))).help(write_version()),
        ),
        (GROUP, "Pipeline") => Whose::Pipeline,
        (GROUP, "Hold") => Whose::Hold,
        (GROUP, "Notification") => Whose::Notification,
        (GROUP, "") => Whose::Unknown(
            "kind",
            Trouble::new(ManifestErrorKind::MissingField, "the document needs \"kind\"")
                .help(format!("it is one of {}", KINDS.join(", "))),
        ),
        (GROUP, kind) => match did_you_mean(kind, KINDS.into_iter()) {
            Some(help) => {
                Whose::Unknown("kind", unknown(format!("there is no kind {}", quoted(kind))).help(help))
            }
            None => Whose::Newer(format!("{} is a kind that is not read here; it is left out", quoted(kind))),
        },
        ("", "Pipeline" | "Hold") => Whose::Unknown(
            "kind",
            Trouble::new(ManifestErrorKind::MissingField, "the document needs \"apiVersion\"")
                .help(write_version()),
        ),
        (group, "Pipeline" | "Hold") if nearest(group, std::iter::once(GROUP)).is_some() => Whose::Unknown(
            "apiVersion",
            unknown(format!("there is no version {}", quoted(version))).help(write_version()),
        ),
        _ => Whose::Others,
    }
}

pub(crate) fn decoded<T: DeserializeOwned>(
    reader: &mut Reader<'_, '_>,
    root: NodeId,
    definition: &'static str,
) -> Option<T> {
    match decode(reader.document, root, &Levels { definition }) {
        Ok(whole) => Some(whole),
        Err(found) => {
            for found in found {
                let place =
                    Place { file: Arc::clone(&reader.file), line: found.at.line, column: found.at.column };
                reader.errors.push(found.trouble.at(place, found.field));
            }
            None
        }
    }
}

/// The pipeline that a document with mistakes is about, as far as can be read.
fn key(document: &Document<'_>, root: NodeId, name: &[&str; 2]) -> Option<PipelineKey> {
    let text = |[outer, inner]: &[&str; 2]| document.text(document.get(document.get(root, outer)?, inner)?);
    let namespace = text(&["metadata", "namespace"]).unwrap_or("default");
    PipelineKey::parse(&format!("{namespace}/{}", text(name)?)).ok()
}
