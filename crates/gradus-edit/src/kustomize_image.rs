//! Entries of `images:` in a kustomization.

use crate::image::ImagePart;
use crate::insert;
use crate::locator::KustomizeImage;
use crate::refusal::{Missing, Refusal, RefusalKind};
use crate::splice::Splice;
use crate::table::{Content, NodeId, Style, Table};
use crate::tree::{House, Tree};
use crate::{FieldPath, Select, Step, select, walk};

const IMAGES: &str = "images";

impl KustomizeImage {
    /// The key of the field in the entry.
    pub(crate) fn key(&self) -> &'static str {
        key(self.field)
    }

    pub(crate) fn path(&self, key: Option<&str>) -> FieldPath {
        let entry = Step::Where { field: "name".to_owned(), value: self.image.clone() };
        let steps = [Step::Key(IMAGES.to_owned()), entry];
        FieldPath::new(steps.into_iter().chain(key.map(|key| Step::Key(key.to_owned()))))
    }
}

/// The key that a part of a reference has in an entry.
pub(crate) fn key(part: ImagePart) -> &'static str {
    match part {
        ImagePart::Name => "newName",
        ImagePart::Tag => "newTag",
        ImagePart::Digest => "digest",
    }
}

/// The node of the field.
pub(crate) fn field(table: &Table<'_>, image: &KustomizeImage) -> Result<NodeId, Refusal> {
    let root = root(table)?;
    walk::walk(table, root, &image.path(Some(image.key())))
}

/// The digest that would go on naming the old image if the tag were changed.
pub(crate) fn stale_digest(table: &Table<'_>, image: &KustomizeImage) -> Option<NodeId> {
    if image.field != ImagePart::Tag {
        return None;
    }
    let root = root(table).ok()?;
    walk::walk(table, root, &image.path(Some(key(ImagePart::Digest)))).ok()
}

/// Writes the field, and the entry and the list around it where they are missing.
pub(crate) fn create(
    table: &Table<'_>,
    image: &KustomizeImage,
    text: &str,
    house: House,
) -> Result<Vec<Splice>, Refusal> {
    let root = root(table)?;
    let text = Tree::Text(text.to_owned(), style_of(table, root, image.key()));
    let field = (image.key().to_owned(), text);
    if let Ok(entry) = walk::walk(table, root, &image.path(None)) {
        return insert::entry(table, entry, image.key(), &field.1, house);
    }
    let name = Tree::Text(image.image.clone(), style_of(table, root, "name"));
    let entry = Tree::Mapping(vec![("name".to_owned(), name), field]);
    match table.get(root, IMAGES) {
        Some(images) => insert::element(table, images, &entry, house),
        None => insert::entry(table, root, IMAGES, &Tree::List(vec![entry]), house),
    }
}

/// How the same field is quoted in other entries.
fn style_of(table: &Table<'_>, root: NodeId, key: &str) -> Option<Style> {
    let images = table.get(root, IMAGES)?;
    let styles = table.children(images).filter_map(|entry| {
        Some(match &table.node(table.get(entry, key)?)?.content {
            Content::Scalar(style @ (Style::Single | Style::Double), _) => Some(*style),
            Content::Scalar(Style::Plain | Style::Block, _)
            | Content::Mapping(_)
            | Content::Sequence(_)
            | Content::Alias(_)
            | Content::Absent => None,
        })
    });
    styles.last().flatten()
}

/// The one document of a kustomization.
pub(crate) fn root(table: &Table<'_>) -> Result<NodeId, Refusal> {
    let select = Select::path(FieldPath::new([Step::Key(IMAGES.to_owned())]));
    let root = select::document(table, &select)?;
    match table.node(root).map(|node| (&node.content, node.place)) {
        Some((Content::Mapping(_), _)) => Ok(root),
        Some((_, place)) => {
            let missing = Missing::Collection { what: "not a mapping", step: format!("key {IMAGES}") };
            let kind = RefusalKind::NotFound {
                path: FieldPath::new([Step::Key(IMAGES.to_owned())]),
                found: FieldPath::new([]),
                missing: Box::new(missing),
            };
            Err(Refusal::at(place, kind))
        }
        None => Err(Refusal::of(RefusalKind::Verification { what: "its nodes" })),
    }
}
