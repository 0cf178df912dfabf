//! Deltas: an object said as copies from another one and insertions.

use super::error::{Fault, Outcome};

/// Equal runs shorter than this are not worth the copy.
const WORTH: usize = 12;

/// The size a delta expects of its base, and the size it makes.
pub(super) fn delta_sizes(delta: &[u8]) -> Outcome<(u64, u64)> {
    let mut at = 0;
    let base = size_at(delta, &mut at)?;
    let result = size_at(delta, &mut at)?;
    Ok((base, result))
}

/// The caller has bounded the size of the result.
pub(super) fn apply_delta(base: &[u8], delta: &[u8]) -> Outcome<Vec<u8>> {
    let mut at = 0;
    let base_size = size_at(delta, &mut at)?;
    let size = size_at(delta, &mut at)?;
    if base_size != base.len() as u64 {
        return Err(malformed("it is for another object"));
    }
    let size = usize::try_from(size).map_err(|_| malformed("its result is larger than memory"))?;
    let mut out = Vec::with_capacity(size.min(1 << 20));
    while let Some(&op) = delta.get(at) {
        at += 1;
        let piece = if op & 0x80 != 0 {
            let mut take = |bits: std::ops::Range<u8>| -> Outcome<usize> {
                let mut value = 0;
                for (place, bit) in bits.enumerate() {
                    if op >> bit & 1 == 1 {
                        let byte = delta.get(at).ok_or_else(|| malformed("it is cut off"))?;
                        value |= usize::from(*byte) << (8 * place);
                        at += 1;
                    }
                }
                Ok(value)
            };
            let from = take(0..4)?;
            let length = match take(4..7)? {
                0 => 0x10000,
                length => length,
            };
            base.get(from..from + length).ok_or_else(|| malformed("it copies from beyond its base"))?
        } else if op > 0 {
            let length = usize::from(op);
            let piece = delta.get(at..at + length).ok_or_else(|| malformed("it is cut off"))?;
            at += length;
            piece
        } else {
            return Err(malformed("it holds a reserved instruction"));
        };
        if out.len() + piece.len() > size {
            return Err(malformed("its result is longer than announced"));
        }
        out.extend_from_slice(piece);
    }
    if out.len() != size {
        return Err(malformed("its result is shorter than announced"));
    }
    Ok(out)
}

/// A delta from one object to another: the common start and end, and between them, where the lengths are equal (as
/// when ids in a tree change), every equal run in its place.
pub(super) fn make_delta(base: &[u8], new: &[u8]) -> Vec<u8> {
    let start = base.iter().zip(new).take_while(|(a, b)| a == b).count();
    let end = base[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut out = Vec::new();
    put_size(&mut out, base.len());
    put_size(&mut out, new.len());
    put_copy(&mut out, 0, start);
    let middle = start..new.len() - end;
    if base.len() == new.len() {
        let mut at = middle.start;
        while at < middle.end {
            let differs = changed_run(&base[at..middle.end], &new[at..middle.end]);
            put_insert(&mut out, &new[at..at + differs]);
            at += differs;
            let same =
                base[at..middle.end].iter().zip(&new[at..middle.end]).take_while(|(a, b)| a == b).count();
            put_copy(&mut out, at, same);
            at += same;
        }
    } else {
        put_insert(&mut out, &new[middle]);
    }
    put_copy(&mut out, base.len() - end, end);
    out
}

/// How many bytes to insert before an equal run that is worth a copy.
fn changed_run(base: &[u8], new: &[u8]) -> usize {
    let mut same = 0;
    for (at, (a, b)) in base.iter().zip(new).enumerate() {
        same = if a == b { same + 1 } else { 0 };
        if same == WORTH {
            return at + 1 - WORTH;
        }
    }
    new.len()
}

fn put_size(out: &mut Vec<u8>, mut size: usize) {
    while size >= 0x80 {
        out.push(low(size) | 0x80);
        size >>= 7;
    }
    out.push(low(size));
}

fn put_insert(out: &mut Vec<u8>, bytes: &[u8]) {
    for piece in bytes.chunks(127) {
        out.push(low(piece.len()));
        out.extend_from_slice(piece);
    }
}

fn put_copy(out: &mut Vec<u8>, mut from: usize, mut length: usize) {
    while length > 0 {
        let piece = length.min(0xffff);
        let op_at = out.len();
        out.push(0x80);
        for (bit, value, place) in (0..4).map(|n| (n, from, n)).chain((0..2).map(|n| (n + 4, piece, n))) {
            let byte = value.to_le_bytes()[place];
            if byte != 0 {
                out[op_at] |= 1 << bit;
                out.push(byte);
            }
        }
        from += piece;
        length -= piece;
    }
}

fn low(value: usize) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

fn size_at(delta: &[u8], at: &mut usize) -> Outcome<u64> {
    let mut size = 0;
    for shift in (0..49).step_by(7) {
        let byte = delta.get(*at).ok_or_else(|| malformed("it is cut off"))?;
        *at += 1;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(malformed("an impossible size"))
}

fn malformed(why: &str) -> Fault {
    Fault::protocol(format!("a delta is malformed: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{apply_delta, make_delta};

    proptest! {
        #[test]
        fn a_delta_makes_what_it_was_made_from(
            base in prop::collection::vec(0u8..4, 0..400),
            new in prop::collection::vec(0u8..4, 0..400),
        ) {
            prop_assert_eq!(apply_delta(&base, &make_delta(&base, &new)).unwrap(), new);
        }

        #[test]
        fn a_few_changed_bytes_make_a_short_delta(
            seed in prop::collection::vec(any::<u8>(), 64..512),
            length in 66_000_usize..140_000,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<[u8; 20]>()), 1..5),
        ) {
            let base: Vec<u8> = seed.iter().copied().cycle().take(length).collect();
            let mut new = base.clone();
            for (at, bytes) in &changes {
                let at = at.index(base.len() - 20);
                new[at..at + 20].copy_from_slice(bytes);
            }
            let delta = make_delta(&base, &new);
            prop_assert!(delta.len() < 60 + changes.len() * 60, "{} bytes", delta.len());
            prop_assert_eq!(apply_delta(&base, &delta).unwrap(), new);
        }

        #[test]
        fn any_bytes_end_in_an_answer(base in prop::collection::vec(any::<u8>(), 0..40), delta in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(out) = apply_delta(&base, &delta) {
                prop_assert!(out.len() < 60 * 0x10000);
            }
        }
    }
}
