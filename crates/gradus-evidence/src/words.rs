//! Text from outside, made fit for a line.

/// The most characters of a text from outside that are shown.
const MOST: usize = 300;

/// The text on one line, without control characters, not too long.
pub(crate) fn tidy(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MOST));
    let (mut count, mut gap) = (0, false);
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = !line.is_empty();
            continue;
        }
        if count + 1 >= MOST {
            line.push('…');
            return line;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            count += 1;
        }
        line.push(character);
        count += 1;
    }
    line
}

/// A sentence of another program as part of one of ours: tidy, without its full stop.
pub(crate) fn clause(text: &str) -> String {
    let mut line = tidy(text);
    while line.ends_with(['.', ' ']) {
        line.pop();
    }
    line
}
