//! Setting an image wherever a file names it.

use crate::image::ImageRef;
use crate::insert;
use crate::locate::{Value, value};
use crate::parse::parse;
use crate::refusal::Refusal;
use crate::render::check_new_value;
use crate::step::{self, Wanted};
use crate::table::{NodeId, Table};
use crate::tree::Tree;
use crate::{Edited, FieldPath, Limits, Outcome, Step};

/// An image by its name, and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// The name, as files have it.
    pub name: String,
    /// What it becomes. Without a tag or a digest none is left.
    pub becomes: ImageRef,
}

impl ImageSet {
    /// Reads `NAME=REF`, where REF is a tag (`1.23.1`), `[NAME][:TAG][@DIGEST]`, or any part of it that a
    /// colon, a slash or an at sign tells from a tag.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, reference) = text.split_once('=')?;
        let mut becomes = ImageRef::parse(reference);
        if !reference.contains([':', '/', '@']) {
            becomes = ImageRef { name: String::new(), tag: Some(reference.to_owned()), digest: None };
        }
        if becomes.name.is_empty() {
            name.clone_into(&mut becomes.name);
        }
        let empty = |part: &Option<String>| part.as_ref().is_some_and(String::is_empty);
        let said = !name.is_empty() && !reference.is_empty();
        (said && !empty(&becomes.tag) && !empty(&becomes.digest))
            .then(|| Self { name: name.to_owned(), becomes })
    }
}

/// Sets images in a file, all or nothing: in entries of `images:` as kustomize has them, in `image:` of
/// containers, in `repository:` and `tag:` of chart values, and in the `kustomize.images` of Argo CD.
///
/// A file that does not have the name in it is not even parsed.
pub fn set_images(bytes: &[u8], images: &[ImageSet]) -> Result<Outcome, Refusal> {
    let limits = Limits::default();
    for image in images {
        check_new_value(&image.becomes.to_string())?;
    }
    let named = |image: &ImageSet| {
        // Chart values may have the registry in a key of its own.
        let last = image.name.rsplit('/').next().unwrap_or(&image.name).as_bytes();
        !last.is_empty() && bytes.windows(last.len()).any(|window| window == last)
    };
    if !images.iter().any(named) {
        return Ok(Outcome::Unchanged);
    }
    // A field that goes is taken away by itself, since the next one may stand on the same line.
    let mut whole: Option<Edited> = None;
    loop {
        let now = whole.as_ref().map_or(bytes, |edited| edited.bytes.as_slice());
        let Outcome::Edited(edited) = once(now, images, &limits)? else { break };
        let mut changes = whole.take().map(|whole| whole.changes).unwrap_or_default();
        changes.extend(edited.changes);
        whole = Some(Edited { bytes: edited.bytes, changes });
    }
    Ok(whole.map_or(Outcome::Unchanged, Outcome::Edited))
}

fn once(bytes: &[u8], images: &[ImageSet], limits: &Limits) -> Result<Outcome, Refusal> {
    let table = parse(bytes, limits)?;
    let mut found = Found { step: step::Step::new(&table, limits), table: &table, wanted: Vec::new() };
    for index in 0..table.nodes.len() {
        for image in images {
            found.look_at(NodeId(index), image)?;
        }
    }
    let Found { mut step, wanted, .. } = found;
    step.make_all(wanted)?;
    step.finish()
}

struct Found<'t, 'a> {
    table: &'t Table<'a>,
    step: step::Step<'t, 'a>,
    wanted: Vec<Wanted<'t>>,
}

impl<'t> Found<'t, '_> {
    fn look_at(&mut self, id: NodeId, image: &ImageSet) -> Result<(), Refusal> {
        if self.table.is_mapping(id) {
            self.reference(id, image)?;
            self.chart_values(id, image)?;
            for list in self.lists(id, "images") {
                self.entry_or_text(list, image)?;
            }
        }
        Ok(())
    }

    /// The elements of a list under this key.
    fn lists(&self, mapping: NodeId, key: &str) -> Vec<NodeId> {
        let list = self.table.get(mapping, key).filter(|list| self.table.is_list(*list));
        list.map(|list| self.table.children(list).collect()).unwrap_or_default()
    }

    /// `image: name:tag@digest`.
    fn reference(&mut self, mapping: NodeId, image: &ImageSet) -> Result<(), Refusal> {
        let Some(found) = self.table.get(mapping, "image") else { return Ok(()) };
        let text = self.table.scalar(found).filter(|text| !text.contains(char::is_whitespace));
        match text.map(ImageRef::parse) {
            Some(old) if old.name == image.name => self.set(found, &image.becomes.to_string()),
            Some(_) | None => Ok(()),
        }
    }

    /// `repository: name` with `tag:` beside it, and perhaps `registry:` and `digest:`.
    fn chart_values(&mut self, mapping: NodeId, image: &ImageSet) -> Result<(), Refusal> {
        let get = |key: &str| self.table.get(mapping, key);
        let (Some(repository), Some(tag)) = (get("repository"), get("tag")) else { return Ok(()) };
        let Some(name) = self.table.scalar(repository) else { return Ok(()) };
        let registry = get("registry").and_then(|registry| self.table.scalar(registry));
        let registry = registry.filter(|registry| !registry.is_empty());
        let whole = registry.map_or_else(|| name.to_owned(), |registry| format!("{registry}/{name}"));
        if image.name != whole {
            return Ok(());
        }
        let digest = get("digest");
        if image.becomes.name != image.name {
            let new = match registry {
                Some(registry) => image.becomes.name.strip_prefix(&format!("{registry}/")),
                None => Some(image.becomes.name.as_str()),
            };
            let Some(new) = new else { return Err(insert::cannot(self.table, repository)) };
            self.set(repository, new)?;
        }
        let written = image.becomes.digest.as_deref().unwrap_or_default();
        match digest {
            Some(digest) => {
                let old = self.value(digest)?;
                if old.text != written {
                    self.set(digest, written)?;
                }
                self.set(tag, image.becomes.tag.as_deref().unwrap_or_default())
            }
            // Many charts take both in one value.
            None => {
                let both = ImageRef { name: String::new(), ..image.becomes.clone() }.to_string();
                self.set(tag, both.trim_start_matches(':'))
            }
        }
    }

    /// An entry of `images:`: a mapping with `name`, or the text `name=new:tag` of Argo CD.
    fn entry_or_text(&mut self, element: NodeId, image: &ImageSet) -> Result<(), Refusal> {
        if let Some(text) = self.table.scalar(element) {
            let (name, rest) = text.split_once('=').map_or((None, text), |(name, rest)| (Some(name), rest));
            let old = ImageRef::parse(rest);
            if name.unwrap_or(&old.name) != image.name {
                return Ok(());
            }
            let new = match name {
                Some(name) if image.becomes.name == image.name => {
                    format!("{name}={}", ImageRef { name: old.name, ..image.becomes.clone() })
                }
                Some(name) => format!("{name}={}", image.becomes),
                None if image.becomes.name == image.name => image.becomes.to_string(),
                None => format!("{}={}", image.name, image.becomes),
            };
            return self.set(element, &new);
        }
        let text = |key: &str| self.table.get(element, key).and_then(|node| self.table.scalar(node));
        if text("name") != Some(&*image.name) {
            return Ok(());
        }
        if image.becomes.name != image.name {
            self.field(element, "newName", Some(&image.becomes.name))?;
        }
        let tag_goes = image.becomes.tag.is_none() && self.table.get(element, "newTag").is_some();
        self.field(element, "newTag", image.becomes.tag.as_deref())?;
        if tag_goes {
            return Ok(());
        }
        self.field(element, "digest", image.becomes.digest.as_deref())
    }

    /// Sets a field of an entry, adds it or takes it away.
    fn field(&mut self, entry: NodeId, key: &str, text: Option<&str>) -> Result<(), Refusal> {
        match (self.table.get(entry, key), text) {
            (Some(node), Some(text)) => self.set(node, text),
            (None, Some(text)) => {
                let splices = insert::entry(self.table, entry, key, &Tree::text(text), self.step.house())?;
                let path = self.table.path(entry).followed_by(&FieldPath::new([Step::Key(key.to_owned())]));
                self.step.created(splices, text, &path)
            }
            (Some(node), None) => {
                let value = self.value(node)?;
                self.step.take_away(&value)
            }
            (None, None) => Ok(()),
        }
    }

    fn set(&mut self, id: NodeId, text: &str) -> Result<(), Refusal> {
        let value = self.value(id)?;
        self.wanted.push(Wanted::plain(value, text));
        Ok(())
    }

    fn value(&self, id: NodeId) -> Result<Value<'t>, Refusal> {
        value(self.table, id)
    }
}
