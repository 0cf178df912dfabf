//! Label selectors, as Kubernetes writes them: `team=web, tier in (a,b), !legacy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The longest name and the longest value of a label.
const LONGEST: usize = 63;
/// The longest prefix of a label's key.
const LONGEST_PREFIX: usize = 253;

/// Which labels an object has to carry. The default asks for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSelector(BTreeSet<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Requirement {
    key: Arc<str>,
    asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Asks {
    Exists,
    Absent,
    In(BTreeSet<Arc<str>>),
    /// Also of what does not carry the label at all.
    NotIn(BTreeSet<Arc<str>>),
}

/// Why a text is no label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSelectorError {
    part: String,
    why: String,
}

impl fmt::Display for LabelSelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.part, self.why)
    }
}

impl std::error::Error for LabelSelectorError {}

impl LabelSelector {
    /// Reads a selector; an empty text asks for nothing.
    pub fn parse(text: &str) -> Result<Self, LabelSelectorError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = parts(text)?;
        let read = |part: &&str| {
            requirement(part.trim()).map_err(|why| LabelSelectorError { part: part.trim().to_owned(), why })
        };
        Ok(Self(parts.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these labels are what it asks for.
    pub fn holds(&self, labels: &BTreeMap<Arc<str>, Arc<str>>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.asks {
                Asks::Exists => value.is_some(),
                Asks::Absent => value.is_none(),
                Asks::In(values) => value.is_some_and(|value| values.contains(value)),
                Asks::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            }
        })
    }

    /// Whether whatever it holds for is held for by another one too, as far as the
    /// requirements themselves tell.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }
}

/// What is between commas, which also stand between the values of a set.
fn parts(text: &str) -> Result<Vec<&str>, LabelSelectorError> {
    let mut parts = Vec::new();
    let (mut start, mut open) = (0, false);
    let failed =
        |part: &str, why: &str| LabelSelectorError { part: part.trim().to_owned(), why: why.to_owned() };
    for (at, letter) in text.char_indices() {
        let so_far = text.get(start..at).unwrap_or_default();
        match letter {
            '(' if open => return Err(failed(so_far, "a set cannot hold another one")),
            '(' => open = true,
            ')' if !open => return Err(failed(so_far, "\")\" without \"(\"")),
            ')' => open = false,
            ',' if !open => {
                parts.push(so_far);
                start = at + 1;
            }
            _ => {}
        }
    }
    let rest = text.get(start..).unwrap_or_default();
    if open {
        return Err(failed(rest, "\"(\" without \")\""));
    }
    parts.push(rest);
    Ok(parts)
}

fn requirement(part: &str) -> Result<Requirement, String> {
    if part.is_empty() {
        return Err("a label is expected before, between and after commas".to_owned());
    }
    if let Some(name) = part.strip_prefix('!') {
        return Ok(Requirement { key: key(name)?, asks: Asks::Absent });
    }
    if let Some((name, set)) = part.split_once('(') {
        let Some(set) = set.trim_end().strip_suffix(')') else {
            return Err("nothing may stand behind \")\"".to_owned());
        };
        let values = set.split(',').map(value).collect::<Result<BTreeSet<_>, _>>()?;
        let words: Vec<&str> = name.split_whitespace().collect();
        return match words.as_slice() {
            [name, "in"] => Ok(Requirement { key: key(name)?, asks: Asks::In(values) }),
            [name, "notin"] => Ok(Requirement { key: key(name)?, asks: Asks::NotIn(values) }),
            _ => Err("a set stands behind `KEY in` or `KEY notin`".to_owned()),
        };
    }
    let Some((name, wanted)) = part.split_once('=') else {
        return match part.split_whitespace().collect::<Vec<_>>().as_slice() {
            [_, "in" | "notin", ..] => Err("the values stand in parentheses: `KEY in (a,b)`".to_owned()),
            _ => Ok(Requirement { key: key(part)?, asks: Asks::Exists }),
        };
    };
    let (name, is_equal) = match name.strip_suffix('!') {
        Some(name) => (name, false),
        None => (name, true),
    };
    let wanted = if is_equal { wanted.strip_prefix('=').unwrap_or(wanted) } else { wanted };
    let values = BTreeSet::from([value(wanted)?]);
    Ok(Requirement { key: key(name)?, asks: if is_equal { Asks::In(values) } else { Asks::NotIn(values) } })
}

fn key(text: &str) -> Result<Arc<str>, String> {
    let text = text.trim();
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if name.is_empty() || !is_word(name) {
        return Err(format!(
            "{name:?} is no name of a label: up to {LONGEST} letters, digits, '-', '_' and '.', the first and the last of them a letter or digit"
        ));
    }
    let is_domain = |prefix: &str| {
        let is_label = |part: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
        };
        prefix.len() <= LONGEST_PREFIX && prefix.split('.').all(is_label)
    };
    match prefix {
        Some(prefix) if !is_domain(prefix) => Err(format!(
            "{prefix:?} is no prefix of a label: it is a domain in lower case, such as example.com"
        )),
        Some(_) | None => Ok(text.into()),
    }
}

fn value(text: &str) -> Result<Arc<str>, String> {
    let text = text.trim();
    if !text.is_empty() && !is_word(text) {
        return Err(format!(
            "{text:?} is no value of a label: up to {LONGEST} letters, digits, '-', '_' and '.', the first and the last of them a letter or digit"
        ));
    }
    Ok(text.into())
}

fn is_word(text: &str) -> bool {
    let at_the_ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LONGEST
        && at_the_ends(text.chars().next())
        && at_the_ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::LabelSelector;

    fn labels(text: &str) -> BTreeMap<Arc<str>, Arc<str>> {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    #[track_caller]
    fn check(selector: &str, fits: &[&str], others: &[&str]) {
        let selector = LabelSelector::parse(selector).unwrap();
        for text in fits {
            assert!(selector.holds(&labels(text)), "{selector:?} is for {text:?}");
        }
        for text in others {
            assert!(!selector.holds(&labels(text)), "{selector:?} is not for {text:?}");
        }
    }

    #[test]
    fn every_form_is_read() {
        check("", &["", "a=b"], &[]);
        check("team=web", &["team=web", "team=web x=y"], &["", "team=api"]);
        check(" team == web ", &["team=web"], &["team=api"]);
        check("team!=web", &["", "team=api"], &["team=web"]);
        check("team in (web, api)", &["team=web", "team=api"], &["", "team=ops"]);
        check("team notin (web,api)", &["", "team=ops"], &["team=web", "team=api"]);
        check("team in(web)", &["team=web"], &[""]);
        check("team", &["team=", "team=web"], &["", "x=y"]);
        check("!team", &["", "x=y"], &["team=web"]);
        check("! team", &[""], &["team=web"]);
        check("team=", &["team="], &["", "team=web"]);
        check("team in (,web)", &["team=", "team=web"], &[""]);
        check(
            "sharding.fluxcd.io/key in (one,two),tier=a,!legacy",
            &["sharding.fluxcd.io/key=one tier=a"],
            &["sharding.fluxcd.io/key=one tier=a legacy=x", "sharding.fluxcd.io/key=three tier=a"],
        );
    }

    #[test]
    fn what_is_no_selector_says_what_is_wrong() {
        let texts = [
            "a=b,",
            ",a",
            "a in b",
            "a in (b",
            "a b)",
            "a in ((b))",
            "a in (b) c",
            "in (b)",
            "a like (b)",
            "a=b=c",
            "a=b c",
            "-a=b",
            "A.Example/a=b",
            "a/b/c",
            "a>1",
            "=b",
            "!",
            "a!b",
            "é=b",
        ];
        let told: Vec<String> = texts
            .iter()
            .map(|text| format!("{text}\n    {}", LabelSelector::parse(text).unwrap_err()))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn more_requirements_are_within_fewer() {
        let read = |text| LabelSelector::parse(text).unwrap();
        assert!(read("a=b,c").is_within(&read("c")));
        assert!(read("a=b").is_within(&read("")));
        assert!(read("a in (x, y)").is_within(&read("a in (y,x)")));
        assert!(!read("c").is_within(&read("a=b,c")));
    }
}
