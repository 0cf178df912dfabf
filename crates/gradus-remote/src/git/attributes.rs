//! `.gitattributes`: whether what Git holds of a file is the file.
//!
//! A filter, such as that of LFS, or another encoding makes of a file what is stored, and of that the file again. Nothing
//! here runs filters, so such a file is not written. How lines end is left as it is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::{
    Mode, ObjectId, RepoPath,
    error::Outcome,
    fetch::Filter,
    glob::Glob,
    object::{Kind, find_entry},
    session::Session,
    walk::Found,
};

const NAME: &str = ".gitattributes";
const FILTER: &str = "filter";
const ENCODING: &str = "working-tree-encoding";

/// Refuses files that are not stored as they are. The folders on the way to them are here; what describes them is asked
/// for, in one request, where there is any.
pub(super) async fn refuse_filtered(
    session: &mut Session<'_>,
    root: ObjectId,
    paths: &[&RepoPath],
) -> Outcome<()> {
    let mut described = BTreeMap::new();
    for path in paths {
        let mut tree = root;
        let parts: Vec<&str> = path.parts().collect();
        for (depth, part) in parts.iter().enumerate() {
            let folder = parts[..depth].join("/");
            let data = session.need(tree, Kind::Tree)?;
            if let Some(entry) =
                find_entry(&data, NAME)?.filter(|entry| matches!(entry.mode, Mode::File | Mode::Executable))
            {
                described.insert(folder, entry.id);
            }
            match find_entry(&data, part)?.filter(|entry| entry.mode == Mode::Folder) {
                Some(entry) => tree = entry.id,
                None => break,
            }
        }
    }
    if described.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<ObjectId> = described.values().copied().collect();
    session.ensure(&ids, Filter::Whole).await?;
    let mut texts = Vec::new();
    for (folder, id) in described {
        texts.push((folder, session.need(id, Kind::Blob)?));
    }
    match paths.iter().find_map(|path| Some((path, why_not(path.as_str(), &texts)?))) {
        Some((path, why)) => Err(Found::refusal(path, &why)),
        None => Ok(()),
    }
}

/// Why this file is not what is stored of it. The texts are of folders, in their order.
fn why_not(path: &str, texts: &[(String, Bytes)]) -> Option<String> {
    let mut macros: HashMap<String, Vec<String>> = HashMap::new();
    let mut values: HashMap<&'static str, String> = HashMap::new();
    for (folder, text) in texts {
        let below = match folder.as_str() {
            "" => Some(path),
            folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(below) = below else { continue };
        for line in String::from_utf8_lossy(text).trim_start_matches('\u{feff}').lines() {
            let Some((pattern, words)) = line_of(line) else { continue };
            if let Some(name) = pattern.strip_prefix("[attr]") {
                if folder.is_empty() {
                    macros.insert(name.to_owned(), words);
                }
            } else if Glob::new(&pattern).is_some_and(|glob| glob.matches(below)) {
                for word in words {
                    match macros.get(&word) {
                        Some(meant) => meant.iter().for_each(|word| set(&mut values, word)),
                        None => set(&mut values, &word),
                    }
                }
            }
        }
    }
    if let Some(filter) = values.get(FILTER) {
        return Some(format!(
            "is stored through the filter {filter:?} ({NAME}): what Git holds is not the file"
        ));
    }
    let encoding = values.get(ENCODING).filter(|name| !name.eq_ignore_ascii_case("utf-8"))?;
    Some(format!("is checked out as {encoding:?} ({NAME}): what Git holds is not the file"))
}

/// What a word says of the attributes that matter; one that is unset has no value.
fn set(values: &mut HashMap<&'static str, String>, word: &str) {
    for name in [FILTER, ENCODING] {
        match word.strip_prefix(name).map(|rest| rest.strip_prefix('=')) {
            Some(Some(value)) if !value.is_empty() => drop(values.insert(name, value.to_owned())),
            Some(Some(_)) => drop(values.remove(name)),
            Some(None) | None => {
                if word.strip_prefix(['-', '!']) == Some(name) || word == name {
                    values.remove(name);
                }
            }
        }
    }
}

/// A pattern and what it says of the files it is for.
fn line_of(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (pattern, rest) = match line.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.char_indices().find(|&(at, c)| c == '"' && !quoted[..at].ends_with('\\'))?;
            (quoted[..end.0].replace("\\\"", "\"").replace("\\\\", "\\"), &quoted[end.0 + 1..])
        }
        None => {
            let (pattern, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            (pattern.to_owned(), rest)
        }
    };
    // Git ignores those that say where something is not.
    (!pattern.starts_with('!')).then(|| (pattern, rest.split_whitespace().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::why_not;

    fn refused(path: &str, texts: &[(&str, &'static str)]) -> bool {
        let texts: Vec<_> =
            texts.iter().map(|(folder, text)| ((*folder).to_owned(), text.as_bytes().into())).collect();
        why_not(path, &texts).is_some()
    }

    #[test]
    fn the_last_line_that_fits_counts() {
        let lfs = "* text=auto eol=lf\n*.bin filter=lfs diff=lfs merge=lfs -text\n";
        assert!(refused("a/b/c.bin", &[("", lfs)]));
        assert!(!refused("a/b/c.yaml", &[("", lfs)]));
        assert!(!refused("a/c.bin", &[("", lfs), ("a", "c.bin !filter\n")]));
        assert!(!refused("a/c.bin", &[("", lfs), ("a", "c.bin -filter\n")]));
        assert!(refused("b/c.bin", &[("", lfs), ("a", "c.bin -filter\n")]));
        assert!(!refused("a.yaml", &[("", "# *.yaml filter=x\n\n!*.yaml filter=x\n*.yaml filters=x\n")]));
        assert!(refused("secrets/a b.yaml", &[("", "\"secrets/a b.yaml\" filter=git-crypt\n")]));
        assert!(refused("a.yaml", &[("", "[attr]sealed filter=git-crypt -diff\n*.yaml sealed\n")]));
    }

    #[test]
    fn another_encoding_is_told() {
        assert!(refused("a.yaml", &[("", "*.yaml working-tree-encoding=UTF-16LE\n")]));
        assert!(!refused("a.yaml", &[("", "*.yaml working-tree-encoding=UTF-8\n")]));
        let why = why_not("a", &[(String::new(), "a working-tree-encoding=UTF-16\r\n".into())]);
        assert_eq!(
            why.unwrap(),
            "is checked out as \"UTF-16\" (.gitattributes): what Git holds is not the file"
        );
    }
}
