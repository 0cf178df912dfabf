//! Where a repository is in a forge: from the address that Git uses.

use std::fmt;

pub use gradus_core::pipeline::ForgeKind;

use super::error::{ForgeError, ForgeErrorKind};
use super::request::escaped;

/// The kind that a well-known host is. Others have to be told.
pub fn kind_of_host(host: &str) -> Option<ForgeKind> {
    match host.to_ascii_lowercase().as_str() {
        "github.com" | "ssh.github.com" => Some(ForgeKind::GitHub),
        "gitlab.com" | "altssh.gitlab.com" => Some(ForgeKind::GitLab),
        "codeberg.org" | "gitea.com" => Some(ForgeKind::Gitea),
        "bitbucket.org" | "altssh.bitbucket.org" => Some(ForgeKind::Bitbucket),
        "dev.azure.com" | "ssh.dev.azure.com" => Some(ForgeKind::AzureDevOps),
        host if host.ends_with(".visualstudio.com") => Some(ForgeKind::AzureDevOps),
        host if host.ends_with(".ghe.com") => Some(ForgeKind::GitHub),
        _ => None,
    }
}

/// A repository in a forge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoAddress {
    /// The kind of forge.
    pub kind: ForgeKind,
    /// Where the forge is, without a slash at the end: `https://host:port/subpath`.
    pub web: String,
    /// What the repository is below: an owner, groups and their subgroups, a project; at Azure an organisation and a
    /// project.
    pub owner: Vec<String>,
    /// What it is called.
    pub name: String,
}

impl RepoAddress {
    /// That the forge of this repository does not have something.
    pub(super) fn lacks<T>(&self, doing: &str, what: &'static str) -> Result<T, ForgeError> {
        Err(ForgeError::new(format!("{doing} of {self}"), ForgeErrorKind::Unsupported(what)))
    }

    /// Takes apart the address of a repository. `forge` is where the forge is, if that was said; it is needed where
    /// the address does not tell, such as for a GitLab below a path.
    pub fn parse(kind: ForgeKind, url: &str, forge: Option<&str>) -> Result<Self, ForgeError> {
        let refuse = |why: String| {
            let doing = format!("find {} in a forge of the kind {kind}", without_user(url));
            Err(ForgeError::new(doing, ForgeErrorKind::Input(why)))
        };
        let Some(parts) = Parts::of(url) else {
            return refuse("it is not an address such as https://host/owner/name".to_owned());
        };
        let mut path: Vec<String> =
            parts.path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        if let Some(last) = path.last_mut()
            && let Some(name) = last.strip_suffix(".git")
            && !name.is_empty()
        {
            *last = name.to_owned();
        }
        if path.iter().any(|part| part == "." || part == "..") {
            return refuse("a path must not go up".to_owned());
        }
        let mut web = match forge {
            Some(forge) => {
                let Some(of_forge) = Parts::of(forge).filter(|parts| !parts.ssh) else {
                    return refuse("`url` of the forge is not an address such as https://host".to_owned());
                };
                let below: Vec<String> =
                    of_forge.path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
                // Over SSH the path has no subpath; over HTTP it begins with it.
                if !parts.ssh && path.starts_with(&below) {
                    path.drain(..below.len());
                }
                let mut web = format!("{}://{}", of_forge.scheme, of_forge.host);
                for part in below {
                    web.push('/');
                    web.push_str(&escaped(&part));
                }
                Some(web)
            }
            None => None,
        };
        let mut subpath = Vec::new();
        let (owner, name) = match kind {
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Bitbucket => {
                let (Some(name), Some(owner)) = (path.pop(), path.pop()) else {
                    return refuse("its path is not owner/name".to_owned());
                };
                subpath = path;
                (vec![owner], name)
            }
            ForgeKind::GitLab => {
                let Some(name) = path.pop().filter(|_| !path.is_empty()) else {
                    return refuse("its path is not group/name".to_owned());
                };
                (path, name)
            }
            ForgeKind::BitbucketServer => {
                if !parts.ssh
                    && let Some(scm) = path.iter().rposition(|part| part == "scm")
                {
                    let below = path.split_off(scm + 1);
                    path.pop();
                    subpath = std::mem::replace(&mut path, below);
                }
                match <[String; 2]>::try_from(path) {
                    Ok([owner, name]) => (vec![owner], name),
                    Err(_) => return refuse("its path is not scm/PROJECT/name".to_owned()),
                }
            }
            ForgeKind::AzureDevOps => match azure(&parts, path) {
                Some((below, owner, name)) => {
                    subpath = below;
                    (owner, name)
                }
                None => return refuse("its path is not organisation/project/_git/name".to_owned()),
            },
        };
        if web.is_none() {
            let scheme = if parts.ssh { "https" } else { parts.scheme };
            let mut made = format!("{scheme}://{}", web_host(kind, &parts));
            for part in &subpath {
                made.push('/');
                made.push_str(&escaped(part));
            }
            web = Some(made);
        }
        Ok(Self { kind, web: web.unwrap_or_default(), owner, name })
    }

    /// Where the forge's API is, without a slash at the end.
    pub fn api(&self) -> String {
        let web = &self.web;
        match self.kind {
            ForgeKind::GitHub if web == "https://github.com" => "https://api.github.com".to_owned(),
            // GitHub Enterprise Cloud with the data in a region: a subdomain for each enterprise.
            ForgeKind::GitHub if web.ends_with(".ghe.com") => web.replacen("://", "://api.", 1),
            ForgeKind::GitHub => format!("{web}/api/v3"),
            ForgeKind::GitLab => format!("{web}/api/v4"),
            ForgeKind::Gitea => format!("{web}/api/v1"),
            ForgeKind::Bitbucket if web == "https://bitbucket.org" => {
                "https://api.bitbucket.org/2.0".to_owned()
            }
            ForgeKind::Bitbucket => format!("{web}/2.0"),
            ForgeKind::BitbucketServer => format!("{web}/rest"),
            ForgeKind::AzureDevOps => web.clone(),
        }
    }

    /// What the repository is below, as one text.
    pub fn owner(&self) -> String {
        self.owner.join("/")
    }
}

/// As people know it: `host/owner/name`.
impl fmt::Display for RepoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let web = self.web.split_once("://").map_or(self.web.as_str(), |(_, rest)| rest);
        write!(f, "{web}/{}/{}", self.owner(), self.name)
    }
}

/// `organisation/project/_git/name` in its forms; what the server is below, organisation and project, the name.
fn azure(parts: &Parts<'_>, mut path: Vec<String>) -> Option<(Vec<String>, Vec<String>, String)> {
    if parts.ssh {
        // git@ssh.dev.azure.com:v3/organisation/project/name
        let [_, organisation, project, name] = <[String; 4]>::try_from(path).ok()?;
        return Some((Vec::new(), vec![organisation, project], name));
    }
    let git = path.iter().position(|part| part == "_git")?;
    let name = path.get(git + 1).cloned()?;
    path.truncate(git);
    let host = parts.host.split(':').next().unwrap_or_default();
    if let Some(organisation) = host.strip_suffix(".visualstudio.com") {
        path.retain(|part| part != "DefaultCollection");
        let project = path.pop().unwrap_or_else(|| name.clone());
        return Some((Vec::new(), vec![organisation.to_owned(), project], name));
    }
    // A project's first repository may be named without the project.
    let project = if path.len() >= 2 { path.pop()? } else { name.clone() };
    let organisation = path.pop()?;
    Some((path, vec![organisation, project], name))
}

/// The host on which people see what Git reaches at this one.
fn web_host(kind: ForgeKind, parts: &Parts<'_>) -> String {
    // A port of SSH is none of HTTP.
    let host = if parts.ssh { parts.host.split(':').next().unwrap_or_default() } else { parts.host };
    let host = match host {
        host if kind == ForgeKind::AzureDevOps && host.ends_with(".visualstudio.com") => "dev.azure.com",
        "ssh.dev.azure.com" => "dev.azure.com",
        "ssh.github.com" => "github.com",
        "altssh.gitlab.com" => "gitlab.com",
        "altssh.bitbucket.org" => "bitbucket.org",
        host => host,
    };
    host.to_ascii_lowercase()
}

/// An address in its parts. The host has its port.
struct Parts<'a> {
    scheme: &'a str,
    ssh: bool,
    host: &'a str,
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, ssh, rest) = match url.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (scheme, false, rest),
            Some((scheme @ "ssh", rest)) => (scheme, true, rest),
            Some(_) => return None,
            // git@host:owner/name
            None => {
                let (host, path) = url.split_once(':')?;
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                let is_one = !host.is_empty() && !host.contains('/') && !path.is_empty();
                return is_one.then_some(Self { scheme: "ssh", ssh: true, host, path });
            }
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        (!host.is_empty()).then_some(Self { scheme, ssh, host, path })
    }
}

/// The host of an address, without its port.
pub fn host_of(url: &str) -> Option<&str> {
    Parts::of(url).map(|parts| parts.host.split(':').next().unwrap_or_default())
}

/// The address without what may be a password.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

/// A part of a path without its escapes; one that is not UTF-8 then stays as it is.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escape =
            if byte == b'%' { tail.get(..2).and_then(|two| std::str::from_utf8(two).ok()) } else { None };
        match escape.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(meant) => {
                bytes.push(meant);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ForgeKind, RepoAddress};

    #[track_caller]
    fn check(kind: ForgeKind, url: &str, expected: &str) {
        let told = match RepoAddress::parse(kind, url, None) {
            Ok(found) => format!("{} {} | {}", found.api(), found.owner.join(" "), found.name),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expected, "{url}");
    }

    #[test]
    fn repositories_are_found_in_every_form_people_write() {
        use ForgeKind::{Bitbucket, Gitea};
        check(Gitea, "http://127.0.0.1:3000/acme/fleet.git", "http://127.0.0.1:3000/api/v1 acme | fleet");
        check(Gitea, "https://acme.io/git/acme/fleet", "https://acme.io/git/api/v1 acme | fleet");
        check(
            Bitbucket,
            "https://bitbucket.org/acme/fleet.git",
            "https://api.bitbucket.org/2.0 acme | fleet",
        );
    }

    #[test]
    fn b25_azure_devops_is_reached() {
        use ForgeKind::AzureDevOps;
        check(
            AzureDevOps,
            "https://acme@dev.azure.com/acme/Web%20Shop/_git/fleet",
            "https://dev.azure.com acme Web Shop | fleet",
        );
        check(
            AzureDevOps,
            "git@ssh.dev.azure.com:v3/acme/shop/fleet",
            "https://dev.azure.com acme shop | fleet",
        );
        check(
            AzureDevOps,
            "https://acme.visualstudio.com/DefaultCollection/shop/_git/fleet",
            "https://dev.azure.com acme shop | fleet",
        );
        check(
            AzureDevOps,
            "https://tfs.acme.io/tfs/Main/shop/_git/fleet",
            "https://tfs.acme.io/tfs Main shop | fleet",
        );
        check(
            AzureDevOps,
            "https://dev.azure.com/acme/_git/fleet",
            "https://dev.azure.com acme fleet | fleet",
        );
    }

    #[test]
    fn b26_github_enterprise_has_one_scheme() {
        use ForgeKind::GitHub;
        check(GitHub, "https://github.com/acme/fleet", "https://api.github.com acme | fleet");
        check(GitHub, "https://github.com/acme/fleet.git/", "https://api.github.com acme | fleet");
        check(GitHub, "git@github.com:acme/fleet.git", "https://api.github.com acme | fleet");
        check(GitHub, "ssh://git@ssh.github.com:443/acme/fleet.git", "https://api.github.com acme | fleet");
        check(GitHub, "https://ghe.acme.io:8443/acme/fleet", "https://ghe.acme.io:8443/api/v3 acme | fleet");
        check(GitHub, "https://acme.ghe.com/acme/fleet.git", "https://api.acme.ghe.com acme | fleet");
    }

    #[test]
    fn b27_groups_of_gitlab_have_groups() {
        use ForgeKind::GitLab;
        check(GitLab, "https://gitlab.com/a/b/c/fleet.git", "https://gitlab.com/api/v4 a b c | fleet");
        check(GitLab, "ssh://git@gitlab.acme.io:2222/a/b/fleet", "https://gitlab.acme.io/api/v4 a b | fleet");
    }

    #[test]
    fn b28_what_is_cloned_from_scm_is_found() {
        use ForgeKind::BitbucketServer;
        check(BitbucketServer, "https://bb.acme.io/scm/AC/fleet.git", "https://bb.acme.io/rest AC | fleet");
        check(BitbucketServer, "https://acme.io/bb/scm/~ann/fleet", "https://acme.io/bb/rest ~ann | fleet");
        check(
            BitbucketServer,
            "ssh://git@bb.acme.io:7999/ac/fleet.git",
            "https://bb.acme.io/rest ac | fleet",
        );
    }

    #[test]
    fn what_is_no_repository_is_refused_without_its_password() {
        let start = "cannot find https://github.com/acme in a forge of the kind github: ";
        check(
            ForgeKind::GitHub,
            "https://ann:hunter2@github.com/acme",
            &format!("{start}its path is not owner/name"),
        );
        let start = "cannot find https://bb.acme.io/acme in a forge of the kind bitbucket-server: ";
        check(
            ForgeKind::BitbucketServer,
            "https://bb.acme.io/acme",
            &format!("{start}its path is not scm/PROJECT/name"),
        );
        let start = "cannot find file:///srv/fleet in a forge of the kind gitea: ";
        let why = "it is not an address such as https://host/owner/name";
        check(ForgeKind::Gitea, "file:///srv/fleet", &format!("{start}{why}"));
    }

    #[test]
    fn where_the_forge_is_can_be_said() {
        let forge = Some("https://acme.io/gitlab/");
        let found =
            RepoAddress::parse(ForgeKind::GitLab, "https://acme.io/gitlab/a/b/fleet.git", forge).unwrap();
        assert_eq!((found.api().as_str(), found.owner().as_str()), ("https://acme.io/gitlab/api/v4", "a/b"));
        let found = RepoAddress::parse(ForgeKind::GitLab, "git@git.acme.io:a/b/fleet.git", forge).unwrap();
        assert_eq!(found.to_string(), "acme.io/gitlab/a/b/fleet");
    }

    #[test]
    fn well_known_hosts_are_known() {
        assert_eq!(super::kind_of_host("GitHub.com"), Some(ForgeKind::GitHub));
        assert_eq!(super::kind_of_host("acme.visualstudio.com"), Some(ForgeKind::AzureDevOps));
        assert_eq!(super::kind_of_host("acme.ghe.com"), Some(ForgeKind::GitHub));
        assert_eq!(super::kind_of_host("git.acme.io"), None);
    }
}
