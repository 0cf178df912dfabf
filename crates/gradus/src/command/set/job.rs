//! What is to be set, as the command line says it.

use gradus_edit::{
    Edit, Edited, FieldPath, Format, ImageRef, ImageSet, Locator, Outcome, Refusal, RefusalKind, Select,
    SetMarkers, Setter, edit_file, read_file, set_images, set_markers,
};

use super::SetArgs;
use crate::error::CliError;
use crate::files::File;

/// What is to be set.
pub(super) enum Job {
    /// One value of one file.
    Value(Value),
    /// What markers name.
    Markers(Markers),
    /// Images, wherever they are named.
    Images(Images),
}

/// One value.
pub(super) struct Value {
    /// What may be meant, the likeliest first.
    selects: Vec<Select>,
    path: String,
    value: String,
    expect: Option<String>,
    create: bool,
}

/// What markers name.
pub(super) struct Markers {
    setters: Vec<Setter>,
    /// As it was asked for.
    asked: Vec<String>,
}

/// Images, wherever they are named.
pub(super) struct Images {
    sets: Vec<ImageSet>,
    /// As it was asked for.
    asked: Vec<String>,
}

/// What became of a file.
pub(super) struct Made {
    pub(super) edited: Option<Edited>,
    /// How many values were named.
    pub(super) values: usize,
    pub(super) passed_over: Vec<Refusal>,
}

impl Job {
    pub(super) fn of(arguments: &SetArgs) -> Result<Self, CliError> {
        if let (Some(path), Some(value)) = (&arguments.path, &arguments.value) {
            let read = FieldPath::parse(path).map_err(|error| CliError::usage(error.to_string()))?;
            return Ok(Self::Value(Value {
                selects: selects(&read, arguments.select.as_deref())?,
                path: path.clone(),
                value: value.clone(),
                expect: arguments.expect.clone(),
                create: arguments.create,
            }));
        }
        let mut setters = Vec::new();
        for asked in &arguments.promotion {
            let (marker, version) = named("--promotion", asked, "NS:PIPELINE:ENV=VERSION", 3)?;
            setters.push(Setter::text("$promotion", marker, version));
        }
        for asked in &arguments.imagepolicy {
            let form = "NS:POLICY=IMAGE[:TAG][@DIGEST]";
            let (policy, image) = named("--imagepolicy", asked, form, 2)?;
            let ImageRef { name, tag, digest } = ImageRef::parse(image);
            if name.is_empty() || tag.is_none() && digest.is_none() {
                return Err(CliError::usage(format!("--imagepolicy {asked}: {image} names no version"))
                    .help(format!("write it as {form}, with a tag or a digest")));
            }
            setters.extend(Setter::image("$imagepolicy", policy, &name, tag.as_deref(), digest.as_deref()));
        }
        if !arguments.image.is_empty() {
            let sets = arguments.image.iter().map(|asked| image(asked)).collect::<Result<_, _>>()?;
            return Ok(Self::Images(Images { sets, asked: arguments.image.clone() }));
        }
        if setters.is_empty() {
            return Err(CliError::usage("there is nothing to set")
                .help("give a path and a value, --promotion, --imagepolicy or --image"));
        }
        let asked = arguments.promotion.iter().chain(&arguments.imagepolicy).cloned().collect();
        Ok(Self::Markers(Markers { setters, asked }))
    }

    /// Whether files are passed over that cannot be read.
    pub(super) fn is_of_many(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::Markers(_) | Self::Images(_) => true,
        }
    }

    /// What becomes of a file.
    pub(super) fn make(&self, file: &File) -> Result<Made, Refusal> {
        match self {
            Self::Value(value) => value.make(file),
            Self::Markers(markers) => {
                let SetMarkers { outcome, values, passed_over } = set_markers(&file.bytes, &markers.setters)?;
                let passed_over = passed_over.into_iter().map(|over| over.why).collect();
                Ok(Made { edited: edited(outcome)?, values, passed_over })
            }
            Self::Images(images) => {
                let edited = edited(set_images(&file.bytes, &images.sets)?)?;
                Ok(Made { edited, values: 0, passed_over: Vec::new() })
            }
        }
    }

    /// What a commit says that says nothing else.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Value(Value { path, value, .. }) => format!("Set {path} to {value}\n"),
            Self::Markers(Markers { asked, .. }) | Self::Images(Images { asked, .. }) => {
                let said: Vec<String> = asked
                    .iter()
                    .filter_map(|one| one.split_once('='))
                    .map(|(name, value)| format!("Set {name} to {value}"))
                    .collect();
                match said.as_slice() {
                    [] | [_] => format!("{}\n", said.concat()),
                    several => format!("Set {} values\n\n{}\n", several.len(), several.join("\n")),
                }
            }
        }
    }
}

impl Value {
    fn make(&self, file: &File) -> Result<Made, Refusal> {
        let format = Format::of(&file.name);
        let locator = self.locator(format, &file.bytes);
        let mut edit = Edit::new(locator, self.value.as_str());
        edit.expect.clone_from(&self.expect);
        edit.create = self.create;
        let outcome = edit_file(format, &file.bytes, &[edit])?;
        Ok(Made { edited: edited(outcome)?, values: 1, passed_over: Vec::new() })
    }

    /// The first selection of which there is a document, or else the first.
    fn locator(&self, format: Format, bytes: &[u8]) -> Locator {
        let mut locators = self.selects.iter().cloned().map(Locator::Path);
        let first = locators.next();
        let is_there = |locator: &Locator| match read_file(format, bytes, locator) {
            Ok(_) => true,
            Err(refusal) => !matches!(refusal.kind, RefusalKind::NoDocument { .. }),
        };
        match first {
            Some(first) if is_there(&first) => first,
            Some(first) => locators.find(is_there).unwrap_or(first),
            None => Locator::Path(Select::path(FieldPath::new([]))),
        }
    }
}

/// The file as it becomes, unless a value is not what it was expected to be.
fn edited(outcome: Outcome) -> Result<Option<Edited>, Refusal> {
    match outcome {
        Outcome::Edited(edited) => Ok(Some(edited)),
        Outcome::Unchanged => Ok(None),
        Outcome::Stale(stale) => Err(stale.into()),
    }
}

/// The documents that may be meant. A name may hold dots, and so may what follows it be its namespace.
fn selects(path: &FieldPath, select: Option<&str>) -> Result<Vec<Select>, CliError> {
    let select_path = || Select::path(path.clone());
    let Some(select) = select else { return Ok(vec![select_path()]) };
    let (kind, name) = match select.split_once('/') {
        Some((kind, name)) => (kind, Some(name)),
        None => (select, None),
    };
    if kind.is_empty() || name.is_some_and(|name| name.is_empty() || name.contains('/')) {
        return Err(CliError::usage(format!("--select {select}: it names no document"))
            .help("write it as KIND/NAME or KIND/NAME.NAMESPACE"));
    }
    let of_kind = || select_path().kind(kind);
    let Some(name) = name else { return Ok(vec![of_kind()]) };
    let mut selects = vec![of_kind().name(name)];
    if let Some((name, namespace)) = name.rsplit_once('.') {
        selects.push(of_kind().name(name).namespace(namespace));
    }
    Ok(selects)
}

fn image(asked: &str) -> Result<ImageSet, CliError> {
    ImageSet::parse(asked).ok_or_else(|| {
        CliError::usage(format!("--image {asked}: it does not say what becomes of which image"))
            .help("write it as NAME=TAG or NAME=NAME:TAG@DIGEST")
    })
}

/// A name of so many parts, and what is to be set for it.
fn named<'a>(option: &str, asked: &'a str, form: &str, parts: usize) -> Result<(&'a str, &'a str), CliError> {
    let wrong = |why: &str| {
        Err(CliError::usage(format!("{option} {asked}: {why}")).help(format!("write it as {form}")))
    };
    let Some((name, value)) = asked.split_once('=') else { return wrong("there is no =") };
    let is_name = name.split(':').count() == parts && name.split(':').all(|part| !part.is_empty());
    if !is_name {
        return wrong(&format!("{name} is not {parts} names with colons between them"));
    }
    if value.is_empty() { wrong("there is no value behind the =") } else { Ok((name, value)) }
}
