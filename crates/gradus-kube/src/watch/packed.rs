//! Whole objects, kept in little room: a pipeline with its status takes a fifth of its text.

use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::Value;

/// No JSON begins with it.
const MARK: u8 = 0;

/// Packs an object. The same object is always the same bytes.
pub(super) fn pack(object: &Value) -> Arc<[u8]> {
    let text = object.to_string();
    let mut encoder = DeflateEncoder::new(vec![MARK], Compression::fast());
    // Writing to memory does not fail; if it did, the text itself would do.
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(packed) => packed.into(),
        Err(_) => text.into_bytes().into(),
    }
}

/// Whether these bytes are from [`pack`].
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MARK)
}

/// The object that was packed.
pub(super) fn unpack(bytes: &[u8]) -> Option<Value> {
    let mut text = Vec::new();
    DeflateDecoder::new(bytes.get(1..)?).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_packed, pack, unpack};

    #[test]
    fn what_was_packed_comes_out_again() {
        let environments: Vec<_> =
            (0..5).map(|at| json!({"name": format!("env-{at}"), "targets": []})).collect();
        for object in [json!({}), json!({"status": {"environments": environments}}), json!("ü\u{0}")] {
            let packed = pack(&object);
            assert!(is_packed(&packed));
            assert_eq!(packed, pack(&object));
            assert_eq!(unpack(&packed), Some(object));
        }
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        let packed = pack(&json!({"spec": {"a": "b", "c": [1, 2, 3]}}));
        for end in 0..packed.len() {
            assert_eq!(unpack(&packed[..end]), None, "{end}");
        }
        assert!(!is_packed(b"{}"));
    }
}
