//! The words of the older kind that can be told from others.

use url::Url;

/// Who keeps the pull requests of a repository at this URL, where its host says it.
pub(super) fn host(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    ["github", "gitlab", "bitbucket"].into_iter().find(|name| host.contains(name)).map(|name| match name {
        "bitbucket" => "bitbucket-server",
        other => other,
    })
}
