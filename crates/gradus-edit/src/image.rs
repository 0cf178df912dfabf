//! References to container images: `registry:5000/team/web:1.2@sha256:...`.

use std::fmt;

/// An image reference, taken apart where its name, tag and digest meet.
///
/// Nothing is checked beyond what tells the parts from one another: what the file has stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    /// The registry and the repository; may be empty.
    pub name: String,
    /// What follows the colon.
    pub tag: Option<String>,
    /// What follows the at sign.
    pub digest: Option<String>,
}

/// A part of an image reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImagePart {
    /// The registry and the repository.
    Name,
    /// The tag.
    Tag,
    /// The digest.
    Digest,
}

/// What becomes of a digest when the tag beside it changes. A digest that stays names the old image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum StaleDigest {
    /// The edit is refused.
    #[default]
    Refused,
    /// It is taken away.
    Dropped,
}

impl ImageRef {
    /// Takes a reference apart. Every text has a name; a colon before the last slash belongs to a port.
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let path = rest.rfind('/').map_or(0, |slash| slash + 1);
        let colon = rest.get(path..).and_then(|last| last.find(':')).map(|at| path + at);
        let (name, tag) = match colon {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).map(str::to_owned)),
            None => (rest, None),
        };
        Self { name: name.to_owned(), tag, digest }
    }

    /// What is written of one part; nothing where it has none.
    pub fn part(&self, part: ImagePart) -> &str {
        match part {
            ImagePart::Name => &self.name,
            ImagePart::Tag => self.tag.as_deref().unwrap_or_default(),
            ImagePart::Digest => self.digest.as_deref().unwrap_or_default(),
        }
    }

    /// The reference with another part.
    #[must_use]
    pub fn with(mut self, part: ImagePart, text: &str) -> Self {
        let some = (!text.is_empty()).then(|| text.to_owned());
        match part {
            ImagePart::Name => self.name = text.to_owned(),
            ImagePart::Tag => self.tag = some,
            ImagePart::Digest => self.digest = some,
        }
        self
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ImagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Tag => "tag",
            Self::Digest => "digest",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ImagePart, ImageRef};

    #[test]
    fn a_reference_is_taken_apart_and_put_together_again() {
        let check = |text: &str, name: &str, tag: &str, digest: &str| {
            let image = ImageRef::parse(text);
            let parts = [ImagePart::Name, ImagePart::Tag, ImagePart::Digest].map(|part| image.part(part));
            assert_eq!(parts, [name, tag, digest], "{text}");
            assert_eq!(image.to_string(), text);
        };
        check("nginx", "nginx", "", "");
        check("nginx:1.23", "nginx", "1.23", "");
        check("registry:5000/a/b", "registry:5000/a/b", "", "");
        check("registry:5000/a/b:1.2@sha256:abc", "registry:5000/a/b", "1.2", "sha256:abc");
        check("a/b@sha256:abc", "a/b", "", "sha256:abc");
        check("", "", "", "");
        check(":1.2", "", "1.2", "");
    }

    #[test]
    fn one_part_changes_and_the_others_stay() {
        let image = || ImageRef::parse("registry:5000/a/b:1.2@sha256:abc");
        assert_eq!(image().with(ImagePart::Tag, "2").to_string(), "registry:5000/a/b:2@sha256:abc");
        assert_eq!(image().with(ImagePart::Digest, "").to_string(), "registry:5000/a/b:1.2");
        assert_eq!(image().with(ImagePart::Name, "c").to_string(), "c:1.2@sha256:abc");
    }
}
