//! Reads what people write into the planner's types, with the place of every mistake.
//!
//! [`read()`] reads one file, which may hold several documents; [`assemble()`]
//! puts the files of a folder together. Neither opens a file: texts are handed
//! in. [`json_schema()`] is the form of what is read, and [`write_hold()`]
//! writes one manifest that `read` reads back.
//!
//! In a cluster the same manifests are objects: [`crds()`] makes their
//! definitions from the same types, [`pipeline_from_json()`] and its like read
//! them, and [`status`] is what is written into them. [`weave`] reads pipelines
//! of the older kind, and writes them as ours.

mod assemble;
mod convert;
mod crd;
mod decode;
mod error;
mod excerpt;
mod hold;
mod levels;
mod nearest;
mod notification;
mod object;
mod read;
mod said;
mod schema;
pub mod status;
pub mod weave;
pub mod wire;
mod yaml;

pub use assemble::{Assembled, Loaded, assemble};
pub use crd::{ClusterObject, crds};
pub use error::{ManifestError, ManifestErrorKind, Note, Place};
pub use hold::{HoldManifest, write_hold};
pub use notification::NotificationManifest;
pub use object::{
    Object, ObjectMeta, approval_from_json, check_from_json, hold_from_json, notification_from_json,
    pipeline_from_json, promotion_from_json,
};
pub use read::{MAX_FILE_BYTES, Manifest, Parsed, SourceFile, read};
pub use said::{
    ApprovalManifest, CheckManifest, Named, PromotionManifest, RecordedRequest, approval_object,
    check_object, hold_object, promotion_object, versions,
};
pub use schema::json_schema;
pub use yaml::to_yaml;
