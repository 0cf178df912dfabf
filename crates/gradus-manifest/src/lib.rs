//! Reads what people write into the planner's types, with the place of every mistake.
//!
//! [`read()`] reads one file, which may hold several documents; [`assemble()`]
//! puts the files of a folder together. Neither opens a file: texts are handed
//! in. [`json_schema()`] is the form of what is read, and [`write_hold()`]
//! writes one manifest that `read` reads back.

mod assemble;
mod convert;
mod decode;
mod error;
mod excerpt;
mod hold;
mod levels;
mod nearest;
mod read;
mod schema;
pub mod wire;
mod yaml;

pub use assemble::{Assembled, Loaded, assemble};
pub use error::{ManifestError, ManifestErrorKind, Note, Place};
pub use hold::{HoldManifest, write_hold};
pub use read::{MAX_FILE_BYTES, Manifest, Parsed, SourceFile, read};
pub use schema::json_schema;
