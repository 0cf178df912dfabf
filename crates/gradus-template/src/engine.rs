//! Rendering: bounded in time, in memory and in what comes out.

use std::io;

use minijinja::{Environment, UndefinedBehavior, Value};

use crate::error::{TemplateError, TemplateErrorKind};
use crate::facts::Facts;
use crate::part::Part;
use crate::{filters, rules};

/// So many instructions a template may take.
const FUEL: u64 = 20_000;

/// What a template makes of a change. A label or a milestone that comes out empty is none.
pub fn render(part: Part, template: &str, facts: &Facts<'_>) -> Result<String, TemplateError> {
    rendered(part, template, facts.value())
}

/// The same, of any values.
pub(crate) fn rendered(part: Part, template: &str, values: Value) -> Result<String, TemplateError> {
    rules::words(part, template)?;
    let mut language = Environment::empty();
    language.set_undefined_behavior(UndefinedBehavior::Strict);
    language.set_fuel(Some(FUEL));
    filters::add(&mut language);
    let ours = |error: minijinja::Error| TemplateError::from_engine(part, template, &error);
    let compiled = language.template_from_named_str(part.word(), template).map_err(ours)?;
    rules::variables(part, &compiled)?;
    let mut out = Bounded { bytes: Vec::new(), most: part.longest().saturating_mul(2) };
    compiled.render_captured_to(values, &mut out).map_err(ours)?;
    outcome(part, &String::from_utf8_lossy(&out.bytes))
}

/// What came out, if it is what it is for.
fn outcome(part: Part, text: &str) -> Result<String, TemplateError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let refused = |kind, message: String| Err(TemplateError::new(kind, message));
    let word = part.word();
    if text.is_empty() && !part.may_be_empty() {
        return refused(TemplateErrorKind::Outcome, format!("the {word} comes out empty"));
    }
    if part.is_line() && text.contains('\n') {
        return refused(TemplateErrorKind::Outcome, format!("the {word} comes out with more than one line"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return refused(TemplateErrorKind::Outcome, format!("the {word} comes out with a control character"));
    }
    if text.len() > part.longest() {
        let message = format!("the {word} comes out with more than {} bytes", part.longest());
        return refused(TemplateErrorKind::TooLong, message);
    }
    Ok(text.to_owned())
}

/// Takes so much and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
