//! What a template may not do although its language can: keep values, which could grow without end, and multiply.

use std::collections::BTreeSet;

use minijinja::Template;
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use crate::error::{TemplateError, TemplateErrorKind, may_be_used};
use crate::part::Part;

/// The longest template.
const LONGEST: usize = 16 * 1024;
/// The statements.
const STATEMENTS: [&str; 7] = ["if", "elif", "else", "endif", "for", "endfor", "raw"];

/// So many words one `{{ }}` or `{% %}` may have: what reads them goes as deep as they are many.
const MOST_WORDS: usize = 100;
/// So many `{% %}` there may be.
const MOST_STATEMENTS: usize = 64;

/// Looks at the words of a template, before anything is made of it.
pub(crate) fn words(part: Part, template: &str) -> Result<(), TemplateError> {
    if template.len() > LONGEST {
        let message = format!("the template has more than {LONGEST} bytes");
        return Err(TemplateError::new(TemplateErrorKind::TooLong, message));
    }
    let (mut begins, mut words, mut statements) = (false, 0, 0);
    for token in tokenize(template, false, SyntaxConfig::default()) {
        let (token, span) = token.map_err(|error| TemplateError::from_engine(part, template, &error))?;
        let is_outside = matches!(token, Token::TemplateData(_) | Token::VariableStart | Token::BlockStart);
        let starts = matches!(token, Token::BlockStart);
        words = if is_outside { 0 } else { words + 1 };
        statements += usize::from(starts);
        let refused = if let Token::Ident(word) = &token
            && begins
            && !STATEMENTS.contains(word)
        {
            Some((TemplateErrorKind::NotAllowed, format!("`{word}` is not there in templates of proposals")))
        } else if matches!(token, Token::Ident("recursive") | Token::Mul | Token::Pow) {
            let message = "templates of proposals neither multiply nor call themselves".to_owned();
            Some((TemplateErrorKind::NotAllowed, message))
        } else if words > MOST_WORDS || statements > MOST_STATEMENTS {
            Some((TemplateErrorKind::TooMuch, "the template is too involved".to_owned()))
        } else {
            None
        };
        if let Some((kind, message)) = refused {
            let line = template.contains('\n').then_some(span.start_line as usize);
            let error =
                TemplateError::new(kind, message).hint("there are `if`, `elif`, `else`, `for` and filters");
            return Err(TemplateError { line, ..error });
        }
        begins = starts;
    }
    Ok(())
}

/// Looks for variables that do not exist.
pub(crate) fn variables(part: Part, template: &Template<'_, '_>) -> Result<(), TemplateError> {
    const FIELDS: [(&str, &[&str]); 2] = [("pipeline", &["namespace", "name"]), ("repository", &["url"])];
    let used: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
    for name in used {
        let (root, field) =
            name.split_once('.').map_or((name.as_str(), None), |(root, field)| (root, Some(field)));
        if !part.variables().any(|known| known == root) {
            return Err(unknown(part, root));
        }
        let fields = FIELDS.iter().find(|(known, _)| *known == root).map(|(_, fields)| *fields);
        if let (Some(fields), Some(field)) = (fields, field)
            && !fields.contains(&field)
        {
            let message = format!("there is no `{root}.{field}`");
            let hint = format!("{root} has {}", fields.join(" and "));
            return Err(TemplateError::new(TemplateErrorKind::Undefined, message).hint(hint));
        }
    }
    Ok(())
}

fn unknown(part: Part, name: &str) -> TemplateError {
    if part == Part::Branch && Part::Body.variables().any(|known| known == name) {
        let message = format!("a branch cannot be named by `{name}`: it stays while releases come and go");
        return TemplateError::new(TemplateErrorKind::Undefined, message).hint(may_be_used(part));
    }
    let message = format!("there is no variable `{name}`");
    let near = part
        .variables()
        .map(|known| (strsim::osa_distance(known, name), known))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let hint = match near {
        Some((_, near)) => format!("did you mean `{near}`? {}", may_be_used(part)),
        None => may_be_used(part),
    };
    TemplateError::new(TemplateErrorKind::Undefined, message).hint(hint)
}
