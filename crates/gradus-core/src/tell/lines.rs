//! Labelled lines, in 80 columns where the words allow it.

const LABEL: usize = 10;
const WIDTH: usize = 80 - 3 - LABEL;

/// Indented lines, each with what it is about before it.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    last: String,
}

impl Lines {
    /// Adds words, which may be several lines. The label is not said twice in a row.
    pub(super) fn add(&mut self, label: &str, words: &str) {
        let mut shown = if self.last == label { "" } else { label };
        self.last = label.to_owned();
        for line in words.split('\n').flat_map(|line| wrap(line, WIDTH)) {
            if shown.chars().count() > LABEL {
                self.text.push_str(&format!("  {shown}\n"));
                shown = "";
            }
            self.text.push_str(format!("  {shown:<LABEL$} {line}").trim_end());
            self.text.push('\n');
            shown = "";
        }
    }

    /// An empty line, unless nothing stands before it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.last.clear();
    }
}

/// Breaks between words; a command is never broken.
pub(super) fn wrap(words: &str, width: usize) -> Vec<String> {
    if words.starts_with("gradus ") {
        return vec![words.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let is_full =
            |line: &String| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width;
        if lines.last().is_some_and(is_full) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The words without what the label says already.
pub(super) fn without<'a>(words: &'a str, label: &str) -> &'a str {
    words.strip_prefix(label).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(words)
}
