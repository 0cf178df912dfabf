//! From bytes to a table. The only place that knows the parser.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use crate::Limits;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::table::{Anchor, AnchorId, Comment, Content, Layout, Node, NodeId, Role, Style, Table};

/// Reads a whole file, or says where it cannot be read.
pub(crate) fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Table<'a>, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Refusal::of(RefusalKind::TooLarge { bytes: bytes.len(), limit: limits.bytes }));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        Refusal::at(place_after(before), RefusalKind::NotUtf8)
    })?;
    let options = granit_parser::options! {
        emit_comments: true,
        emit_anchor_events: true,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
        // Commented-out blocks of a hundred lines are common. The size of the file bounds the number.
        max_buffered_comment_events: limits.bytes,
    };
    let mut build = Build::new(text, limits);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax(text, &error, build.documents.max(1), limits))?;
        build.take(event, &span)?;
    }
    Ok(build.table)
}

struct Build<'a, 'l> {
    table: Table<'a>,
    open: Vec<Open>,
    documents: usize,
    limits: &'l Limits,
}

/// A collection that has not ended.
struct Open {
    node: NodeId,
    /// The key whose value comes next.
    key: Option<NodeId>,
    mapping: bool,
    count: usize,
}

impl<'a, 'l> Build<'a, 'l> {
    fn new(text: &'a str, limits: &'l Limits) -> Self {
        let table = Table {
            text,
            // A node for each thirty bytes is much; growing by copying costs more than room that is not used.
            nodes: Vec::with_capacity(text.len() / 32),
            comments: Vec::new(),
            roots: Vec::new(),
            anchors: Default::default(),
        };
        Self { table, open: Vec::new(), documents: 0, limits }
    }

    fn take(&mut self, event: Event<'a>, span: &Span) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(..) => self.documents += 1,
            Event::Comment(..) => {
                let comment = Comment { span: range(span), place: self.place(span) };
                self.table.comments.push(comment);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span_is_empty = range(span).is_empty();
                let content = match style {
                    ScalarStyle::Plain if span_is_empty => Content::Absent,
                    ScalarStyle::Plain => Content::Scalar(Style::Plain, text),
                    ScalarStyle::SingleQuoted => Content::Scalar(Style::Single, text),
                    ScalarStyle::DoubleQuoted => Content::Scalar(Style::Double, text),
                    ScalarStyle::Literal | ScalarStyle::Folded => Content::Scalar(Style::Block, text),
                };
                self.node(content, span, anchor, tag.map(|tag| tag.to_string()))?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.start(
                    Content::Sequence(layout(style, span)),
                    false,
                    span,
                    anchor,
                    tag.map(|tag| tag.to_string()),
                )?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.start(
                    Content::Mapping(layout(style, span)),
                    true,
                    span,
                    anchor,
                    tag.map(|tag| tag.to_string()),
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => {
                let anchor = AnchorId(anchor);
                if let Some(anchor) = self.table.anchors.get_mut(&anchor) {
                    anchor.aliases += 1;
                }
                self.node(Content::Alias(anchor), span, 0, None)?;
            }
            Event::Anchor(id, name) => {
                let anchor = Anchor { name: name.into_owned(), line: span.start.line(), aliases: 0 };
                self.table.anchors.insert(AnchorId(id), anchor);
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::UnresolvedAlias(_) => {}
            // The parser may learn new events; one that is not known here cannot be verified.
            _ => return Err(Refusal::at(self.place(span), RefusalKind::Syntax("unknown syntax".to_owned()))),
        }
        Ok(())
    }

    fn start(
        &mut self,
        content: Content<'a>,
        mapping: bool,
        span: &Span,
        anchor: usize,
        tag: Option<String>,
    ) -> Result<(), Refusal> {
        let node = self.node(content, span, anchor, tag)?;
        if self.open.len() >= self.limits.depth {
            return Err(Refusal::at(self.place(span), RefusalKind::TooDeep { limit: self.limits.depth }));
        }
        self.open.push(Open { node, key: None, mapping, count: 0 });
        Ok(())
    }

    fn end(&mut self, span: &Span) {
        let next = self.table.nodes.len();
        if let Some(node) = self.open.pop().and_then(|open| self.table.nodes.get_mut(open.node.0)) {
            node.span.end = range(span).end;
            node.next = next;
        }
    }

    fn node(
        &mut self,
        content: Content<'a>,
        span: &Span,
        anchor: usize,
        tag: Option<String>,
    ) -> Result<NodeId, Refusal> {
        let id = NodeId(self.table.nodes.len());
        if id.0 >= self.limits.nodes {
            return Err(Refusal::at(
                self.place(span),
                RefusalKind::TooManyNodes { limit: self.limits.nodes },
            ));
        }
        let role = self.role(id);
        self.table.nodes.push(Node {
            parent: self.open.last().map(|open| open.node),
            role,
            content,
            span: range(span),
            place: self.place(span),
            anchor: (anchor != 0).then_some(AnchorId(anchor)),
            tag: tag.map(String::into_boxed_str),
            next: id.0 + 1,
        });
        Ok(id)
    }

    /// What the next node is to the collection around it.
    fn role(&mut self, id: NodeId) -> Role {
        let Some(open) = self.open.last_mut() else {
            self.table.roots.push(id);
            return Role::Root;
        };
        if !open.mapping {
            open.count += 1;
            return Role::Item(open.count - 1);
        }
        match open.key.take() {
            Some(key) => Role::Value(key),
            None => {
                open.key = Some(id);
                Role::Key
            }
        }
    }

    fn place(&self, span: &Span) -> Place {
        Place { document: self.documents.max(1), line: span.start.line(), column: span.start.col() + 1 }
    }
}

fn layout(style: StructureStyle, span: &Span) -> Layout {
    match style {
        StructureStyle::Block => Layout::Block,
        StructureStyle::Flow if range(span).is_empty() => Layout::Pair,
        StructureStyle::Flow => Layout::Flow,
    }
}

/// Text input always has byte offsets; an empty range would only make the verification fail.
fn range(span: &Span) -> std::ops::Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

fn syntax(text: &str, error: &ScanError, document: usize, limits: &Limits) -> Refusal {
    let place = Place { document, line: error.marker().line(), column: error.marker().col() + 1 };
    if *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded {
        return Refusal::at(place, RefusalKind::TooDeep { limit: limits.depth });
    }
    if let Some(offset) = text.find("{{") {
        let before = text.as_bytes().get(..offset).unwrap_or_default();
        let line = place_after(before).line;
        return Refusal::at(place, RefusalKind::TemplateFile { detail: error.info(), line });
    }
    Refusal::at(place, RefusalKind::Syntax(error.info()))
}

/// The place that follows these bytes.
fn place_after(before: &[u8]) -> Place {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() + 1;
    Place { document: 1, line, column }
}
