//! What a forge takes, and a request that was made of it.

use serde_json::Value;

use super::server::Who;
use crate::server::percent_decoded;

/// A call that the description of a forge names.
pub(in crate::forge) struct Call {
    pub(in crate::forge) name: &'static str,
    pub(super) method: &'static str,
    /// `{}` is one part of the path, `{...}` all that follow.
    pub(super) path: &'static str,
    /// The members of the query that there are.
    pub(super) query: &'static [&'static str],
    /// The members of the body that there are; one within another is `outer.inner`, one of a list `list[]`. What must
    /// be there ends in `!`.
    pub(super) body: &'static [&'static str],
    /// Where that is written.
    pub(super) page: &'static str,
}

/// A request, checked against the table.
pub(super) struct Asked {
    pub(super) name: &'static str,
    /// What stands for the `{}` of the path.
    pub(super) parts: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) who: Who,
    /// Where this server is.
    pub(super) url: String,
    /// What was asked for there.
    pub(super) path: String,
}

impl Asked {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The number in a part of the path.
    pub(super) fn number(&self, part: usize) -> u64 {
        self.parts[part].parse().unwrap_or(0)
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// Where another page of the same is.
    pub(super) fn page(&self, number: usize) -> String {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let others = self.query.iter().filter(|(name, _)| name != "page");
        let others: String =
            others.map(|(name, value)| format!("{}={}&", escaped(name), escaped(value))).collect();
        format!("{}{}?{others}page={number}", self.url, self.path)
    }
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self::of(200, body)
    }

    pub(super) fn of(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }
}

impl Call {
    pub(in crate::forge) fn method(&self) -> &'static str {
        self.method
    }

    /// What stands for the `{}`, if the path is of this call. None of the forges minds a slash at its end, and Azure
    /// DevOps does not look at the case.
    pub(super) fn matches(&self, method: &str, path: &str) -> Option<Vec<String>> {
        if method != self.method {
            return None;
        }
        let any_case = self.path.contains("/_apis");
        let mut found = Vec::new();
        let mut given = path.trim_matches('/').split('/');
        for part in self.path.trim_start_matches('/').split('/') {
            if part == "{...}" {
                let rest: Vec<String> = given.map(percent_decoded).collect();
                found.push(rest.join("/"));
                return (!rest.is_empty()).then_some(found);
            }
            let here = given.next()?;
            match part {
                "{}" => found.push(percent_decoded(here)),
                part if percent_decoded(here) == part => {}
                part if any_case && here.eq_ignore_ascii_case(part) => {}
                _ => return None,
            }
        }
        given.next().is_none().then_some(found)
    }

    /// What of a request the description does not name, besides what this forge is known not to look at.
    pub(super) fn unknown(
        &self,
        query: &[(String, String)],
        body: &Value,
        ignored: &[&str],
    ) -> Option<String> {
        if let Some((name, _)) = query.iter().find(|(name, _)| !self.query.contains(&name.as_str())) {
            return Some(format!("{} has no parameter {name:?}", self.name));
        }
        let mut members = Vec::new();
        flatten("", body, &mut members);
        let is_known = |member: &String| {
            let named = self.body.iter().any(|known| known.trim_end_matches('!') == member);
            named || ignored.contains(&member.as_str())
        };
        if let Some(member) = members.iter().find(|member| !is_known(member)) {
            return Some(format!("{} has no member {member:?}", self.name));
        }
        let missing = self.body.iter().filter_map(|known| known.strip_suffix('!'));
        let mut missing = missing.filter(|known| !members.iter().any(|member| member == known));
        missing.next().map(|known| format!("{} needs {known:?}", self.name))
    }
}

fn flatten(at: &str, value: &Value, members: &mut Vec<String>) {
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                flatten(&at, value, members);
            }
        }
        Value::Array(inner) => {
            let at = format!("{at}[]");
            if inner.is_empty() {
                members.push(at.clone());
            }
            inner.iter().for_each(|value| flatten(&at, value, members));
        }
        Value::Null if at.is_empty() => {}
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => members.push(at.to_owned()),
    }
}
