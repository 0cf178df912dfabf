//! A first pipeline from a checkout: what is there is looked at, one file after
//! the other, and written down as a manifest that promotes nothing yet.

mod application;
mod checkout;
mod level;
mod manifest;
mod scan;

pub(crate) use application::{Application, Kind, applications};
pub(crate) use checkout::Checkout;
pub(crate) use manifest::write;
pub(crate) use scan::{Scan, scan};
