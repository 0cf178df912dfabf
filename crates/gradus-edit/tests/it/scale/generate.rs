//! Random YAML with everything that people and programs write, and where each value stands in it.

use std::ops::Range;

use gradus_edit::Step;

use super::random::Random;

/// A file, and its values.
pub(crate) struct Generated {
    pub(crate) text: String,
    pub(crate) values: Vec<Written>,
}

/// A value as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The kind of its document.
    pub(crate) kind: String,
    pub(crate) path: Vec<Step>,
    pub(crate) span: Range<usize>,
    /// What stands in a marker beside it.
    pub(crate) marker: Option<String>,
}

/// Collections inside one another, at most.
const DEEPEST: usize = 5;
/// No file grows beyond this by much.
const ENOUGH: usize = 3000;

struct Writer {
    random: Random,
    text: String,
    values: Vec<Written>,
    kind: String,
    path: Vec<Step>,
    line_end: &'static str,
    markers: usize,
    /// Names of anchors of this document that an alias may name.
    anchors: Vec<String>,
    anchor_count: usize,
}

/// Writes a file. The same seed gives the same file.
pub(crate) fn generate(seed: u64) -> Generated {
    let mut random = Random::new(seed);
    let line_end = if random.chance(25) { "\r\n" } else { "\n" };
    let mut writer = Writer {
        random,
        text: String::new(),
        values: Vec::new(),
        kind: String::new(),
        path: Vec::new(),
        line_end,
        markers: 0,
        anchors: Vec::new(),
        anchor_count: 0,
    };
    writer.stream();
    Generated { text: writer.text, values: writer.values }
}

impl Writer {
    fn stream(&mut self) {
        if self.random.chance(5) {
            self.text.push('\u{feff}');
        }
        if self.random.chance(20) {
            self.comment_line(0);
        }
        let documents = 1 + self.random.below(3);
        for document in 0..documents {
            let begins = document > 0 || self.random.chance(30);
            if begins {
                self.push("---");
                self.end_line(false);
            }
            if begins && self.random.chance(10) {
                // An empty document, or one of nothing but a comment.
                if self.random.chance(50) {
                    self.comment_line(0);
                }
                self.push("---");
                self.end_line(false);
            }
            self.kind = format!("D{document}");
            self.anchors.clear();
            self.push(&format!("kind: D{document}"));
            self.end_line(false);
            self.mapping(0, 0);
            if self.random.chance(8) {
                self.push("...");
                self.end_line(false);
            }
        }
        if self.random.chance(20) {
            let end = self.text.trim_end_matches(['\r', '\n']).len();
            // The blanks at the end of a block of text are its own.
            if !self.text.ends_with(&self.line_end.repeat(2)) {
                self.text.truncate(end);
            }
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn blanks(&mut self, count: usize) {
        for _ in 0..count {
            self.text.push(' ');
        }
    }

    /// The end of a line, perhaps with blanks or a comment before it.
    fn end_line(&mut self, blank_below: bool) {
        match self.random.below(14) {
            0 => self.push(" # a comment: [x, 'y\" {{"),
            1 => self.push("   "),
            2 => self.push("\t# {\"$other\": \"x\"} &a *b"),
            3 => self.push(" #"),
            4 => self.push("    # käfig 猫 😀 - x: |"),
            _ => {}
        }
        self.push(self.line_end);
        if blank_below && self.random.chance(6) {
            self.push(self.line_end);
        }
    }

    fn comment_line(&mut self, indent: usize) {
        let indent = if self.random.chance(80) { indent } else { self.random.below(8) };
        self.blanks(indent);
        let comment =
            self.random.pick(&["# above", "#", "# - x: 'y\" {", "## two", "# {\"$other\": \"x\"}"], "#");
        self.push(comment);
        self.push(self.line_end);
    }

    /// Lines of keys with their values, at this column. The first line is begun already if `begun`.
    fn mapping(&mut self, indent: usize, depth: usize) {
        self.mapping_from(indent, depth, false);
    }

    fn mapping_from(&mut self, indent: usize, depth: usize, begun: bool) {
        let count = 1 + self.random.below(if depth == 0 { 6 } else { 4 });
        for at in 0..count {
            if at > 0 || !begun {
                if self.random.chance(10) {
                    self.comment_line(indent);
                }
                self.blanks(indent);
            }
            let key = self.key(at);
            self.path.push(Step::Key(key));
            let explicit = self.text.ends_with('?');
            self.push(if explicit { "" } else { ":" });
            self.value(indent, depth, true);
            self.path.pop();
        }
        if depth == 0 && self.random.chance(10) && !self.anchors.is_empty() {
            self.merge(indent);
        }
    }

    /// A key, written in one of several ways.
    fn key(&mut self, at: usize) -> String {
        let key = match self.random.below(6) {
            0 => format!("a.b/{at}"),
            1 => format!("größe{at}"),
            2 => format!("x y{at}"),
            _ => format!("key{at}"),
        };
        match self.random.below(8) {
            0 => self.push(&format!("'{key}'")),
            1 => self.push(&format!("\"{key}\"")),
            2 => self.push(&format!("{key} ")),
            _ => self.push(&key),
        }
        key
    }

    fn merge(&mut self, indent: usize) {
        let name = self.anchors.last().cloned().unwrap_or_default();
        self.blanks(indent);
        self.push("merged:");
        self.push(self.line_end);
        self.blanks(indent + 2);
        self.push(&format!("<<: [*{name}]"));
        self.push(self.line_end);
        self.blanks(indent + 2);
        self.push("own: ");
        self.path.extend([Step::Key("merged".to_owned()), Step::Key("own".to_owned())]);
        self.scalar(indent + 2, false, true);
        self.path.truncate(self.path.len().saturating_sub(2));
    }

    /// What follows a key or a dash, with the end of its line.
    fn value(&mut self, indent: usize, depth: usize, of_key: bool) {
        let leaf = depth >= DEEPEST || self.text.len() > ENOUGH;
        match self.random.below(if leaf { 12 } else { 22 }) {
            0 => {
                self.note(self.text.len()..self.text.len(), None);
                self.end_line(true);
            }
            1 => self.block_of_text(indent),
            2 if !self.anchors.is_empty() => {
                let at = self.random.below(self.anchors.len());
                let name = self.anchors.get(at).cloned().unwrap_or_default();
                let start = self.text.len() + 1;
                self.push(&format!(" *{name}"));
                self.note(start..self.text.len(), None);
                self.end_line(true);
            }
            3 if of_key => {
                // The value on a line of its own.
                self.end_line(true);
                if self.random.chance(20) {
                    self.comment_line(indent + 1);
                }
                let more = 1 + self.random.below(4);
                self.blanks(indent + more);
                self.scalar(indent, false, true);
            }
            2..=11 => {
                let gap = if self.random.chance(15) { 3 } else { 1 };
                self.blanks(gap);
                self.scalar(indent, false, true);
            }
            12..=14 => {
                self.push(" ");
                self.properties();
                let many = self.random.chance(30);
                self.flow(indent, depth + 1, many);
                self.end_line(true);
            }
            15..=17 if of_key => {
                let under = if self.random.chance(40) { 0 } else { 1 + self.random.below(4) };
                self.anchored_line();
                self.list(indent + under, depth + 1, false);
            }
            18..=19 if !of_key => {
                let gap = 1 + self.random.below(3);
                self.blanks(gap);
                self.mapping_from(indent + 1 + gap, depth + 1, true);
            }
            20 if !of_key => {
                self.push(" ");
                self.list(indent + 2, depth + 1, true);
            }
            _ => {
                let under = 1 + self.random.below(4);
                self.anchored_line();
                self.mapping(indent + under, depth + 1);
            }
        }
    }

    /// The end of a line below which a collection follows, perhaps with an anchor.
    fn anchored_line(&mut self) {
        let before = self.text.len();
        if self.random.chance(10) {
            let name = self.new_anchor();
            self.push(&format!(" &{name}"));
        }
        let plain = self.text.len() == before;
        if plain && self.random.chance(5) {
            self.push(" !local");
        }
        self.end_line(true);
    }

    fn list(&mut self, indent: usize, depth: usize, begun: bool) {
        let count = 1 + self.random.below(3);
        for at in 0..count {
            if at > 0 || !begun {
                if self.random.chance(10) {
                    self.comment_line(indent);
                }
                self.blanks(indent);
            }
            self.push("-");
            self.path.push(Step::Index(at));
            self.value(indent, depth, false);
            self.path.pop();
        }
    }

    fn new_anchor(&mut self) -> String {
        // A name may be used again; the last one counts.
        self.anchor_count += 1;
        format!("n{}", self.anchor_count % 7)
    }

    /// Perhaps a tag or an anchor before a value.
    fn properties(&mut self) -> bool {
        match self.random.below(24) {
            0 => {
                let name = self.new_anchor();
                self.push(&format!("&{name} "));
                self.anchors.push(name);
                true
            }
            1 => {
                self.push("!local ");
                true
            }
            _ => false,
        }
    }

    fn note(&mut self, span: Range<usize>, marker: Option<String>) {
        let (kind, path) = (self.kind.clone(), self.path.clone());
        self.values.push(Written { kind, path, span, marker });
    }

    /// A single value; `with_end` with the end of its line.
    fn scalar(&mut self, indent: usize, flow: bool, with_end: bool) {
        let has_properties = self.properties();
        if !has_properties && self.random.chance(3) {
            self.push("!!str ");
        }
        let start = self.text.len();
        let lines = with_end && !flow && self.random.chance(6);
        match self.random.below(if flow { 3 } else { 5 }) {
            0 => self.single(indent, lines),
            1 => self.double(indent, lines),
            _ => self.plain(indent, flow, lines),
        }
        let span = start..self.text.len();
        let marked = with_end && self.random.chance(12);
        let marker = marked.then(|| {
            self.markers += 1;
            format!("m{}", self.markers)
        });
        if let Some(marker) = &marker {
            self.push(&format!(" # {{\"$set\": \"{marker}\"}}"));
            self.push(self.line_end);
        }
        self.note(span, marker);
        if with_end && !marked {
            self.end_line(true);
        }
    }

    fn plain(&mut self, indent: usize, flow: bool, lines: bool) {
        let words = [
            "v1.2.3",
            "1.2.3-rc.1+b",
            "x",
            "a/b-c_d",
            "it's",
            "größe",
            "猫",
            "http-x",
            "a\"b",
            "x&y",
            "e5",
            "nope",
            "a*b",
        ];
        let typed = [
            "1",
            "42",
            "-7",
            "1.5",
            "0x1F",
            "1_000",
            "true",
            "no",
            "Off",
            "null",
            "~",
            "2026-01-31",
            "1e3",
            ".5",
        ];
        let block = ["a:b", "x#y", "registry:5000/a/b:1.2", "a{b}", "a, b", "[not", "two words"];
        let text = match self.random.below(10) {
            0..=2 => self.random.pick(&typed, "1"),
            3..=4 if !flow => {
                let word = self.random.pick(&block, "x");
                if word == "[not" { "not]" } else { word }
            }
            _ => self.random.pick(&words, "x"),
        };
        self.push(text);
        if lines {
            self.push(" and");
            self.push(self.line_end);
            self.blanks(indent + 2);
            self.push("more");
        }
    }

    fn single(&mut self, indent: usize, lines: bool) {
        let text = self.random.pick(
            &[
                "",
                "v1",
                "it''s",
                "# no: comment",
                "a \"b\" {c}",
                "größe 😀",
                " x ",
                "{{ .Values.x }}",
                "1.10",
                "- a",
            ],
            "x",
        );
        self.push("'");
        self.push(text);
        self.break_inside(indent, lines);
        self.push("'");
    }

    fn double(&mut self, indent: usize, lines: bool) {
        let text = self.random.pick(
            &[
                "",
                "v1",
                "a \\\"b\\\"",
                "\\u00e9\\x41\\U0001F600",
                "tab\\t\\n",
                "# no",
                "'x': [",
                "猫",
                "\\\\",
                "1.10",
            ],
            "x",
        );
        self.push("\"");
        self.push(text);
        self.break_inside(indent, lines);
        self.push("\"");
    }

    fn break_inside(&mut self, indent: usize, lines: bool) {
        if lines {
            self.push("end");
            self.push(self.line_end);
            if self.random.chance(30) {
                self.push(self.line_end);
            }
            self.blanks(indent + 2);
            self.push("begin");
        }
    }

    fn block_of_text(&mut self, indent: usize) {
        let head = self.random.pick(&["|", "|-", "|+", ">", ">-"], "|");
        self.push(" ");
        self.push(head);
        let start = self.text.len();
        self.end_line(false);
        let under = indent + 1 + self.random.below(3);
        for line in 0..1 + self.random.below(3) {
            if line > 0 && self.random.chance(20) {
                self.push(self.line_end);
            }
            self.blanks(under);
            let text = self.random.pick(
                &[
                    "text",
                    "key: value # {\"$set\": \"m1\"}",
                    "- a",
                    "# no comment",
                    "  deeper",
                    "größe \t",
                    "{{ x }}",
                ],
                "x",
            );
            self.push(if line == 0 { text.trim_start() } else { text });
            self.push(self.line_end);
        }
        self.note(start..self.text.len(), None);
    }

    /// A collection in brackets, on one line or on several.
    fn flow(&mut self, indent: usize, depth: usize, many: bool) {
        let list = self.random.chance(50);
        let count = self.random.below(4);
        self.push(if list { "[" } else { "{" });
        for at in 0..count {
            if at > 0 {
                let apart = if self.random.chance(20) { " ," } else { "," };
                self.push(apart);
            }
            if many {
                self.end_line(false);
                let more = 2 + self.random.below(3);
                self.blanks(indent + more);
            } else if at > 0 || self.random.chance(40) {
                self.push(" ");
            }
            if list {
                self.path.push(Step::Index(at));
            } else {
                let key = self.key(at);
                self.push(": ");
                self.path.push(Step::Key(key));
            }
            if depth < DEEPEST && self.random.chance(20) {
                self.flow(indent + 2, depth + 1, many);
            } else {
                self.scalar(indent, true, false);
            }
            self.path.pop();
        }
        if many && count > 0 {
            if self.random.chance(30) {
                self.push(",");
            }
            self.end_line(false);
            self.blanks(indent + 2);
        } else if count > 0 && self.random.chance(30) {
            self.push(" ");
        }
        self.push(if list { "]" } else { "}" });
    }
}
