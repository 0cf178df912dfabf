//! What a parser that shares nothing with ours sees in a file.

use libyaml_safer::{EventData, Parser, ScalarStyle};

/// What is seen, without where it is and how it is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Document,
    End,
    Alias(String),
    Scalar { value: String, anchor: Option<String>, tag: Option<String>, plain: bool, block: bool },
    List { anchor: Option<String>, tag: Option<String> },
    Mapping { anchor: Option<String>, tag: Option<String> },
}

/// Everything in a file; `None` where the other parser does not take it for YAML.
pub(crate) fn see(text: &str) -> Option<Vec<Seen>> {
    // It reads past the end of a file that does not end with its line.
    let whole = format!("{text}\n");
    let mut bytes = whole.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut seen = Vec::new();
    loop {
        seen.push(match parser.parse().ok()?.data {
            EventData::StreamStart { .. } => continue,
            EventData::StreamEnd => return Some(seen),
            EventData::DocumentStart { .. } => Seen::Document,
            EventData::DocumentEnd { .. } | EventData::SequenceEnd | EventData::MappingEnd => Seen::End,
            EventData::Alias { anchor } => Seen::Alias(anchor),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let plain = style == ScalarStyle::Plain;
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                Seen::Scalar { value, anchor, tag, plain, block }
            }
            EventData::SequenceStart { anchor, tag, .. } => Seen::List { anchor, tag },
            EventData::MappingStart { anchor, tag, .. } => Seen::Mapping { anchor, tag },
        });
    }
}

/// Whether the second list is the first with exactly one scalar set to this.
pub(crate) fn only_set(before: &[Seen], after: &[Seen], set: &str) -> Result<(), String> {
    if before.len() != after.len() {
        return Err(format!("{} things became {}", before.len(), after.len()));
    }
    let differ: Vec<(&Seen, &Seen)> = before.iter().zip(after).filter(|(old, new)| old != new).collect();
    match differ.as_slice() {
        [
            (
                Seen::Scalar { anchor, tag, block: false, .. },
                Seen::Scalar { value, anchor: now, tag: its, .. },
            ),
        ] if value == set && anchor == now && tag == its => Ok(()),
        other => Err(format!("to the other parser this differs: {other:?}")),
    }
}
