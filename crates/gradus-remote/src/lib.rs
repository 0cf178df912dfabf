//! Speaks to Git hosts, forges and registries.
