//! Messages of conditions: as long as a cluster takes them.

/// The longest message, in bytes, before what shows that it was cut.
pub const LONGEST: usize = 20_000;

/// The message, cut where it is too long. Never within a character.
pub fn cut(message: &str) -> String {
    if message.len() <= LONGEST {
        return message.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or_default();
    format!("{}...", message.get(..end).unwrap_or_default())
}
