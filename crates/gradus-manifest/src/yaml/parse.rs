//! From text to documents. The only place that knows the parser.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{At, Content, Document, Node, NodeId, lines};
use crate::error::{ManifestErrorKind, Trouble};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// The most values that are read from one file.
const MAX_NODES: usize = 200_000;
/// The most documents with mistakes in their syntax that are told of.
const MAX_BROKEN: usize = 20;

/// A document that cannot be read.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) at: At,
    pub(crate) trouble: Trouble,
}

/// Reads the documents of a file. A mistake in the syntax costs its document alone.
pub(crate) fn parse(text: &str) -> (Vec<Document<'_>>, Vec<Broken>) {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut documents = Vec::new();
    let mut broken = Vec::new();
    let mut left = MAX_NODES;
    loop {
        let problem = match document(&mut parser, &mut left) {
            Ok(Some(document)) => {
                documents.push(document);
                continue;
            }
            Ok(None) => break,
            Err(problem) => problem,
        };
        let fatal = problem.is_fatal();
        broken.push(problem.told(text));
        if fatal || broken.len() >= MAX_BROKEN || !parser.proceed_next_document().unwrap_or(false) {
            break;
        }
    }
    (documents, broken)
}

enum Problem {
    Syntax(ScanError),
    TooMany(At),
    Unknown(At),
}

impl Problem {
    /// Whether the rest of the file is not read.
    fn is_fatal(&self) -> bool {
        match self {
            Self::TooMany(_) => true,
            Self::Syntax(_) | Self::Unknown(_) => false,
        }
    }

    fn told(self, text: &str) -> Broken {
        match self {
            Self::Syntax(error) => syntax(text, &error),
            Self::TooMany(at) => Broken {
                at,
                trouble: Trouble::new(
                    ManifestErrorKind::TooLarge,
                    format!("the file has more than {MAX_NODES} values"),
                )
                .help("split it into files"),
            },
            Self::Unknown(at) => Broken {
                at,
                trouble: Trouble::new(ManifestErrorKind::Syntax, "this is YAML that is not understood here"),
            },
        }
    }
}

/// Reads to the end of the next document; `None` when there is none.
fn document<'t>(
    parser: &mut Parser<'t, StrInput<'t>>,
    left: &mut usize,
) -> Result<Option<Document<'t>>, Problem> {
    let mut build = Build::default();
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(Problem::Syntax)?;
        let at = place(&span);
        match event {
            Event::StreamStart | Event::DocumentStart(..) | Event::Anchor(..) => continue,
            Event::DocumentEnd => return Ok(Some(build.document)),
            Event::StreamEnd => return Ok(None),
            Event::SequenceEnd | Event::MappingEnd => {
                build.end();
                continue;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text =
                    tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str") || tag.suffix().is_empty());
                let content = if style == ScalarStyle::Plain && !is_text {
                    // An absent value has no text of its own to point at.
                    let absent = span.is_empty();
                    build.add(Content::Plain(text), at, anchor, absent);
                    *left = left.checked_sub(1).ok_or(Problem::TooMany(at))?;
                    continue;
                } else {
                    Content::Text(text)
                };
                build.add(content, at, anchor, false);
            }
            Event::SequenceStart(_, anchor, _) => {
                let id = build.add(Content::List(Vec::new()), at, anchor, false);
                build.open.push(Open { id, key: None });
            }
            Event::MappingStart(_, anchor, _) => {
                let id = build.add(Content::Mapping(Vec::new()), at, anchor, false);
                build.open.push(Open { id, key: None });
            }
            Event::Alias(anchor) => {
                let target = build.anchors.get(&anchor).copied().ok_or(Problem::Unknown(at))?;
                build.add(Content::Alias(target), at, 0, false);
            }
            // The parser may learn new events; what is not known here is not read over.
            Event::UnresolvedAlias(_) | Event::Comment(..) | _ => return Err(Problem::Unknown(at)),
        }
        *left = left.checked_sub(1).ok_or(Problem::TooMany(at))?;
    }
    Ok(None)
}

#[derive(Default)]
struct Build<'t> {
    document: Document<'t>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, NodeId>,
}

/// A collection that has not ended.
struct Open {
    id: NodeId,
    /// The key whose value comes next.
    key: Option<NodeId>,
}

impl<'t> Build<'t> {
    fn add(&mut self, content: Content<'t>, mut at: At, anchor: usize, absent: bool) -> NodeId {
        let id = NodeId(self.document.nodes.len());
        let Some(open) = self.open.last_mut() else {
            self.document.root.get_or_insert(id);
            self.push(content, at, anchor, id);
            return id;
        };
        let entry = match self.document.nodes.get_mut(open.id.0).map(|node| &mut node.content) {
            Some(Content::List(items)) => {
                items.push(id);
                None
            }
            Some(Content::Mapping(entries)) => match open.key.take() {
                Some(key) => {
                    entries.push((key, id));
                    Some(key)
                }
                None => {
                    open.key = Some(id);
                    None
                }
            },
            Some(Content::Plain(_) | Content::Text(_) | Content::Alias(_)) | None => None,
        };
        if let (true, Some(key)) = (absent, entry) {
            at = self.document.at(key);
        }
        self.push(content, at, anchor, id);
        id
    }

    fn push(&mut self, content: Content<'t>, at: At, anchor: usize, id: NodeId) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.document.nodes.push(Node { content, at });
    }

    fn end(&mut self) {
        self.open.pop();
    }
}

fn place(span: &Span) -> At {
    At { line: span.start.line(), column: span.start.col() + 1 }
}

fn syntax(text: &str, error: &ScanError) -> Broken {
    let at = At { line: error.marker().line().max(1), column: error.marker().col() + 1 };
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        let message = format!("values are nested more than {MAX_DEPTH} deep");
        return Broken { at, trouble: Trouble::new(ManifestErrorKind::TooLarge, message) };
    }
    let indent = |line: &str| line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
    let line = lines(text).nth(at.line - 1).unwrap_or_default();
    if indent(line) {
        let column = line.chars().position(|c| c == '\t').unwrap_or_default() + 1;
        let trouble = Trouble::new(ManifestErrorKind::Syntax, "the line is indented with a tab")
            .help("YAML is indented with spaces");
        return Broken { at: At { line: at.line, column }, trouble };
    }
    let trouble = Trouble::new(ManifestErrorKind::Syntax, format!("this is not YAML: {}", error.info()));
    let trouble = match line.find("{{") {
        Some(_) => trouble.help("the line has a template in it: render the file first, or quote the value"),
        None => trouble,
    };
    Broken { at, trouble }
}
