//! Keeps the ledger and is the forge where there is none.
