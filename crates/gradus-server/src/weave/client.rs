//! Who asks: the peer, or whom a proxy that is trusted names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;

/// Proxies that are believed when they say who asked. Without any, a header says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Where they are.
    pub networks: Vec<Network>,
    /// Where they say it. The proxy has to set this header itself: what it passes on from
    /// outside could be anything.
    pub header: ClientHeader,
}

/// Where a proxy says who asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientHeader {
    /// `X-Forwarded-For`, to which each proxy adds.
    #[default]
    XForwardedFor,
    /// `X-Real-IP`, which the proxy writes anew.
    XRealIp,
}

/// A range of addresses, such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkError {
    text: String,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a range of addresses, such as 10.0.0.0/8 or fd00::/8", self.text)
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NetworkError { text: text.chars().take(80).collect() };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse::<u8>().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    /// Whether the address is in it. An IPv4 address within IPv6 counts as the former.
    pub fn contains(self, address: IpAddr) -> bool {
        let wide = |address: IpAddr| match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, true),
            IpAddr::V6(address) => (u128::from(address), false),
        };
        let ((own, own_is_v4), (other, other_is_v4)) = (wide(self.address), wide(address.to_canonical()));
        let differ = own ^ other;
        own_is_v4 == other_is_v4 && (self.bits == 0 || differ >> (128 - u32::from(self.bits)) == 0)
    }
}

impl TrustedProxies {
    /// Who asks. A peer that is no trusted proxy asks for itself, whatever it says.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let said = match self.header {
            ClientHeader::XRealIp => only(headers, "x-real-ip").and_then(address),
            ClientHeader::XForwardedFor => self.farthest(headers),
        };
        said.map_or(peer, |said| said.to_canonical())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The last address that no trusted proxy has; before it, anybody may have written anything.
    fn farthest(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let values =
            headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
        let list: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
        let mut found = None;
        for said in list.into_iter().rev() {
            let Some(said) = address(said) else { break };
            found = Some(said);
            if !self.trusts(said) {
                break;
            }
        }
        found
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn check(trusted: &[&str], header: ClientHeader, peer: &str, headers: &[(&str, &str)], expected: &str) {
        let networks = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let client = TrustedProxies { networks, header }.client(peer.parse().unwrap(), &map);
        assert_eq!(client.to_string(), expected, "{trusted:?} {header:?} {peer} {headers:?}");
    }

    /// B15: without a proxy that is trusted no header is believed, and peers are told apart in full.
    #[test]
    fn b15_no_header_is_believed_of_a_peer_that_is_not_trusted() {
        let said = [("X-Real-IP", "1.1.1.1"), ("X-Forwarded-For", "1.1.1.1"), ("X-Forwarder-For", "1.1.1.1")];
        for header in [ClientHeader::XForwardedFor, ClientHeader::XRealIp] {
            check(&[], header, "10.0.0.1", &said, "10.0.0.1");
            check(&["10.0.0.2"], header, "10.0.0.1", &said, "10.0.0.1");
            check(&[], header, "2001:db8::1", &said, "2001:db8::1");
            check(&[], header, "2001:db8::2", &said, "2001:db8::2");
            check(&[], header, "::ffff:10.0.0.1", &said, "10.0.0.1");
        }
    }

    #[test]
    fn a_trusted_proxy_says_who_asked() {
        use ClientHeader::{XForwardedFor, XRealIp};
        let all = ["10.0.0.0/8", "fd00::/8"];
        check(
            &all,
            XRealIp,
            "10.0.0.1",
            &[("X-Real-IP", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")],
            "1.1.1.1",
        );
        check(
            &all,
            XForwardedFor,
            "10.0.0.1",
            &[("X-Real-IP", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")],
            "2.2.2.2",
        );
        check(&all, XForwardedFor, "::ffff:10.0.0.1", &[("X-Forwarded-For", "2.2.2.2")], "2.2.2.2");
        check(&all, XForwardedFor, "fd00::1", &[("X-Forwarded-For", "2001:db8::7")], "2001:db8::7");
        check(&all, XForwardedFor, "fd00::1", &[("X-Forwarded-For", "[2001:db8::7]:80")], "2001:db8::7");
        // What the client wrote itself is before what the proxies added.
        let two = [("X-Forwarded-For", "9.9.9.9, 2.2.2.2"), ("X-Forwarded-For", "10.0.0.7")];
        check(&all, XForwardedFor, "10.0.0.1", &two, "2.2.2.2");
        check(&all, XForwardedFor, "10.0.0.1", &[("X-Forwarded-For", "2.2.2.2, oops")], "10.0.0.1");
        check(&all, XForwardedFor, "10.0.0.1", &[("X-Forwarded-For", "oops, 10.0.0.9")], "10.0.0.9");
        check(&all, XForwardedFor, "10.0.0.1", &[], "10.0.0.1");
        check(&all, XRealIp, "10.0.0.1", &[("X-Real-IP", "oops")], "10.0.0.1");
        check(&all, XRealIp, "10.0.0.1", &[("X-Real-IP", "1.1.1.1"), ("X-Real-IP", "2.2.2.2")], "10.0.0.1");
    }

    #[test]
    fn ranges_hold_what_begins_like_them() {
        let holds =
            |range: &str, address: &str| range.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1") && !holds("::/0", "1.2.3.4"));
        assert!(holds("10.1.2.3", "10.1.2.3") && !holds("10.1.2.3", "10.1.2.2"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/1", "10.0.0.1/", "10.0.0.1/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
