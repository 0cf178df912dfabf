//! A mark that stands for something long, where it only matters whether it is still the same.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

/// Stands for a value: what has the same mark is the same. Thousands of pipelines
/// keep what they were looked at with; this is all of it that they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([u8; 16]);

impl Mark {
    /// The mark of this value.
    pub(crate) fn of(what: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = Wide(Sha256::new());
        what.hash(&mut hasher);
        let mut mark = [0; 16];
        for (byte, hashed) in mark.iter_mut().zip(hasher.0.finalize()) {
            *byte = hashed;
        }
        Self(mark)
    }
}

/// Takes what is hashed into a hash in which nothing meets by chance.
struct Wide(Sha256);

impl Hasher for Wide {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hashed = self.0.clone().finalize();
        hashed.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_has_another_mark() {
        assert_eq!(Mark::of(&["ab", "c"]), Mark::of(&["ab".to_owned(), "c".to_owned()]));
        assert_ne!(Mark::of(&["ab", "c"]), Mark::of(&["a", "bc"]));
        assert_ne!(Mark::of(&[Some(1), None]), Mark::of(&[None, Some(1)]));
    }
}
