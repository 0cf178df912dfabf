//! What people read of a refusal.

use std::fmt;

use super::{Missing, Place, Refusal, RefusalKind};
use crate::FieldPath;
use crate::walk::shorten;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if self.document > 1 { write!(f, " (document {})", self.document) } else { Ok(()) }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "the file has {bytes} bytes, and files of up to {limit} are read")
            }
            Self::TooManyNodes { limit } => write!(f, "the file has more than {limit} keys and values"),
            Self::TooDeep { limit } => write!(f, "the file is nested deeper than {limit} levels"),
            Self::NotUtf8 => f.write_str("the file is not UTF-8 text; save it as UTF-8"),
            Self::Syntax(detail) => write!(f, "the file is not valid YAML: {detail}"),
            Self::TemplateFile { detail, line } => write!(
                f,
                "the file is not valid YAML: {detail}; line {line} has {{{{, so it may be a template, \
                 and templates cannot be edited"
            ),
            Self::Template { path } => {
                write!(f, "{path} is a template, and templates cannot be edited; edit its input")
            }
            Self::NoDocument { wanted, present } => no_document(f, wanted.as_deref(), present),
            Self::ManyDocuments { wanted, lines } => {
                match wanted {
                    Some(wanted) => write!(f, "{} documents have {wanted}", lines.len())?,
                    None => write!(f, "the file has {} documents", lines.len())?,
                }
                write!(f, ", on lines {}; select one by kind, name or namespace", Lines(lines))
            }
            Self::NotFound { path, found, missing } => {
                write!(f, "{path} is not there: {}", Where { found, missing })
            }
            Self::DuplicateKey { path, lines } => {
                write!(f, "{path} is there {} times, on lines {}; keep one", lines.len(), Lines(lines))
            }
            Self::ManyElements { path, lines } => {
                write!(f, "{path} matches {} elements, on lines {}", lines.len(), Lines(lines))?;
                f.write_str("; use an index")
            }
            Self::NotScalar { path, what } => {
                write!(f, "{path} is {what}, not a single value; name a value inside it")
            }
            Self::Empty { path } => write!(f, "{path} has no value"),
            Self::Alias { path, anchor, line } => {
                write!(
                    f,
                    "{path} is an alias of &{anchor}, defined on line {line}; write a value in its place to edit it"
                )
            }
            Self::Anchored { path, anchor, line, aliases } => {
                let places = if *aliases == 1 { "place repeats" } else { "places repeat" };
                write!(f, "{path} is part of &{anchor}, defined on line {line}, which {aliases} {places}")?;
                f.write_str("; an edit would change them too")
            }
            Self::Merged { path, line } => {
                write!(f, "{path} is not written here, but the merge key on line {line} may supply it; ")?;
                f.write_str("write the key itself to edit it")
            }
            Self::BlockScalar { path } => {
                write!(
                    f,
                    "{path} is a block of text (| or >), and those cannot be edited; write it on one line"
                )
            }
            Self::Tagged { path, tag } => {
                write!(f, "{path} has the tag {tag}, and the new value is not of it")
            }
            Self::StrayMarker { marker } => write!(
                f,
                "the marker {marker} belongs to no value; put it at the end of the value's line, or right \
                 above its key with the same indentation"
            ),
            Self::DetachedMarker { marker } => write!(
                f,
                "the marker {marker} belongs to no value to Flux; put it at the end of the value's line"
            ),
            Self::ManyMarkers { comment } => write!(
                f,
                "the comment {comment} holds several markers, so it is none; write one object, with a member \
                 for each"
            ),
            Self::NoPart { marker, part } => {
                write!(f, "the marker {marker} asks for a {part}, and the new value has none")
            }
            Self::NewValue { character } => {
                write!(
                    f,
                    "the new value has the character {character:?}, which cannot be written on one line"
                )
            }
            Self::StaleDigest { path } => write!(
                f,
                "the digest at {path} would go on naming the old image; set it too, or have it dropped"
            ),
            Self::NotAddable { path } => {
                write!(
                    f,
                    "{path} is written in a way in which nothing can be added or taken away; edit it by hand"
                )
            }
            Self::WidePatch { path, object } => write!(
                f,
                "the patch sets {path} of all that its target selects, and not of {object} alone; write a patch \
                 whose target is its kind and name"
            ),
            Self::NotLiteral { path } => {
                write!(f, "{path} is not a literal block (|); only those are edited inside")
            }
            Self::Inside { path, refusal } => write!(f, "in the text of {path}: {}", refusal.kind),
            Self::Unwritable { path, format } => write!(
                f,
                "{path} cannot become this value: not every reader of {format} files would take it as it is"
            ),
            Self::Unexpected { path, expected, found } => {
                write!(f, "{path} is {}, not {} as expected", shorten(found), shorten(expected))
            }
            Self::OnlyPaths { format } => write!(f, "in {format} files a value is named by its path alone"),
            Self::NotOfFormat { format, detail } => write!(f, "the file is not valid {format}: {detail}"),
            Self::Conflict { path } => write!(f, "two edits give {path} different values"),
            Self::Verification { what } => {
                write!(f, "the edited file would differ in {what}; nothing was changed")
            }
        }
    }
}

fn no_document(f: &mut fmt::Formatter<'_>, wanted: Option<&str>, present: &[String]) -> fmt::Result {
    match (wanted, present) {
        (Some(wanted), []) => write!(f, "no document has {wanted}; the file is empty"),
        (Some(wanted), present) => write!(f, "no document has {wanted}; the file has {}", present.join(", ")),
        (None, _) => f.write_str("the file is empty"),
    }
}

struct Where<'a> {
    found: &'a FieldPath,
    missing: &'a Missing,
}

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found;
        match self.missing {
            Missing::Key { key, keys, more, nearest } => {
                write!(f, "{found} has no key {key}")?;
                if let Some(nearest) = nearest {
                    write!(f, " (did you mean {nearest}?)")?;
                }
                if keys.is_empty() {
                    return f.write_str("; it is empty");
                }
                write!(f, "; its keys are {}", keys.join(", "))?;
                if *more > 0 { write!(f, " and {more} more") } else { Ok(()) }
            }
            Missing::Index { index, length } => {
                let elements = if *length == 1 { "element" } else { "elements" };
                write!(f, "{found} has {length} {elements}, so there is no [{index}]")
            }
            Missing::Element { field, value, values, nearest } => {
                write!(f, "no element of {found} has {field}={value}")?;
                if let Some(nearest) = nearest {
                    write!(f, " (did you mean {nearest}?)")?;
                }
                if values.is_empty() { Ok(()) } else { write!(f, "; there are {}", values.join(", ")) }
            }
            Missing::Patch { object, files } => {
                write!(f, "the kustomization has no patch in it that sets it for {object}")?;
                match files.as_slice() {
                    [] => Ok(()),
                    files => {
                        write!(f, "; of the patches in files, {}, name the file itself", files.join(", "))
                    }
                }
            }
            Missing::Operation { paths } if paths.is_empty() => f.write_str("the patch has no operations"),
            Missing::Operation { paths } => {
                write!(f, "no operation of the patch writes it; it has {}", paths.join(", "))
            }
            Missing::Collection { what, step } => write!(f, "{found} is {what}, which has no {step}"),
        }
    }
}

/// Line numbers as people list them: `1, 4 and 9`.
struct Lines<'a>(&'a [usize]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown = self.0.len().min(SHOWN);
        for (index, line) in self.0.iter().take(SHOWN).enumerate() {
            match index {
                0 => write!(f, "{line}")?,
                last if last + 1 == shown && shown == self.0.len() => write!(f, " and {line}")?,
                _ => write!(f, ", {line}")?,
            }
        }
        if shown < self.0.len() { write!(f, " and {} more", self.0.len() - shown) } else { Ok(()) }
    }
}
