//! What a promotion should look like, with all that is known filled in.

use super::shape::{OldPromotion, OldPullRequest};
use super::spell;
use crate::yaml::text;

/// The lines of a `promotion`, each indented by `indent`.
pub(super) fn promotion(promotion: &OldPromotion, indent: usize) -> String {
    let mut lines = vec!["promotion:".to_owned()];
    if promotion.manual {
        lines.push("  manual: true".to_owned());
    }
    lines.push("  strategy:".to_owned());
    match &promotion.pull_request {
        Some(request) => pull_request(&mut lines, request),
        None => lines.push("    notification: {}".to_owned()),
    }
    if let Some(secret) = &promotion.hmac {
        lines.push(format!("    secretRef: {{name: {}}}", text(secret)));
    }
    let pad = " ".repeat(indent);
    lines.iter().map(|line| format!("\n{pad}{line}")).collect()
}

fn pull_request(lines: &mut Vec<String>, request: &OldPullRequest) {
    let url =
        request.url.as_deref().filter(|url| !url.is_empty()).unwrap_or("https://github.com/ORG/REPOSITORY");
    let known = request.host.as_deref().filter(|host| HOSTS.contains(host)).or_else(|| spell::host(url));
    let host = match known {
        Some(host) => host.to_owned(),
        None => "github  # or gitlab, bitbucket-server".to_owned(),
    };
    let branch =
        request.branch.as_deref().map_or_else(|| "main  # the branch to merge into".to_owned(), text);
    let secret = match &request.secret {
        Some(secret) => format!("{{name: {}}}", text(secret)),
        None => "{name: SECRET}  # with username, password and token".to_owned(),
    };
    lines.push("    pull-request:".to_owned());
    lines.push(format!("      type: {host}"));
    lines.push(format!("      url: {}", text(url)));
    lines.push(format!("      baseBranch: {branch}"));
    lines.push(format!("      secretRef: {secret}"));
}

/// Who may keep pull requests.
pub(crate) const HOSTS: [&str; 4] = ["github", "gitlab", "bitbucket-server", "gitea"];
