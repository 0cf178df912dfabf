//! Images by name, and the one whose version counts.

use crate::read::Doc;
use crate::target::Wanted;

/// The name of an image, taken apart: `registry:5000/team/web:1.2@sha256:..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// The name with its registry, without tag and digest.
    pub repository: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, with its algorithm.
    pub digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Takes a name apart; every text is one.
    pub fn parse(text: &'a str) -> Self {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest).filter(|digest| !digest.is_empty())),
            None => (text, None),
        };
        // A colon before the last slash belongs to the port of the registry.
        let last = named.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match named.get(last..).and_then(|name| name.rfind(':')) {
            Some(at) => (named.get(..last + at), named.get(last + at + 1..)),
            None => (Some(named), None),
        };
        Self { repository: repository.unwrap_or(named), tag: tag.filter(|tag| !tag.is_empty()), digest }
    }

    /// Its version: the tag, else the digest; the digest where one is asked for.
    pub fn version(&self, wanted: Option<&Wanted>) -> &'a str {
        let by_digest = wanted
            .and_then(|wanted| wanted.version.as_deref())
            .is_some_and(|version| version.starts_with("sha256:") || version.starts_with("sha512:"));
        match (self.tag, self.digest) {
            (_, Some(digest)) if by_digest => digest,
            (Some(tag), _) => tag,
            (None, Some(digest)) => digest,
            (None, None) => "latest",
        }
    }

    /// Whether this is the repository, with the defaults of Docker Hub filled in.
    pub fn is_of(&self, repository: &str) -> bool {
        full(self.repository) == full(repository)
    }
}

/// Which image of a workload counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The only one, or the one of the container that is named like the object.
    Auto,
    /// The one of this container, or of this repository, or both.
    Named { container: Option<String>, repository: Option<String> },
    /// None: it is enough that there are some.
    Any,
}

impl Pick {
    /// Whether it names an image that another workload may have.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self, Self::Named { .. })
    }

    /// What it looks for, in words.
    fn words(&self) -> String {
        match self {
            Self::Named { container: Some(container), repository: Some(repository) } => {
                format!("container {container} with the image {repository}")
            }
            Self::Named { container: Some(container), repository: None } => format!("container {container}"),
            Self::Named { container: None, repository: Some(repository) } => {
                format!("container with the image {repository}")
            }
            Self::Named { .. } | Self::Auto | Self::Any => "container".to_owned(),
        }
    }
}

/// The container and image of this pod template that count, or why that cannot
/// be told.
pub(crate) fn pick<'a>(
    template: Doc<'a>,
    pick: &Pick,
    object: &str,
) -> Result<(Option<&'a str>, Image<'a>), String> {
    let all = |list: &str| -> Vec<(Option<&'a str>, &'a str)> {
        template
            .items(list)
            .filter_map(|container| Some((container.text("name"), container.text("image")?)))
            .collect()
    };
    let containers = all("spec/containers");
    let matching = |(name, image): &(Option<&str>, &str)| match pick {
        Pick::Named { container, repository } => {
            container.as_deref().is_none_or(|wanted| *name == Some(wanted))
                && repository.as_deref().is_none_or(|wanted| Image::parse(image).is_of(wanted))
        }
        Pick::Auto => containers.len() == 1 || *name == Some(object),
        Pick::Any => true,
    };
    let mut found: Vec<_> = containers.iter().copied().filter(matching).collect();
    if found.is_empty() && pick.is_named() {
        found = all("spec/initContainers").into_iter().filter(matching).collect();
    }
    let Some((name, image)) = found.first().copied() else {
        return Err(match (pick, containers.len()) {
            (Pick::Auto, 2..) => {
                "it has several containers: name the one whose image has the version".to_owned()
            }
            (Pick::Auto | Pick::Any | Pick::Named { .. }, _) => format!("it has no {}", pick.words()),
        });
    };
    let image = Image::parse(image);
    let other = |(_, other): &(Option<&str>, &str)| Image::parse(other).version(None) != image.version(None);
    if *pick != Pick::Any && found.iter().any(other) {
        return Err(format!("it has more than one {}, at different versions", pick.words()));
    }
    Ok((name, image))
}

/// A repository with what Docker Hub leaves out.
fn full(repository: &str) -> String {
    let first = repository.split('/').next().unwrap_or_default();
    let has_registry =
        repository.contains('/') && (first.contains('.') || first.contains(':') || first == "localhost");
    let with_registry = if has_registry { repository.to_owned() } else { format!("docker.io/{repository}") };
    let named = with_registry.replacen("index.docker.io/", "docker.io/", 1);
    match named.strip_prefix("docker.io/") {
        Some(name) if !name.contains('/') => format!("docker.io/library/{name}"),
        Some(_) | None => named,
    }
}
