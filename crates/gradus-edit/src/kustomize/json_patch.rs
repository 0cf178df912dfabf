//! JSON patches (RFC 6902).

use super::node::{Node, Value};
use crate::operation::unescape;
use crate::walk::shorten;

/// The object with all operations done, or why one of them cannot be done.
pub(super) fn patched(object: &Node, operations: &Node) -> Result<Node, (Node, String)> {
    let mut patched = object.clone();
    for operation in operations.elements() {
        apply(&mut patched, operation).map_err(|why| (operation.clone(), why))?;
    }
    Ok(patched)
}

fn apply(object: &mut Node, operation: &Node) -> Result<(), String> {
    let text = |key: &str| operation.text_of(key).ok_or_else(|| format!("the operation has no {key}"));
    let value = || operation.get("value").ok_or_else(|| "the operation has no value".to_owned());
    let (op, path) = (text("op")?, pointer(text("path")?)?);
    match op {
        "add" => add(object, &path, value()?.clone()),
        "replace" => {
            *find(object, &path)? = value()?.clone();
            Ok(())
        }
        "remove" => remove(object, &path).map(drop),
        "test" if same(find(object, &path)?, value()?) => Ok(()),
        "test" => Err(format!("{} is something else", shown(&path))),
        "move" => {
            let moved = remove(object, &pointer(text("from")?)?)?;
            add(object, &path, moved)
        }
        "copy" => {
            let copied = find(object, &pointer(text("from")?)?)?.clone();
            add(object, &path, copied)
        }
        other => Err(format!("there is no operation {}", shorten(other))),
    }
}

fn pointer(text: &str) -> Result<Vec<String>, String> {
    match text.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').map(unescape).collect()),
        None if text.is_empty() => Ok(Vec::new()),
        None => Err(format!("{} does not begin with a slash", shorten(text))),
    }
}

fn shown(path: &[String]) -> String {
    shorten(&path.iter().map(|token| format!("/{token}")).collect::<String>())
}

fn find<'n>(object: &'n mut Node, path: &[String]) -> Result<&'n mut Node, String> {
    let mut at = object;
    for token in path {
        let next = match &mut at.value {
            Value::Mapping(entries) => {
                entries.iter_mut().rev().find(|(key, _)| **key == **token).map(|(_, node)| node)
            }
            Value::List(elements) => index(token).and_then(|index| elements.get_mut(index)),
            Value::Text(_) | Value::Null => None,
        };
        at = next.ok_or_else(|| format!("there is no {}", shown(path)))?;
    }
    Ok(at)
}

fn index(token: &str) -> Option<usize> {
    crate::FieldPath::index(token).filter(|_| !token.is_empty())
}

fn add(object: &mut Node, path: &[String], node: Node) -> Result<(), String> {
    let Some((last, before)) = path.split_last() else {
        *object = node;
        return Ok(());
    };
    let missing = || format!("there is no {}", shown(path));
    let around = find(object, before)?;
    match &mut around.value {
        Value::Mapping(_) => around.set(last, node),
        Value::List(elements) => {
            let at = if last == "-" { elements.len() } else { index(last).ok_or_else(missing)? };
            if at > elements.len() {
                return Err(missing());
            }
            elements.insert(at, node);
        }
        Value::Text(_) | Value::Null => return Err(missing()),
    }
    Ok(())
}

fn remove(object: &mut Node, path: &[String]) -> Result<Node, String> {
    let missing = || format!("there is no {}", shown(path));
    let Some((last, before)) = path.split_last() else { return Err(missing()) };
    let removed = match &mut find(object, before)?.value {
        Value::Mapping(entries) => {
            let at = entries.iter().rposition(|(key, _)| **key == **last);
            at.map(|at| entries.remove(at).1)
        }
        Value::List(elements) => index(last).filter(|at| *at < elements.len()).map(|at| elements.remove(at)),
        Value::Text(_) | Value::Null => None,
    };
    removed.ok_or_else(missing)
}

fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Text(one), Value::Text(other)) => one.text == other.text && one.is_text == other.is_text,
        (Value::Null, Value::Null) => true,
        (Value::List(these), Value::List(those)) => {
            these.len() == those.len() && these.iter().zip(those).all(|(one, other)| same(one, other))
        }
        (Value::Mapping(these), Value::Mapping(those)) => {
            let is_there =
                |(key, one): &(_, Node)| those.iter().any(|(name, other)| name == key && same(one, other));
            these.len() == those.len() && these.iter().all(is_there)
        }
        (Value::Text(_) | Value::Null | Value::List(_) | Value::Mapping(_), _) => false,
    }
}
