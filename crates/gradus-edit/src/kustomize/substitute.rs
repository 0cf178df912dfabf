//! Variables in manifests: `${NAME}`, `${NAME:=default}` and `${NAME:-default}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Node, Origin};

/// A text with its variables filled in.
pub(super) struct Filled {
    pub(super) text: String,
    /// The last value and where it comes from, if it is not a default in the text itself.
    pub(super) from: Option<(Arc<Origin>, String)>,
}

/// A variable in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variable<'t> {
    pub(crate) name: &'t str,
    /// What stands for it where nobody gives it a value.
    pub(crate) default: Option<&'t str>,
}

/// Fills in the variables; nothing where there are none that are known.
pub(super) fn filled(text: &str, values: &BTreeMap<String, Node>) -> Option<Filled> {
    let mut rest = text;
    let mut filled = Filled { text: String::new(), from: None };
    let mut is_changed = false;
    while let Some((before, variable, whole, after)) = next(rest) {
        filled.text.push_str(before);
        let given = values.get(variable.name).and_then(|node| Some((node, node.text()?)));
        match (given, variable.default) {
            (Some((node, value)), _) => {
                filled.text.push_str(value);
                filled.from = Some((node.origin.clone(), value.to_owned()));
                is_changed = true;
            }
            (None, Some(default)) => {
                filled.text.push_str(default);
                is_changed = true;
            }
            (None, None) => filled.text.push_str(whole),
        }
        rest = after;
    }
    filled.text.push_str(rest);
    is_changed.then_some(filled)
}

/// The variables of a text.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, variable, _, after) = next(rest)?;
        rest = after;
        Some(variable)
    })
}

/// What is before the next variable, the variable, how it is written, and what is behind it.
fn next(text: &str) -> Option<(&str, Variable<'_>, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("${")?;
        let inner = text.get(start + 2..)?;
        // Two dollars stand for one.
        let is_escaped = text.get(..start).is_some_and(|before| before.ends_with('$'));
        let end = inner.find('}').filter(|_| !is_escaped);
        let variable = end.and_then(|end| inner.get(..end)).and_then(read);
        if let (Some(variable), Some(end)) = (variable, end) {
            let after = start + 2 + end + 1;
            return Some((text.get(..start)?, variable, text.get(start..after)?, text.get(after..)?));
        }
        from = start + 2;
    }
}

fn read(inner: &str) -> Option<Variable<'_>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = inner.find(|c: char| !is_name(c)).unwrap_or(inner.len());
    let (name, rest) = inner.split_at_checked(end)?;
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well {
        return None;
    }
    let default = [":=", ":-", "=", "-"].into_iter().find_map(|sign| rest.strip_prefix(sign));
    (rest.is_empty() || default.is_some()).then_some(Variable { name, default })
}

#[cfg(test)]
mod tests {
    use super::{Variable, filled, variables};

    #[test]
    fn defaults_are_honoured_and_what_is_unknown_stays() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                filled(text, &Default::default()).map(|filled| filled.text).as_deref(),
                expected,
                "{text}"
            );
        };
        check("${BRANCH:=main}", Some("main"));
        check("pr-${PR:-0}.${LOADBALANCER:=localhost}", Some("pr-0.localhost"));
        check("${PR}", None);
        check("${PR}-${ENV:=}", Some("${PR}-"));
        check("$${A:=1}", None);
        check("${A:=1", None);
        check("${1:=a}", None);
        check("${A:+a}", None);
        check("a${", None);
    }

    #[test]
    fn variables_are_listed_with_their_defaults() {
        let all: Vec<_> = variables("${A:=1}-$${B}-${C}").collect();
        let one = |name, default| Variable { name, default };
        assert_eq!(all, [one("A", Some("1")), one("C", None)]);
    }
}
