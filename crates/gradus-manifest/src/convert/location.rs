//! Where repositories are, and what is asked over HTTP.

use std::sync::Arc;

use url::{ParseError, Url};

use crate::decode::quoted;
use crate::error::Trouble;

/// Checks where a repository is. The text is never repeated when it may hold a secret.
pub(super) fn repository(text: &str) -> Result<Arc<str>, Trouble> {
    plain_text(text)?;
    if is_scp(text) {
        return secure_shell(text);
    }
    match Url::parse(text) {
        Ok(url) => match url.scheme() {
            "https" | "http" => {
                web(&url)?;
                if url.query().is_some() || url.fragment().is_some() {
                    return Err(Trouble::value("a repository URL has no query and no fragment"));
                }
                Ok(Arc::from(text))
            }
            "file" => Ok(Arc::from(text)),
            "ssh" => secure_shell(text),
            "git+ssh" | "ssh+git" => {
                Err(Trouble::value("a repository URL over ssh begins with ssh://").help(SSH))
            }
            other if text.contains("://") => Err(Trouble::value(format!(
                "a repository URL cannot begin with {}",
                quoted(&format!("{other}://"))
            ))
            .help("write https://, http://, ssh://, file:// or a path")),
            // `host:path` parses as a URL with the host as its scheme.
            _ => Err(nobody()),
        },
        Err(ParseError::RelativeUrlWithoutBase) => Ok(Arc::from(text)),
        Err(error) => Err(not_a_url(error)),
    }
}

/// Checks a URL that is asked for a version.
pub(super) fn question(text: &str) -> Result<(Arc<str>, Url), Trouble> {
    plain_text(text)?;
    let url = Url::parse(text).map_err(not_a_url)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Trouble::value("a URL to ask must begin with https:// or http://"));
    }
    web(&url)?;
    Ok((Arc::from(text), url))
}

/// The rules of a JSON pointer (RFC 6901).
pub(super) fn pointer(text: &str) -> Result<Arc<str>, Trouble> {
    let escapes_are_right = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if text.is_empty() || (text.starts_with('/') && escapes_are_right) {
        return Ok(Arc::from(text));
    }
    let trouble = Trouble::value(format!("{} is not a JSON pointer", quoted(text)));
    Err(if text.starts_with('/') {
        trouble.help("in a JSON pointer '~' is written ~0, and '/' in a name ~1")
    } else {
        let way = text.trim_start_matches(['$', '.']).replace('.', "/");
        trouble.help(format!("write {}", quoted(&format!("/{way}"))))
    })
}

fn web(url: &Url) -> Result<(), Trouble> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::value("the URL has a user name or a password in it")
            .help("take it out, and name a Secret that holds it: `secretRef: {name: ...}`"));
    }
    Ok(())
}

fn plain_text(text: &str) -> Result<(), Trouble> {
    if text.is_empty() {
        Err(Trouble::value("the URL is empty"))
    } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Err(Trouble::value("the URL has a space or a control character in it"))
    } else {
        Ok(())
    }
}

/// `git@host:path`: a user and a colon before the first slash.
fn is_scp(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    !text.contains("://") && first.contains('@') && first.contains(':')
}

const SSH: &str = "write it such as ssh://git@example.com/fleet or git@example.com:fleet";

/// `ssh://user@host:port/path` or `user@host:path`. Who reaches it looks closer.
fn secure_shell(text: &str) -> Result<Arc<str>, Trouble> {
    let rest = text.strip_prefix("ssh://").unwrap_or(text);
    let place = rest.split('/').next().unwrap_or_default();
    let Some((user, host)) = place.rsplit_once('@').filter(|(user, _)| !user.is_empty()) else {
        return Err(nobody());
    };
    if user.contains(':') {
        return Err(Trouble::value("the URL has a password in it").help(
            "take it out, and name a Secret with `identity` and `known_hosts`: `secretRef: {name: ...}`",
        ));
    }
    let path = rest.get(place.len()..).unwrap_or_default();
    let path = if text.starts_with("ssh://") { path } else { host.split_once(':').map_or(path, |_| rest) };
    if user.starts_with('-') || host.starts_with('-') || path.trim_matches('/').is_empty() {
        return Err(Trouble::value("this URL names no repository over ssh").help(SSH));
    }
    Ok(Arc::from(text))
}

fn nobody() -> Trouble {
    Trouble::value("a repository URL over ssh needs a user").help(SSH)
}

fn not_a_url(error: ParseError) -> Trouble {
    Trouble::value(format!("this is not a URL: {error}")).help("write it such as https://example.com/fleet")
}
