//! What a comment asks for.

/// What is asked for in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Yes to a release: to that which was proposed, or to this version.
    Approve(Option<String>),
    /// Nothing may come in, for this reason.
    Hold(String),
    /// What a comment held may come in again.
    Unhold,
    /// A release is asked for by name: that which was proposed, or this version.
    Promote(Option<String>),
    /// Why it is as it is.
    Explain,
    /// It is looked at again.
    Retry,
    /// Nothing that is known.
    Unknown(String),
}

/// What begins a line that is a command.
const BEGINS: &str = "/gradus";
/// The longest text after it that is read, in characters.
const LONGEST: usize = 500;

/// The first command in a comment. What is quoted, or in a block of code, is none.
pub(super) fn command(text: &str) -> Option<Command> {
    let mut code = false;
    for line in text.lines() {
        let begins = line.trim_start();
        if begins.starts_with("```") || begins.starts_with("~~~") {
            code = !code;
            continue;
        }
        let rest = line.strip_prefix(BEGINS).filter(|_| !code);
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) else {
            continue;
        };
        return Some(read(&plain(rest)));
    }
    None
}

fn read(text: &str) -> Command {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let named = || (!rest.is_empty()).then(|| rest.to_owned());
    match (word, rest) {
        ("approve", _) => Command::Approve(named()),
        ("promote", _) => Command::Promote(named()),
        ("hold", reason) if !reason.is_empty() => Command::Hold(reason.to_owned()),
        ("unhold", "") => Command::Unhold,
        ("explain", "") => Command::Explain,
        ("retry", "") => Command::Retry,
        _ => Command::Unknown(text.to_owned()),
    }
}

/// One line, without what cannot be seen, with one space between its words.
fn plain(text: &str) -> String {
    let seen: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::{Command, command};

    #[test]
    fn a_line_of_a_comment_is_a_command() {
        let check = |text: &str, expected: Option<Command>| assert_eq!(command(text), expected, "{text:?}");
        check("/gradus approve", Some(Command::Approve(None)));
        check("/gradus approve 1.4.0\r\n", Some(Command::Approve(Some("1.4.0".to_owned()))));
        check("Looks good.\n\n/gradus  promote \n/gradus retry", Some(Command::Promote(None)));
        check("/gradus hold the shop\tis \u{7}closed", Some(Command::Hold("the shop is closed".to_owned())));
        check("/gradus hold", Some(Command::Unknown("hold".to_owned())));
        check("/gradus unhold", Some(Command::Unhold));
        check("/gradus explain", Some(Command::Explain));
        check("/gradus retry", Some(Command::Retry));
        check("/gradus", Some(Command::Unknown(String::new())));
        check("/gradus Approve", Some(Command::Unknown("Approve".to_owned())));
        check("/gradus retry now", Some(Command::Unknown("retry now".to_owned())));
        check("/gradusapprove", None);
        check(" /gradus approve", None);
        check("say /gradus approve", None);
        check("> /gradus approve", None);
        check("```\n/gradus approve\n```", None);
        check("```\nx\n```\n/gradus retry", Some(Command::Retry));
        check("", None);
        let long = command(&format!("/gradus hold {}", "x ".repeat(1000)));
        assert!(matches!(long, Some(Command::Hold(reason)) if reason.len() < 500));
    }
}
