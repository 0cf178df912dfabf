//! Versions and their order.
