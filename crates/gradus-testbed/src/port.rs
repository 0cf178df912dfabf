//! Ports that nobody listens on.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

use crate::{TestbedError, TestbedErrorKind};

/// Below those that systems give to outgoing connections, so that a port stays
/// free while the part that listens on it is stopped for a while.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port on the loopback address that is free just now.
pub(crate) fn free() -> Result<u16, TestbedError> {
    // Every RandomState is another one.
    let guesses = std::iter::repeat_with(|| RandomState::new().hash_one(0_u8));
    guesses
        .take(100)
        .filter_map(|guess| u16::try_from(guess % u64::from(COUNT)).ok())
        .map(|offset| FIRST + offset)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| {
            TestbedError::new(TestbedErrorKind::Machine, "found no free port in a hundred guesses")
        })
}
