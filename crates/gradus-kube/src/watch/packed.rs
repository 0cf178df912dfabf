//! Objects, kept in little room: a pipeline with its status takes a fifth of its text, evidence half.

use std::cell::RefCell;
use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde_json::Value;

/// In front there is how long the text is.
const LENGTH: usize = 4;

thread_local! {
    // Each takes hundreds of kilobytes, and to make one takes longer than to pack an object.
    static PACKS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static UNPACKS: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Packs an object. The same object is always the same bytes.
pub(super) fn pack(object: &Value) -> Arc<[u8]> {
    let text = object.to_string();
    PACKS.with_borrow_mut(|compress| packed(compress, text.as_bytes()))
}

fn packed(compress: &mut Compress, text: &[u8]) -> Arc<[u8]> {
    compress.reset();
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut packed = Vec::with_capacity(LENGTH + 64 + text.len() / 2);
    packed.extend_from_slice(&length.to_le_bytes());
    loop {
        let rest = text.get(usize::try_from(compress.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default();
        match compress.compress_vec(rest, &mut packed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) | Err(_) => return packed.into(),
            Ok(Status::Ok | Status::BufError) => packed.reserve(64 + text.len() / 2),
        }
    }
}

/// The object that was packed.
pub(super) fn unpack(packed: &[u8]) -> Option<Value> {
    let (length, packed) = packed.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let mut text = Vec::with_capacity(length);
    UNPACKS.with_borrow_mut(|decompress| {
        decompress.reset(false);
        decompress.decompress_vec(packed, &mut text, FlushDecompress::Finish).ok()
    })?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{pack, unpack};

    #[test]
    fn what_was_packed_comes_out_again() {
        let environments: Vec<_> =
            (0..5).map(|at| json!({"name": format!("env-{at}"), "targets": []})).collect();
        let noise: String = (0..40_000_u32).map(|at| char::from(b' ' + (at * at % 89) as u8)).collect();
        let big = json!({"status": {"environments": environments, "noise": noise}});
        for object in [json!({}), json!("ü\u{0}"), big.clone(), json!([]), big] {
            let packed = pack(&object);
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
    }
}
