//! A manifest while it is written: lines, and what is said about them.

/// What was written so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) text: String,
    /// What a person has to look at.
    pub(super) left: Vec<String>,
}

/// How wide comments are.
const WIDTH: usize = 80;

impl Lines {
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        self.text.push_str(&format!("{:indent$}{line}\n", ""));
    }

    /// A comment that explains what stands below it.
    pub(super) fn comment(&mut self, indent: usize, words: &str) {
        let mut line = String::new();
        for word in words.split(' ') {
            if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > WIDTH {
                self.line(indent, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(indent, &format!("# {line}"));
    }

    /// A comment about what a person has to look at.
    pub(super) fn look(&mut self, indent: usize, words: &str) {
        self.comment(indent, words);
        self.left.push(words.to_owned());
    }
}
