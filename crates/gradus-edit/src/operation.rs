//! JSON patches (RFC 6902): lists of operations, in YAML or in JSON.

use crate::locator::Operation;
use crate::refusal::{Missing, Refusal, RefusalKind};
use crate::table::{NodeId, Table};
use crate::{FieldPath, Select, Step, select, walk};

/// The operations that write a value.
const WRITES: [&str; 2] = ["replace", "add"];

/// What the operation writes at this path of the object.
pub(crate) fn written(table: &Table<'_>, operation: &Operation) -> Result<NodeId, Refusal> {
    let root = select::document(table, &Select::path(operation.path.clone()))?;
    let mut found: Vec<(NodeId, FieldPath)> = Vec::new();
    for element in table.children(root) {
        let text = |key: &str| table.get(element, key).and_then(|value| table.scalar(value));
        let writes = text("op").is_some_and(|op| WRITES.contains(&op));
        let (Some(pointer), Some(value)) = (text("path"), table.get(element, "value")) else { continue };
        let Some(rest) = writes.then(|| rest_behind(&operation.path, pointer)).flatten() else { continue };
        // What stands nearer to the root may write something else.
        if rest.steps().is_empty() || walk::walk(table, value, &rest).is_ok() {
            found.push((value, rest));
        }
    }
    match found.as_slice() {
        [(value, rest)] => walk::walk(table, *value, rest),
        [] => Err(nothing(table, root, operation)),
        several => {
            let lines =
                several.iter().filter_map(|(value, _)| table.node(*value)).map(|node| node.place.line);
            let kind = RefusalKind::ManyElements { path: operation.path.clone(), lines: lines.collect() };
            let place = several.first().and_then(|(value, _)| table.node(*value)).map(|node| node.place);
            Err(Refusal { kind, place })
        }
    }
}

/// The steps of the path behind those of the pointer; nothing where the pointer leads elsewhere.
fn rest_behind(path: &FieldPath, pointer: &str) -> Option<FieldPath> {
    let tokens: Vec<String> = pointer.strip_prefix('/')?.split('/').map(unescape).collect();
    let steps = path.steps();
    let same = tokens.len() <= steps.len()
        && tokens.iter().zip(steps).all(|(token, step)| match step {
            Step::Key(key) => key == token,
            Step::Index(index) => index.to_string() == *token,
            Step::Where { .. } => false,
        });
    same.then(|| FieldPath::new(steps.iter().skip(tokens.len()).cloned()))
}

/// The way that a pointer leads; nothing where it leads to the root or behind the end of a list.
pub(crate) fn steps_of(pointer: &str) -> Option<FieldPath> {
    let tokens = pointer.strip_prefix('/')?.split('/');
    let steps = tokens.map(|token| match FieldPath::index(token) {
        _ if token == "-" => None,
        Some(index) if !token.is_empty() => Some(Step::Index(index)),
        Some(_) | None => Some(Step::Key(unescape(token))),
    });
    steps.collect::<Option<Vec<Step>>>().map(FieldPath::new)
}

pub(crate) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn nothing(table: &Table<'_>, root: NodeId, operation: &Operation) -> Refusal {
    let paths = table.children(root).filter(|element| table.get(*element, "value").is_some());
    let paths = paths.filter_map(|element| table.get(element, "path"));
    let paths: Vec<String> = paths.filter_map(|path| table.scalar(path)).map(walk::shorten).take(8).collect();
    let missing = Missing::Operation { paths };
    let kind = RefusalKind::NotFound {
        path: operation.path.clone(),
        found: FieldPath::new([]),
        missing: Box::new(missing),
    };
    Refusal { kind, place: table.node(root).map(|node| node.place) }
}
