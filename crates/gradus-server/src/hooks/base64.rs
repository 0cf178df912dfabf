//! Bytes that are written in Base64, in headers and in keys.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What fills it up at the end may be missing.
const EITHER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes; `None` where it is no Base64.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    EITHER.decode(text).ok()
}
