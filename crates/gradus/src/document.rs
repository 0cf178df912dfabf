//! The documents of a file, as far as single values are asked of them.

use gradus_edit::{FieldPath, Located, Locator, Select};

/// Lists are looked through up to this element.
const LONGEST: usize = 64;

/// One document.
pub(crate) struct Document<'a> {
    text: &'a str,
    /// How many lines of the file are before it.
    above: usize,
}

impl<'a> Document<'a> {
    /// The documents of a file: what is between lines that begin with `---`.
    pub(crate) fn all(text: &'a str) -> Vec<Self> {
        let mut documents = Vec::new();
        let (mut start, mut above) = (0, 0);
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if line.starts_with("---") {
                documents.push(Self { text: text.get(start..at).unwrap_or_default(), above });
                (start, above) = (at + line.len(), number + 1);
            }
            at += line.len();
        }
        documents.push(Self { text: text.get(start..).unwrap_or_default(), above });
        documents.retain(|document| !document.text.trim().is_empty());
        documents
    }

    /// The text at a path; `None` where there is none, or none that can be read.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.found(path).map(|value| value.value)
    }

    /// The line and the column in the file of the text at a path.
    pub(crate) fn place(&self, path: &str) -> Option<(usize, usize)> {
        let place = self.found(path)?.place;
        Some((self.above + place.line, place.column))
    }

    fn found(&self, path: &str) -> Option<Located> {
        let path = FieldPath::parse(path).ok()?;
        let found = gradus_edit::read(self.text.as_bytes(), &Locator::Path(Select::path(path))).ok()?;
        found.into_iter().next()
    }

    /// The texts of a list.
    pub(crate) fn list(&self, list: &str) -> Vec<String> {
        (0..LONGEST).map_while(|at| self.text(&format!("{list}[{at}]"))).collect()
    }

    /// The texts at a path in each element of a list, with the elements' numbers.
    pub(crate) fn each(&self, list: &str, field: &str) -> Vec<(usize, String)> {
        let texts = (0..LONGEST).map(|at| (at, self.text(&format!("{list}[{at}].{field}"))));
        texts.take_while(|(_, text)| text.is_some()).filter_map(|(at, text)| Some((at, text?))).collect()
    }

    /// Whether it is of this API and kind.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        // Most documents are not, and need not be parsed to know it.
        self.text.contains(group)
            && self.text("kind").as_deref() == Some(kind)
            && self.text("apiVersion").is_some_and(|version| version.split('/').next() == Some(group))
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    #[test]
    fn documents_are_told_apart() {
        let text = "---\nkind: A\napiVersion: x/v1\n---\n\n--- # next\nkind: B\nlist:\n- {name: one}\n- {name: two}\n- {}\n";
        let all = Document::all(text);
        let kinds: Vec<_> = all.iter().map(|document| document.text("kind")).collect();
        assert_eq!(kinds, [Some("A".to_owned()), Some("B".to_owned())]);
        assert!(all[0].is("x", "A") && !all[0].is("x", "B") && !all[1].is("x", "B"));
        assert_eq!(all[1].place("list[0].name"), Some((9, 10)));
        assert_eq!(all[1].each("list", "name"), [(0, "one".to_owned()), (1, "two".to_owned())]);
    }
}
