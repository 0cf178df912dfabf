//! Where a repository is for `ssh`: who, which machine, and the path there.

/// `ssh://user@host:port/path`, or `user@host:path`, where the path is below the user's home.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::git) struct SshAddress {
    text: String,
    user: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl SshAddress {
    /// Whether a text is meant to be such an address.
    pub(in crate::git) fn is_one(text: &str) -> bool {
        let first = text.split('/').next().unwrap_or_default();
        text.starts_with("ssh://") || (!text.contains("://") && first.contains('@') && first.contains(':'))
    }

    /// The error says what is wrong, and repeats nothing: there may be a password in it.
    pub(in crate::git) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_end_matches('/');
        let (place, path) = match text.strip_prefix("ssh://") {
            Some(rest) => rest.find('/').map(|at| rest.split_at(at)),
            None => scp(text),
        }
        .ok_or("it names no repository")?;
        let Some((user, machine)) = place.rsplit_once('@') else {
            return Err("it names no user; most hosts want git@HOST");
        };
        if user.contains(':') {
            return Err("it holds credentials; give them apart from the address");
        }
        let (host, port) = host_and_port(machine).ok_or("its port is not a number from 1 to 65535")?;
        // What begins with a dash would be an option of ssh.
        let plain = |part: &str, more: &str| {
            !part.is_empty()
                && !part.starts_with('-')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(user, "._-+") {
            return Err("its user is empty or holds more than letters, digits and . _ - +");
        }
        if !plain(host, "._-:") {
            return Err("its host is empty or holds more than letters, digits and . _ -");
        }
        let path = if text.starts_with("ssh://") { unescaped(path) } else { Some(path.to_owned()) };
        let path = path.ok_or("its path has a % that stands for no character")?;
        // `ssh://host/~user/x` is below a home, as Git reads it.
        let path = if path.starts_with("/~") { path[1..].to_owned() } else { path };
        if path.trim_start_matches('/').is_empty() {
            return Err("it names no repository");
        }
        if path.starts_with('-') || path.contains(char::is_control) {
            return Err("its path begins with a dash or holds a control character");
        }
        if text.starts_with("ssh://") && text.contains(['?', '#']) {
            return Err("it holds a query or a fragment");
        }
        Ok(Self { text: text.to_owned(), user: user.to_owned(), host: host.to_owned(), port, path })
    }

    pub(in crate::git) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path for the shell of the host, which takes the command apart.
    pub(super) fn quoted_path(&self) -> String {
        format!("'{}'", self.path.replace('\'', r"'\''").replace('!', r"'\!'"))
    }
}

/// `user@host:path` and `user@[host]:path`.
fn scp(text: &str) -> Option<(&str, &str)> {
    let at = match text.find("]:") {
        Some(at) if text.contains("@[") => at + 1,
        Some(_) | None => text.find(':')?,
    };
    Some((&text[..at], &text[at + 1..]))
}

fn host_and_port(machine: &str) -> Option<(&str, Option<u16>)> {
    let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
    if let Some(rest) = machine.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(text) => Some((host, Some(port(text)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match machine.split_once(':') {
        Some((host, text)) => Some((host, Some(port(text)?))),
        None => Some((machine, None)),
    }
}

fn unescaped(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, more) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::SshAddress;

    #[track_caller]
    fn check(text: &str, user: &str, host: &str, port: Option<u16>, path: &str) {
        assert!(SshAddress::is_one(text), "{text}");
        let address = SshAddress::parse(text).unwrap();
        let found = (address.user(), address.host(), address.port(), address.quoted_path());
        assert_eq!(found, (user, host, port, format!("'{path}'")), "{text}");
        assert_eq!(address.as_str(), text.trim_end_matches('/'));
    }

    #[test]
    fn addresses_are_read_as_git_reads_them() {
        check("ssh://git@github.com/acme/fleet.git", "git", "github.com", None, "/acme/fleet.git");
        check("ssh://git@git.acme.io:2222/acme/fleet/", "git", "git.acme.io", Some(2222), "/acme/fleet");
        check("ssh://git@[::1]:22/srv/fleet", "git", "::1", Some(22), "/srv/fleet");
        check("ssh://git@host/~ann/a%20b", "git", "host", None, "~ann/a b");
        check("git@github.com:acme/fleet.git", "git", "github.com", None, "acme/fleet.git");
        check("git@host:/srv/fleet", "git", "host", None, "/srv/fleet");
        check("git@[::1]:fleet", "git", "::1", None, "fleet");
        check("ssh://git@host/it's!", "git", "host", None, r"/it'\''s'\!'");
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_refused() {
        for text in [
            "ssh://host/x",
            "ssh://git@host",
            "ssh://git@host/",
            "ssh://git@/x",
            "ssh://git:hunter2@host/x",
            "ssh://git@-oProxyCommand=x/y",
            "ssh://-oProxyCommand=x@host/y",
            "ssh://git@host:0/x",
            "ssh://git@host:x/y",
            "ssh://git@host/%zz",
            "ssh://git@host/a%0ab",
            "ssh://git@host/x?a=b",
            "ssh://git@ho st/x",
            "git@host:",
            "git@host:-x",
            "git@-host:x",
        ] {
            let why = SshAddress::parse(text).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        for text in ["/srv/git@host:x", "https://git@host:1/x", "host:x", "a/b@c:d"] {
            assert!(!SshAddress::is_one(text), "{text}");
        }
    }
}
