//! What a caller sees of the crate, file by file.

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod json_files;
#[cfg(test)]
mod kustomize;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod random;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod setters;
#[cfg(test)]
mod values;
#[cfg(test)]
mod vectors;

#[cfg(test)]
use gradus_edit::{Edit, FieldPath, Locator, Outcome, Refusal, Select, edit};

/// This path in the only document of the file.
#[cfg(test)]
fn at(path: &str) -> Locator {
    Locator::Path(Select::path(FieldPath::parse(path).expect(path)))
}

/// The file after the edit; the file as it was if nothing changed.
#[cfg(test)]
fn set(file: &str, locator: &Locator, value: &str) -> Result<String, Refusal> {
    match edit(file.as_bytes(), &[Edit::new(locator.clone(), value)])? {
        Outcome::Edited(edited) => Ok(String::from_utf8(edited.bytes).expect("UTF-8")),
        Outcome::Unchanged => Ok(file.to_owned()),
        Outcome::Stale(stale) => panic!("nothing was expected, yet {stale:?}"),
    }
}
