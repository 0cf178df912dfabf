//! Whether two addresses are of one repository.

/// Whether both lead to one repository, by whatever protocol and for whomever. Two ways to a host may have two
/// ports; two ports of one protocol are two hosts.
pub(super) fn same_repository(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (Address::of(one), Address::of(other)) else { return false };
    let ports_fit = one.scheme != other.scheme || one.port == other.port;
    ports_fit && one.host == other.host && one.path == other.path
}

struct Address {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Address {
    fn of(text: &str) -> Option<Self> {
        let (scheme, rest, between) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest, '/'),
            // `git@host:path`, as people write it for SSH.
            None => ("ssh".to_owned(), text, ':'),
        };
        let (authority, path) = rest.split_once(between)?;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (authority, usual_port(&scheme)),
        };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        Some(Self { scheme, host: host.to_ascii_lowercase(), port, path: path.to_ascii_lowercase() })
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        "ssh" => Some(22),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::same_repository;

    #[track_caller]
    fn check(one: &str, other: &str, same: bool) {
        assert_eq!(same_repository(one, other), same, "{one} and {other}");
        assert_eq!(same_repository(other, one), same, "{other} and {one}");
    }

    #[test]
    fn addresses_are_compared_by_what_they_lead_to() {
        let fleet = "https://git.example.com/acme/fleet";
        check(fleet, fleet, true);
        check(fleet, "https://Git.Example.com:443/Acme/fleet.git/", true);
        check(fleet, "ssh://git@git.example.com:2222/acme/fleet.git", true);
        check(fleet, "git@git.example.com:acme/fleet.git", true);
        check(fleet, "https://bot@git.example.com/acme/fleet", true);
        check(fleet, "https://git.example.com:8443/acme/fleet", false);
        check(fleet, "https://git.example.com/acme/fleet-infra", false);
        check(fleet, "https://git.example.org/acme/fleet", false);
        check(fleet, "nonsense", false);
        check("file:///srv/fleet.git", "file:///srv/fleet", true);
    }
}
