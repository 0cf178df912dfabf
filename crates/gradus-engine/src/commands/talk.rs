//! What was said below a proposal, and what gradus says there.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::Person;
use jiff::Timestamp;

use super::Answer;
use super::parse::{Command, command};
use crate::port::forge::CommentRecord;

/// What was said below a proposal, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// What gradus last said to be proposed.
    pub(super) proposes: Option<String>,
    /// Who was told that they may not, in lower case.
    pub(super) refused: BTreeSet<String>,
    /// What was asked for and not answered, oldest first. What one person says twice is asked once.
    pub(super) asked: Vec<Asked>,
}

/// A command that nobody answered.
#[derive(Debug)]
pub(super) struct Asked {
    /// The comments that say so.
    pub(super) comments: Vec<Arc<str>>,
    /// By whom.
    pub(super) by: Person,
    /// What.
    pub(super) command: Command,
    /// What was proposed when it was said, if that is known.
    pub(super) meant: Option<String>,
    /// When it was said first.
    pub(super) at: Timestamp,
}

/// What gradus writes for itself into what it says, each a line.
const PROPOSES: &str = "<!-- gradus: proposes ";
const ANSWERS: &str = "<!-- gradus: answer to ";
const REFUSES: &str = "<!-- gradus: refused ";
const END: &str = " -->";

impl Talk {
    /// Reads comments, oldest first.
    pub(super) fn of(comments: &[CommentRecord]) -> Self {
        let ours = || comments.iter().filter(|comment| comment.ours);
        let answered: BTreeSet<&str> = ours()
            .flat_map(|comment| marks(&comment.body, ANSWERS))
            .flat_map(str::split_whitespace)
            .collect();
        let refused = ours().flat_map(|comment| marks(&comment.body, REFUSES)).map(str::to_lowercase);
        let mut talk = Self { refused: refused.collect(), ..Self::default() };
        for comment in comments {
            if comment.ours {
                if let Some(release) = marks(&comment.body, PROPOSES).last() {
                    talk.proposes = Some(release.to_owned());
                }
            } else if !answered.contains(&*comment.id)
                && let Some(command) = command(&comment.body)
            {
                talk.add(comment, command);
            }
        }
        talk
    }

    fn add(&mut self, comment: &CommentRecord, command: Command) {
        let (by, meant) = (comment.by.clone(), self.proposes.clone());
        let is_it = |known: &&mut Asked| known.by == by && known.command == command && known.meant == meant;
        if let Some(known) = self.asked.iter_mut().find(is_it) {
            known.comments.push(comment.id.clone());
            return;
        }
        self.asked.push(Asked { comments: vec![comment.id.clone()], by, command, meant, at: comment.at });
    }
}

/// What stands after these words in each line that begins with them and ends as a mark does.
fn marks<'a>(body: &'a str, begins: &'static str) -> impl DoubleEndedIterator<Item = &'a str> {
    body.lines().filter_map(move |line| line.trim().strip_prefix(begins)?.strip_suffix(END)).map(str::trim)
}

/// What is said when something else is proposed: what a command without a version means from then on.
pub(super) fn proposes(environment: &str, release: &str) -> String {
    format!(
        "{release} is proposed for {environment}. Members of this repository can say what becomes of it, in a \
         line of a comment:\n\n\
         - `/gradus approve`: yes to {release}\n\
         - `/gradus hold REASON`, `/gradus unhold`: nothing comes into {environment} meanwhile\n\
         - `/gradus promote`: {release} is asked for by name\n\
         - `/gradus explain`: why it is as it is\n\
         - `/gradus retry`: look again\n\n{PROPOSES}{release}{END}\n"
    )
}

/// What somebody is told who may not.
pub(super) fn refusal(by: &Person, why: &str) -> Answer {
    let words = format!(
        "nothing is done: who says so {why}. Commands are taken from members of this repository who may write \
         to it.\n\n{REFUSES}{by}{END}"
    );
    Answer { words, yes: false, done: false }
}

/// An answer with what it is to.
pub(super) fn answer(asked: &Asked, answer: &Answer) -> String {
    let to = asked.comments.join(" ");
    format!("@{}: {}\n\n{ANSWERS}{to}{END}\n", asked.by, answer.words.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person::parse(name).unwrap()
    }

    fn said(id: &str, by: &str, body: &str) -> CommentRecord {
        let (ours, at) = (by == "gradus", Timestamp::UNIX_EPOCH);
        CommentRecord { id: id.into(), by: person(by), ours, body: body.to_owned(), at }
    }

    fn told(comments: &[CommentRecord]) -> Vec<String> {
        let line = |asked: &Asked| {
            let meant = asked.meant.as_deref().unwrap_or("nothing");
            format!("{} {:?} of {meant}: {}", asked.by, asked.command, asked.comments.join(" "))
        };
        Talk::of(comments).asked.iter().map(line).collect()
    }

    #[test]
    fn what_is_not_answered_is_asked() {
        let mark = |release: &str| proposes("prod", release);
        let mut comments = vec![
            said("1", "ann", "/gradus approve"),
            said("2", "gradus", &mark("1.1.0")),
            said("3", "ann", "/gradus approve"),
            said("4", "bob", "hello"),
            said("5", "ann", "/gradus approve"),
            said("6", "bob", "/gradus approve"),
            said("7", "gradus", &mark("1.2.0")),
            said("8", "ann", "/gradus approve"),
        ];
        let all = [
            "ann Approve(None) of nothing: 1",
            "ann Approve(None) of 1.1.0: 3 5",
            "bob Approve(None) of 1.1.0: 6",
            "ann Approve(None) of 1.2.0: 8",
        ];
        assert_eq!(told(&comments), all);
        let yes = Answer { words: "yes".to_owned(), yes: true, done: true };
        for asked in Talk::of(&comments).asked.iter().skip(1) {
            comments.push(said("9", "gradus", &answer(asked, &yes)));
        }
        assert_eq!(told(&comments), all[..1]);
    }

    #[test]
    fn only_gradus_answers_for_gradus() {
        let forged =
            "<!-- gradus: answer to 1 -->\n<!-- gradus: refused ann -->\n<!-- gradus: proposes 6.6.6 -->";
        let talk = Talk::of(&[said("1", "ann", "/gradus approve"), said("2", "eve", forged)]);
        assert_eq!((talk.asked.len(), talk.proposes, talk.refused.len()), (1, None, 0));
        let no = refusal(&person("Eve"), "may not").words;
        let talk = Talk::of(&[said("1", "Eve", "/gradus retry"), said("2", "gradus", &no)]);
        assert_eq!(talk.refused, BTreeSet::from(["eve".to_owned()]));
    }
}
