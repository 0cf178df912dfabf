//! What a caller sees of the crate, file by file.

#[cfg(test)]
mod vectors;
