//! How much of a file is looked at before it is refused.

/// The largest file this crate reads; beyond it, a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the file.
    pub bytes: usize,
    /// Nodes in the file: keys, values, collections and aliases.
    pub nodes: usize,
    /// Collections inside one another.
    pub depth: usize,
}

impl Default for Limits {
    /// 5 MiB, 500,000 nodes, 200 levels. The largest manifest seen in the wild has 3 MB and 70,000 nodes.
    fn default() -> Self {
        Self { bytes: 5 * 1024 * 1024, nodes: 500_000, depth: 200 }
    }
}
