//! Changes named values in files and leaves every other byte alone.
//!
//! A value is named by a [`Locator`]: a path in a selected document, or a setter marker, which is a
//! comment beside the value. [`read`] says what is there, [`edit`] returns the new bytes, and
//! [`find_markers`] lists the values that markers name. YAML streams and JSON files are understood, and
//! by [`edit_file`] TOML and `.env` files, too.
//!
//! An edit replaces the bytes of one scalar and nothing else. The result is parsed again and compared
//! with the file before: the same documents, keys, values, anchors, tags and comments, apart from the
//! values that were asked for. Whatever cannot be edited in this way is refused, with its place and
//! the reason, and nothing is written.
//!
//! ```
//! use gradus_edit::{Edit, FieldPath, Locator, Outcome, Select, edit};
//!
//! let file = b"kind: HelmRelease\nspec:\n  version: '6.0.0' # by hand\n";
//! let locator = Locator::Path(Select::path(FieldPath::parse("spec.version")?).kind("HelmRelease"));
//! let change = Edit::new(locator, "6.0.1").expecting("6.0.0");
//!
//! let Outcome::Edited(edited) = edit(file, &[change])? else { unreachable!() };
//! assert_eq!(edited.bytes, b"kind: HelmRelease\nspec:\n  version: '6.0.1' # by hand\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the crate decides about values:
//!
//! - The quoting stays as it is. A plain value that is text stays text for every reader: if YAML 1.1
//!   or YAML 1.2 would read the new one as a number, a boolean, a date or null, it is double-quoted.
//! - A plain number or boolean stays plain if the new value is of the same type and is written
//!   in the shortest form; otherwise the new value is text, quoted where it must be. So `3` becomes
//!   `4`, but `1.9` becomes `"1.10"`, because the number 1.10 is the number 1.1.
//! - What a marker names is always text: there `3` becomes `"4"`.
//! - A null or absent value can be set, and has nothing to read.
//! - A value that is not there is written only where [`Edit::creating`] asks for it, in the layout of the
//!   file; [`Edit::removing`] takes a key away with its line.
//! - A tag beside a digest is not changed without the digest: either it is dropped, or the edit is refused.
//! - A value that other places repeat through an alias is not edited, because they would change too.
//!   A marker right beside the anchor means them all.

mod create;
mod duplicates;
mod edit;
mod extent;
mod field_path;
mod find;
mod format;
mod image;
mod images;
mod insert;
mod inside;
mod json;
pub mod kustomize;
mod kustomize_image;
mod kustomize_patch;
mod limits;
mod locate;
mod locator;
mod marker;
mod nearest;
mod operation;
mod owner;
mod parse;
mod read;
mod refusal;
mod render;
mod scalar;
mod select;
mod setter;
mod splice;
mod step;
mod table;
mod tree;
mod verify;
mod walk;

pub use edit::{Change, Edit, Edited, LineChange, NewValue, Outcome, Stale, edit, edit_within};
pub use field_path::{FieldPath, PathError, Step};
pub use find::{Form, Found, find};
pub use format::{Format, edit_file, read_file};
pub use image::{ImagePart, ImageRef, StaleDigest};
pub use images::{ImageSet, set_images};
pub use limits::Limits;
pub use locator::{KustomizeImage, KustomizePatch, Locator, MarkerName, Operation, Select};
pub use marker::{Marker, find_markers, find_markers_within};
pub use read::{Located, read, read_within};
pub use refusal::{Missing, Place, Refusal, RefusalKind};
pub use setter::{
    Becomes, ListedMarker, PassedOver, SetMarkers, Setter, Standing, list_markers, may_have_markers,
    set_markers, set_markers_within,
};
