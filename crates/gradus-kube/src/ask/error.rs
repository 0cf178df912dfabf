//! Why a cluster did not answer, or said no.

use std::fmt;

use crate::clusters::wire::{Fault, FaultKind, clean};

/// A cluster did not answer, or said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskError {
    /// What kind of failure.
    pub kind: AskErrorKind,
    message: String,
    help: Option<String>,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskErrorKind {
    /// It is not known which cluster is meant, or how it is reached.
    NoCluster,
    /// It does not answer.
    Unreachable,
    /// It does not accept the credentials.
    NotKnown,
    /// It does not allow it.
    Forbidden,
    /// There is no such object.
    Missing,
    /// There is one of this name already.
    Exists,
    /// It does not have this kind of object.
    NotServed,
    /// It refuses for another reason.
    Refused,
}

impl AskError {
    pub(super) fn new(kind: AskErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What can be done about it.
    pub fn what_to_do(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// What an API server, or the lack of one, said while something was being done.
    pub(super) fn of(doing: &str, fault: &Fault) -> Self {
        let said = fault.message.as_str();
        match fault.kind {
            FaultKind::Forbidden => forbidden(doing, said),
            FaultKind::Unauthorized => {
                Self::new(AskErrorKind::NotKnown, format!("{doing}: the cluster does not know you ({said})"))
                    .help("are your credentials still good? `kubectl auth whoami` tells")
            }
            FaultKind::NotFound => Self::new(AskErrorKind::Missing, format!("{doing}: there is none")),
            FaultKind::NotServed => Self::new(AskErrorKind::NotServed, format!("{doing}: {said}")),
            FaultKind::Unreachable => Self::new(AskErrorKind::Unreachable, format!("{doing}: {said}")),
            FaultKind::Refused if said.ends_with("(409)") => {
                Self::new(AskErrorKind::Exists, format!("{doing}: {said}"))
            }
            FaultKind::Refused | FaultKind::Gone | FaultKind::Broken => {
                Self::new(AskErrorKind::Refused, format!("{doing}: {}", without_preamble(said)))
            }
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AskError {}

/// A refusal for want of a right, with the right and the role that has it.
fn forbidden(doing: &str, said: &str) -> AskError {
    let said = said.strip_suffix(" (403)").unwrap_or(said);
    if let Some(denied) = Denied::read(said) {
        let Denied { user, verb, resource, group, place } = denied;
        let group = if group.is_empty() { String::new() } else { format!(" of {group}") };
        let message = format!("{doing}: {user} may not {verb} {resource}{place}");
        let error = AskError::new(AskErrorKind::Forbidden, message);
        let takes = format!("that takes the verb {verb} on {resource}{group}");
        return match role_for(verb, resource) {
            Some(role) => error.help(format!("{takes}; the role {role} has it")),
            None => error.help(takes),
        };
    }
    let words = without_preamble(said);
    let error = AskError::new(AskErrorKind::Forbidden, format!("{doing}: {words}"));
    let verb = words.split_once("takes the verb ").and_then(|(_, rest)| rest.split(' ').next());
    let on = if words.contains(" on checks ") { "checks" } else { "pipelines" };
    match verb.and_then(|verb| Some((verb, role_for(verb, on)?))) {
        Some((verb, role)) => error.help(format!("the role {role} has the verb {verb}")),
        None => error,
    }
}

/// What is said of a right that somebody lacks, as `User "eve" cannot create resource
/// "approvals" in API group "gradus.dev" in the namespace "apps"`.
struct Denied<'a> {
    user: &'a str,
    verb: &'a str,
    resource: &'a str,
    group: &'a str,
    place: String,
}

impl<'a> Denied<'a> {
    fn read(said: &'a str) -> Option<Self> {
        let (_, rest) = said.split_once("User \"")?;
        let (user, rest) = rest.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once('"')?;
        let quoted = |after: &str| Some(rest.split_once(after)?.1.split_once('"')?.0);
        let group = quoted("in API group \"").unwrap_or_default();
        let place = match quoted("in the namespace \"") {
            Some(namespace) => format!(" in the namespace {namespace}"),
            None => " in all namespaces".to_owned(),
        };
        Some(Self { user, verb, resource, group, place })
    }
}

/// What is left of a refusal when the names of those who pass it on are taken away.
fn without_preamble(said: &str) -> String {
    let words = match said.rsplit_once("denied request: ") {
        Some((_, words)) => words,
        None => said.split_once(" is invalid: ").map_or(said, |(_, words)| words),
    };
    clean(words)
}

/// The role, of those that gradus brings, in which somebody has a right.
fn role_for(verb: &str, resource: &str) -> Option<&'static str> {
    match (verb, resource) {
        ("approve", "pipelines") | ("create" | "delete", "approvals") => Some("gradus-approver"),
        ("promote", "pipelines") | ("create" | "delete", "promotions") => Some("gradus-promoter"),
        ("override" | "emergency", "pipelines") => Some("gradus-emergency"),
        ("hold", "pipelines") | ("create" | "update" | "patch" | "delete", "holds") => Some("gradus-holder"),
        ("report" | "create", "checks") => Some("gradus-reporter"),
        ("get" | "list" | "watch", "pipelines" | "holds" | "promotions" | "approvals" | "checks") => {
            Some("gradus-viewer")
        }
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AskError, AskErrorKind};
    use crate::clusters::wire::Fault;

    fn told(code: u16, said: &str) -> (AskErrorKind, String) {
        let error = AskError::of("approving apps/web in prod", &Fault::of_code(code, said));
        let help = error.what_to_do().map_or_else(String::new, |help| format!("\n  {help}"));
        (error.kind, format!("{error}{help}"))
    }

    #[test]
    fn a_right_that_is_missing_is_named_with_the_role_that_has_it() {
        let said = "approvals.gradus.dev is forbidden: User \"eve\" cannot create resource \"approvals\" in API \
                    group \"gradus.dev\" in the namespace \"apps\"";
        let (kind, words) = told(403, said);
        assert_eq!(kind, AskErrorKind::Forbidden);
        assert_eq!(
            words,
            "approving apps/web in prod: eve may not create approvals in the namespace apps\n  that takes the verb \
             create on approvals of gradus.dev; the role gradus-approver has it"
        );
        let (_, words) = told(
            403,
            "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        );
        assert_eq!(
            words,
            "approving apps/web in prod: eve may not list pods in all namespaces\n  that takes the verb list on pods"
        );
    }

    #[test]
    fn what_a_policy_says_is_told_without_who_passed_it_on() {
        let said = "approvals.gradus.dev \"a\" is forbidden: ValidatingAdmissionPolicy 'approvals.gradus.dev' with \
                    binding 'approvals.gradus.dev' denied request: eve may not approve in pipeline apps/web: that \
                    takes the verb approve on pipelines of gradus.dev";
        let (kind, words) = told(403, said);
        assert_eq!(kind, AskErrorKind::Forbidden);
        assert_eq!(
            words,
            "approving apps/web in prod: eve may not approve in pipeline apps/web: that takes the verb approve on \
             pipelines of gradus.dev\n  the role gradus-approver has the verb approve"
        );
    }

    #[test]
    fn other_answers_have_their_kind() {
        for (code, kind) in [
            (401, AskErrorKind::NotKnown),
            (403, AskErrorKind::Forbidden),
            (404, AskErrorKind::Missing),
            (409, AskErrorKind::Exists),
            (422, AskErrorKind::Refused),
            (503, AskErrorKind::Unreachable),
        ] {
            assert_eq!(told(code, "because").0, kind, "{code}");
        }
    }
}
