//! New keys and elements, as they are written into a file.

use crate::render;
use crate::table::{Layout, Style};

/// What is added to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    /// A text. The quoting of a text like it, if there is one.
    Text(String, Option<Style>),
    /// Lines, the last without its end.
    Literal(String),
    Mapping(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

/// How collections are laid out around the place where something is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct House {
    /// By how many columns a nested mapping stands to the right of its key.
    pub(crate) step: usize,
    /// By how many columns the dashes of a list stand to the right of its key.
    pub(crate) dash: usize,
    /// How many spaces follow a dash.
    pub(crate) gap: usize,
    pub(crate) json: bool,
    pub(crate) line_end: &'static str,
}

/// One node of what was added, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bone {
    Mapping,
    List,
    Text(String),
}

impl Tree {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into(), None)
    }

    pub(crate) fn one(key: impl Into<String>, value: Tree) -> Self {
        Self::Mapping(vec![(key.into(), value)])
    }

    /// Whether it holds text that is written in lines.
    pub(crate) fn has_lines(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Text(..) => false,
            Self::Mapping(entries) => entries.iter().any(|(_, value)| value.has_lines()),
            Self::List(elements) => elements.iter().any(Self::has_lines),
        }
    }

    /// Its nodes, a collection before what it holds.
    pub(crate) fn bones(&self, into: &mut Vec<Bone>) {
        match self {
            Self::Text(text, _) | Self::Literal(text) => into.push(Bone::Text(text.clone())),
            Self::Mapping(entries) => {
                into.push(Bone::Mapping);
                entries.iter().for_each(|(key, value)| entry_bones(key, value, into));
            }
            Self::List(elements) => {
                into.push(Bone::List);
                elements.iter().for_each(|element| element.bones(into));
            }
        }
    }

    /// On one line, in braces and brackets.
    pub(crate) fn flow(&self, house: House) -> String {
        match self {
            Self::Text(text, style) => render::fresh(text, *style, Layout::Flow, house.json),
            Self::Literal(text) => render::escaped(text),
            Self::Mapping(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| flow_entry(key, value, house)).collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::List(elements) => {
                let elements: Vec<String> = elements.iter().map(|element| element.flow(house)).collect();
                format!("[{}]", elements.join(", "))
            }
        }
    }

    /// On lines of their own, the first without its indentation and the last without its end.
    pub(crate) fn block(&self, indentation: usize, house: House) -> String {
        match self {
            Self::Text(text, style) => render::fresh(text, *style, Layout::Block, house.json),
            Self::Literal(text) => {
                let lines = text.lines().map(|line| format!("{}{line}", new_line(indentation, house)));
                format!("|-{}", lines.collect::<String>())
            }
            Self::Mapping(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Mapping(entries) => {
                let lines: Vec<String> =
                    entries.iter().map(|(key, value)| block_entry(key, value, indentation, house)).collect();
                lines.join(&new_line(indentation, house))
            }
            Self::List(elements) if elements.is_empty() => "[]".to_owned(),
            Self::List(elements) => {
                let lines: Vec<String> =
                    elements.iter().map(|element| block_element(element, indentation, house)).collect();
                lines.join(&new_line(indentation, house))
            }
        }
    }
}

pub(crate) fn entry_bones(key: &str, value: &Tree, into: &mut Vec<Bone>) {
    into.push(Bone::Text(key.to_owned()));
    value.bones(into);
}

pub(crate) fn flow_entry(key: &str, value: &Tree, house: House) -> String {
    format!("{}: {}", render::fresh(key, None, Layout::Flow, house.json), value.flow(house))
}

/// `key: value`, or the key and what is nested below it.
pub(crate) fn block_entry(key: &str, value: &Tree, indentation: usize, house: House) -> String {
    let key = render::fresh(key, None, Layout::Block, house.json);
    let nested = match value {
        Tree::Mapping(entries) if !entries.is_empty() => indentation + house.step,
        Tree::List(elements) if !elements.is_empty() => indentation + house.dash,
        Tree::Literal(_) => return format!("{key}: {}", value.block(indentation + house.step, house)),
        Tree::Text(..) | Tree::Mapping(_) | Tree::List(_) => {
            return format!("{key}: {}", value.block(indentation, house));
        }
    };
    format!("{key}:{}{}", new_line(nested, house), value.block(nested, house))
}

/// `- element`, where the dash has this indentation.
pub(crate) fn block_element(element: &Tree, indentation: usize, house: House) -> String {
    let inside = indentation + 1 + house.gap;
    format!("-{}{}", " ".repeat(house.gap), element.block(inside, house))
}

fn new_line(indentation: usize, house: House) -> String {
    format!("{}{}", house.line_end, " ".repeat(indentation))
}
