//! An address to listen on, as flags of controllers have it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on: `:8082`, `127.0.0.1:8082` or `[::1]:8082`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindAddress {
    /// This port of every address of the machine.
    Everywhere(u16),
    /// This one.
    One(SocketAddr),
}

/// A text that is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindAddressError {
    text: String,
}

impl fmt::Display for BindAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an address to listen on, such as :8082 or 127.0.0.1:8082", self.text)
    }
}

impl std::error::Error for BindAddressError {}

impl FromStr for BindAddress {
    type Err = BindAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || BindAddressError { text: text.chars().take(80).collect() };
        match text.strip_prefix(':') {
            Some(port) if !port.starts_with('+') => port.parse().map(Self::Everywhere).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
            None => text.parse().map(Self::One).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(port) => write!(f, ":{port}"),
            Self::One(address) => address.fmt(f),
        }
    }
}

impl BindAddress {
    /// The addresses to try, one after the other: where there is no IPv6, IPv4 alone.
    pub(super) fn candidates(self) -> Vec<SocketAddr> {
        match self {
            Self::One(address) => vec![address],
            Self::Everywhere(port) => vec![
                SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
                SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let read = text.parse::<BindAddress>();
        let candidates = read.as_ref().ok().map(|address| {
            address.candidates().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(candidates.as_deref(), expected, "{text}");
        if let Ok(address) = read {
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn addresses_are_read_as_flags_have_them() {
        check(":8082", Some("[::]:8082 0.0.0.0:8082"));
        check("127.0.0.1:0", Some("127.0.0.1:0"));
        check("[::1]:80", Some("[::1]:80"));
        for bad in ["", ":", "8082", ":65536", "localhost:80", ":+1", "::1"] {
            check(bad, None);
        }
    }
}
