//! Properties of edits in random files.

use gradus_edit::{
    Edit, FieldPath, ImagePart, KustomizeImage, Limits, Locator, Outcome, Refusal, RefusalKind, Select,
    StaleDigest, Step, edit, edit_within, find_markers, read, read_within,
};

use proptest::prelude::*;

use crate::at;

/// A value in a random file.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(Style, String),
    Mapping { flow: bool, entries: Vec<(Noise, Tree)> },
    List { flow: bool, elements: Vec<(Noise, Tree)> },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// Picks the comments and blanks around a value.
type Noise = u8;

fn scalar() -> impl Strategy<Value = Tree> {
    let plain = "x[a-z0-9./-]{0,8}(:[0-9]{1,3})?".prop_map(|text| Tree::Scalar(Style::Plain, text));
    let number = "[1-9][0-9]{0,3}".prop_map(|text| Tree::Scalar(Style::Plain, text));
    let single = "[ -~é😀]{0,9}".prop_map(|text| Tree::Scalar(Style::Single, text));
    let double = "[ -~é😀]{0,9}".prop_map(|text| Tree::Scalar(Style::Double, text));
    prop_oneof![3 => plain, 1 => number, 1 => single, 1 => double]
}

fn tree() -> impl Strategy<Value = Tree> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let children = || prop::collection::vec((any::<Noise>(), inner.clone()), 1..4);
        prop_oneof![
            (prop::bool::weighted(0.3), children())
                .prop_map(|(flow, entries)| Tree::Mapping { flow, entries }),
            (prop::bool::weighted(0.3), children())
                .prop_map(|(flow, elements)| Tree::List { flow, elements }),
        ]
    })
}

/// A stream of one to three documents, its line ends, and what is before and after.
#[derive(Debug, Clone)]
struct Stream {
    documents: Vec<Vec<(Noise, Tree)>>,
    crlf: bool,
    mark: bool,
    final_newline: bool,
}

fn stream() -> impl Strategy<Value = Stream> {
    let document = prop::collection::vec((any::<Noise>(), tree()), 1..4);
    (prop::collection::vec(document, 1..4), any::<bool>(), prop::bool::weighted(0.1), any::<bool>())
        .prop_map(|(documents, crlf, mark, final_newline)| Stream { documents, crlf, mark, final_newline })
}

/// A scalar as it was written: where, in which document, and what it means.
#[derive(Debug, Clone)]
struct Written {
    document: usize,
    steps: Vec<Step>,
    start: usize,
    end: usize,
    style: Style,
    value: String,
}

/// Writes a stream and remembers its scalars.
struct Writer {
    text: String,
    line_end: &'static str,
    document: usize,
    steps: Vec<Step>,
    written: Vec<Written>,
}

fn write(stream: &Stream) -> (String, Vec<Written>) {
    let line_end = if stream.crlf { "\r\n" } else { "\n" };
    let mut writer =
        Writer { text: String::new(), line_end, document: 0, steps: Vec::new(), written: Vec::new() };
    if stream.mark {
        writer.text.push('\u{feff}');
    }
    for (index, entries) in stream.documents.iter().enumerate() {
        writer.document = index;
        if index > 0 {
            writer.text.push_str("---");
            writer.end_line(7);
        }
        writer.text.push_str(&format!("kind: D{index}"));
        writer.end_line(0);
        writer.block(&Tree::Mapping { flow: false, entries: entries.clone() }, 0);
    }
    if !stream.final_newline {
        let end = writer.text.trim_end_matches(['\r', '\n']).len();
        writer.text.truncate(end);
    }
    (writer.text, writer.written)
}

impl Writer {
    fn end_line(&mut self, noise: Noise) {
        self.text.push_str(match noise % 8 {
            1 => " # a comment: [x",
            2 => "   ",
            3 => "\t# {\"$other\": \"x\"} '",
            4 => " #",
            _ => "",
        });
        self.text.push_str(self.line_end);
        if noise % 16 == 9 {
            self.text.push_str(self.line_end);
        }
    }

    fn comment_line(&mut self, indent: usize, noise: Noise) {
        if noise & 0x60 == 0x60 {
            self.text.push_str(&format!("{}# above \"- x: 'y'{}", " ".repeat(indent), self.line_end));
        }
    }

    /// A collection from the start of a line on.
    fn block(&mut self, tree: &Tree, indent: usize) {
        let children = match tree {
            Tree::Mapping { entries, .. } => entries,
            Tree::List { elements, .. } => elements,
            Tree::Scalar(..) => return,
        };
        for (index, (noise, child)) in children.iter().enumerate() {
            self.comment_line(indent, *noise);
            self.text.push_str(&" ".repeat(indent));
            match tree {
                Tree::Mapping { .. } => self.key(index, *noise),
                Tree::List { .. } | Tree::Scalar(..) => self.dash(index),
            }
            match child {
                Tree::Mapping { flow: false, .. } | Tree::List { flow: false, .. } => {
                    self.end_line(*noise);
                    self.block(child, indent + 2);
                }
                Tree::Scalar(..) | Tree::Mapping { .. } | Tree::List { .. } => {
                    self.text.push_str(if noise % 5 == 0 { "   " } else { " " });
                    self.inline(child);
                    self.end_line(*noise);
                }
            }
            self.steps.pop();
        }
    }

    fn key(&mut self, index: usize, noise: Noise) {
        let key = format!("k.{index}");
        self.text.push_str(&match noise % 3 {
            0 => format!("{key}:"),
            1 => format!("'{key}':"),
            _ => format!("\"{key}\" :"),
        });
        self.steps.push(Step::Key(key));
    }

    fn dash(&mut self, index: usize) {
        self.text.push('-');
        self.steps.push(Step::Index(index));
    }

    /// A scalar or a flow collection inside a line.
    fn inline(&mut self, tree: &Tree) {
        let (open, close, children) = match tree {
            Tree::Scalar(style, value) => return self.scalar(*style, value),
            Tree::Mapping { entries, .. } => ("{", "}", entries),
            Tree::List { elements, .. } => ("[ ", "]", elements),
        };
        self.text.push_str(open);
        for (index, (noise, child)) in children.iter().enumerate() {
            if index > 0 {
                self.text.push_str(if noise % 2 == 0 { ", " } else { " ," });
            }
            match tree {
                Tree::Mapping { .. } => {
                    self.key(index, *noise);
                    self.text.push(' ');
                }
                Tree::List { .. } | Tree::Scalar(..) => self.steps.push(Step::Index(index)),
            }
            self.inline(child);
            self.steps.pop();
        }
        self.text.push_str(close);
    }

    fn scalar(&mut self, style: Style, value: &str) {
        let start = self.text.len();
        self.text.push_str(&match style {
            Style::Plain => value.to_owned(),
            Style::Single => format!("'{}'", value.replace('\'', "''")),
            Style::Double => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        });
        let (document, steps, end) = (self.document, self.steps.clone(), self.text.len());
        self.written.push(Written { document, steps, start, end, style, value: value.to_owned() });
    }
}

impl Written {
    fn locator(&self) -> Locator {
        Locator::Path(Select::path(FieldPath::new(self.steps.clone())).kind(format!("D{}", self.document)))
    }
}

/// The file after the edit and the bytes that took the value's place; every other byte must be the same.
fn edited(text: &str, value: &Written, set: &str) -> Result<(String, String), TestCaseError> {
    let outcome = edit(text.as_bytes(), &[Edit::new(value.locator(), set).expecting(&value.value)]);
    let after = match outcome {
        Ok(Outcome::Edited(edited)) => String::from_utf8(edited.bytes).expect("UTF-8"),
        Ok(Outcome::Unchanged) => text.to_owned(),
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    };
    let new = after
        .strip_prefix(text.get(..value.start).expect("a boundary"))
        .and_then(|rest| rest.strip_suffix(text.get(value.end..).expect("a boundary")));
    match new {
        Some(new) => Ok((after.clone(), new.to_owned())),
        None => Err(TestCaseError::fail(format!("bytes outside the value changed:\n{after}"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_edit_changes_one_value_and_reads_back(
        stream in stream(),
        pick in any::<prop::sample::Index>(),
        set in "v[0-9.]{1,5}|[0-9.]{1,4}|on|~|[ -~éß😀]{0,12}",
    ) {
        let (text, values) = write(&stream);
        let value = pick.get(&values);
        prop_assume!(!(value.style == Style::Double && value.value.contains("{{")));
        prop_assume!(!(value.style == Style::Single && value.value.contains("{{")));
        let (after, _) = edited(&text, value, &set)?;
        let found = read(after.as_bytes(), &value.locator());
        prop_assert_eq!(found.map(|found| found.into_iter().map(|found| found.value).collect()), Ok(vec![set]));
        for other in values.iter().filter(|other| other.start != value.start) {
            let found = read(after.as_bytes(), &other.locator()).expect("still there");
            prop_assert_eq!(found.first().map(|found| &found.value), Some(&other.value));
        }
    }

    #[test]
    fn an_edit_and_the_edit_back_give_the_same_bytes(
        stream in stream(),
        pick in any::<prop::sample::Index>(),
        word in "v[a-z0-9.]{1,5}",
        number in 1..10_000u32,
    ) {
        let (text, values) = write(&stream);
        let value = pick.get(&values);
        prop_assume!(!value.value.contains("{{"));
        // Text for text and number for number; a number for text would rightly stay quoted.
        let is_number = value.style == Style::Plain && !value.value.starts_with('x');
        let set = if is_number { number.to_string() } else { word };
        let (after, new) = edited(&text, value, &set)?;
        let moved = Written { end: value.start + new.len(), value: set, ..value.clone() };
        let (back, _) = edited(&after, &moved, &value.value)?;
        prop_assert_eq!(back, text);
    }

    #[test]
    fn a_value_is_read_where_it_was_written(stream in stream()) {
        let (text, values) = write(&stream);
        for value in &values {
            let found = read(text.as_bytes(), &value.locator()).expect("there");
            prop_assert_eq!(found.len(), 1);
            for found in found {
                prop_assert_eq!(&found.value, &value.value);
                prop_assert_eq!(found.span, value.start..value.end);
                prop_assert_eq!(found.path, FieldPath::new(value.steps.clone()));
                prop_assert_eq!(found.place.document, value.document + 1);
                let line = text.get(..value.start).expect("a boundary").matches('\n').count() + 1;
                prop_assert_eq!(found.place.line, line);
            }
        }
    }
}

/// Pieces of YAML in no order.
fn scraps() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        "c:",
        "- ",
        "-",
        "\n",
        "\n",
        "\n  ",
        "\r\n",
        "\t",
        " ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "'",
        "\"",
        "\\",
        "#",
        " # {\"$set\": \"x\"}",
        " # {\"$set\": \"x\"}\n",
        "&a ",
        "*a",
        "|\n",
        ">-\n  ",
        "---\n",
        "...\n",
        "? ",
        ": ",
        "!!str ",
        "!t ",
        "{{",
        "<<: *a",
        "\u{feff}",
        "\u{85}",
        "é",
        "v1",
        "'v1'",
        "\"v1\"",
        "1",
        "~",
        "%YAML 1.2\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Every call on these bytes; none may panic, and what is edited must read back.
fn try_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    let limits = Limits { bytes: 4096, nodes: 200, depth: 20 };
    let marker = Locator::marker("$set", "x");
    let path = Locator::Path(Select::path(FieldPath::new([Step::Key("a".to_owned())])));
    let image = KustomizeImage { image: "x".to_owned(), field: ImagePart::Tag, digest: StaleDigest::Dropped };
    let nested = at("a.b[name=x].c");
    for locator in [&path, &nested, &Locator::KustomizeImage(image)] {
        let create = Edit::new(locator.clone(), "on").creating();
        if let Ok(Outcome::Edited(edited)) = edit_within(bytes, &[create], &limits) {
            let found = read(&edited.bytes, locator).expect("what was written can be read");
            prop_assert!(found.iter().all(|found| found.value == "on") && found.len() == 1);
        }
        let remove = Edit::removing(locator.clone());
        if let Ok(Outcome::Edited(edited)) = edit_within(bytes, &[remove], &limits) {
            prop_assert!(read(&edited.bytes, locator).is_err());
        }
    }
    for locator in [&marker, &path] {
        let before = read_within(bytes, locator, &limits);
        let outcome = edit_within(bytes, &[Edit::new(locator.clone(), "on")], &limits);
        if let Ok(Outcome::Edited(edited)) = &outcome {
            let after = read(&edited.bytes, locator).expect("still readable");
            let before = match before {
                Ok(before) => before,
                Err(Refusal { kind: RefusalKind::Empty { .. }, .. }) => Vec::new(),
                Err(other) => return Err(TestCaseError::fail(format!("edited, yet not readable: {other}"))),
            };
            prop_assert!(before.is_empty() || before.len() == after.len());
            prop_assert!(after.iter().all(|found| found.value == "on"));
            prop_assert!(
                edited.bytes.len() >= bytes.len().saturating_sub(before.iter().map(|b| b.span.len()).sum())
            );
        }
        if let Err(refusal) = &outcome {
            let verification = matches!(refusal.kind, RefusalKind::Verification { .. });
            prop_assert!(!verification, "{refusal} in {bytes:?}");
        }
    }
    if let Ok(markers) = find_markers(bytes, "$set") {
        prop_assert!(markers.iter().all(|marker| marker.value == "x"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_scraps_of_yaml_make_it_panic(text in scraps()) {
        try_everything(text.as_bytes())?;
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), screened in any::<bool>()) {
        if screened {
            bytes.extend_from_slice(b"\na: v1 # {\"$set\": \"x\"}\n");
        }
        try_everything(&bytes)?;
    }
}
