//! What Flux made of a cluster, as a tree: sources, what is applied from them, and
//! the workloads that run, each with its version and whether it works.

mod grown;
mod kind;
mod seen;
mod shown;

use std::collections::BTreeSet;
use std::fmt;

use gradus_core::tell::Clock;
use gradus_evidence::ObjectRef;

pub use self::kind::tree_kinds;
pub use self::seen::Sighted;

use self::grown::Grown;
use self::kind::Shown;
use self::shown::Row;
use crate::clusters::wire::clean;

/// How deep a tree goes: what is nested deeper leads nowhere.
const DEEPEST: usize = 32;

/// Where a tree begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// At every source.
    All,
    /// At what is in this namespace.
    Namespace(String),
    /// At one object.
    Object {
        /// Its kind, however people write it: `HelmRelease`, `helmreleases`, `hr`.
        kind: String,
        /// Its namespace; any when absent.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
}

/// There is no such tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeError {
    message: String,
    /// What would be right.
    pub help: String,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TreeError {}

/// The tree, from this root on. Empty where Flux made nothing.
pub fn tree(seen: &Sighted, root: &Root, clock: &Clock) -> Result<String, TreeError> {
    let grown = Grown::of(seen);
    let roots = match root {
        Root::All => grown.roots(),
        Root::Namespace(namespace) => grown.roots_in(namespace),
        Root::Object { kind, namespace, name } => {
            vec![one(&grown, kind, namespace.as_deref(), name)?]
        }
    };
    let mut rows = Vec::new();
    let mut walked = BTreeSet::new();
    for root in roots {
        walk(seen, &grown, &root, 0, clock, &mut walked, &mut rows);
    }
    // What leads in a circle begins nowhere.
    if *root == Root::All {
        for object in grown.objects() {
            walk(seen, &grown, object, 0, clock, &mut walked, &mut rows);
        }
    }
    Ok(rendered(&rows))
}

fn walk(
    seen: &Sighted,
    grown: &Grown,
    object: &ObjectRef,
    depth: usize,
    clock: &Clock,
    walked: &mut BTreeSet<ObjectRef>,
    rows: &mut Vec<(usize, Row)>,
) {
    if depth > DEEPEST || !walked.insert(object.clone()) {
        return;
    }
    rows.push((depth, Row::of(seen, object, grown.above(object), clock)));
    for child in grown.below(object) {
        walk(seen, grown, child, depth + 1, clock, walked, rows);
    }
}

fn one(grown: &Grown, kind: &str, namespace: Option<&str>, name: &str) -> Result<ObjectRef, TreeError> {
    let Some(wanted) = Shown::named(kind) else {
        let kinds: Vec<&str> = Shown::ALL.into_iter().map(Shown::kind).collect();
        return Err(TreeError {
            message: format!("{:?} is no kind that stands in the tree", clean(kind)),
            help: format!("there is {}", kinds.join(", ")),
        });
    };
    let of_kind: Vec<&ObjectRef> = grown.every().filter(|object| Shown::of(object) == Some(wanted)).collect();
    let is_in = |object: &&&ObjectRef| namespace.is_none_or(|namespace| object.namespace == namespace);
    let found: Vec<&ObjectRef> =
        of_kind.iter().filter(is_in).filter(|object| object.name == name).copied().collect();
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => {
            let names: Vec<String> = of_kind
                .iter()
                .filter(is_in)
                .take(10)
                .map(|object| format!("{}/{}", object.namespace, object.name))
                .collect();
            let place = namespace.map_or_else(String::new, |namespace| format!(" in {namespace}"));
            Err(TreeError {
                message: format!("there is no {} {}{place}", wanted.kind(), clean(name)),
                help: if names.is_empty() {
                    format!("there is no {}{place} at all", wanted.kind())
                } else {
                    format!("there is {}", names.join(", "))
                },
            })
        }
        several => {
            let namespaces: Vec<&str> = several.iter().map(|object| object.namespace.as_str()).collect();
            Err(TreeError {
                message: format!("there are several {} called {name}", wanted.kind()),
                help: format!("say in which namespace with -n: {}", namespaces.join(", ")),
            })
        }
    }
}

/// Columns for names, versions and health; what stands beside an object below it.
fn rendered(rows: &[(usize, Row)]) -> String {
    let name = |depth: usize, row: &Row| format!("{}{}", "  ".repeat(depth), row.name);
    let wide = |text: &str| text.chars().count();
    let first = rows.iter().map(|(depth, row)| wide(&name(*depth, row))).max().unwrap_or(0);
    let second =
        rows.iter().map(|(_, row)| wide(&row.version)).filter(|width| *width <= 40).max().unwrap_or(0);
    let third = rows.iter().map(|(_, row)| wide(row.health)).max().unwrap_or(0);
    let mut text = String::new();
    for (depth, row) in rows {
        let line = format!(
            "{:first$}  {:second$}  {:third$}  {:>3}  {}",
            name(*depth, row),
            row.version,
            row.health,
            row.age,
            row.why
        );
        text.push_str(line.trim_end());
        text.push('\n');
        for note in &row.notes {
            text.push_str(&format!("{}{note}\n", "  ".repeat(depth + 2)));
        }
    }
    text
}
