//! Texts as forges keep them.

use gradus_core::plan::CloseReason;
use gradus_core::tell;
use gradus_engine::port::forge::ProposalText;
use jiff::Timestamp;

/// Forges change how lines end, and what is empty at the end.
pub(super) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// The text as the forge can keep it: what is too long loses its last lines, and says so.
pub(super) fn fitting(text: &ProposalText, most: usize) -> ProposalText {
    const LEFT_OUT: &str = "\n\n(The rest is left out: this forge keeps no longer text.)\n";
    let mut text = text.clone();
    if text.body.chars().count() > most {
        let room = most.saturating_sub(LEFT_OUT.len());
        let end = text.body.char_indices().nth(room).map_or(text.body.len(), |(at, _)| at);
        let line = text.body.get(..end).and_then(|kept| kept.rfind('\n'));
        text.body.truncate(line.unwrap_or(end));
        text.body.push_str(LEFT_OUT);
    }
    text
}

/// Why a proposal is closed, for who reads it.
pub(super) fn why(because: &CloseReason, now: Timestamp) -> String {
    match because {
        CloseReason::Merged => "Closed: the branch has what this proposes.".to_owned(),
        CloseReason::Overtaken => "Closed: the environment has moved past it.".to_owned(),
        CloseReason::Refused(reason) => {
            format!("Closed: {}.", tell::sentence(reason, &tell::Clock::utc(now)).trim_end_matches('.'))
        }
    }
}
