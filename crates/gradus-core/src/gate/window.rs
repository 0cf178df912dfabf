//! `window`: the time of the week, or the date, is right.

use super::{Answer, Ask, Passed};
use crate::reason::Reason;
use crate::window::{Window, WindowState};

/// Whether the window is open.
pub fn answer(window: &Window, ask: &Ask<'_>) -> Answer {
    match window.at(ask.now) {
        WindowState::Open { until } => Answer::Pass(Passed::Open(until)),
        WindowState::Closed { until, .. } => {
            Answer::Hold(Reason::OutsideWindow { window: words(window).into(), opens: until })
        }
    }
}

/// The window in words.
pub fn words(window: &Window) -> String {
    let list =
        |spans: &[crate::window::Span]| spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = String::from("window ");
    if !window.allow.is_empty() {
        text.push_str(&list(&window.allow));
    }
    if !window.deny.is_empty() {
        if !window.allow.is_empty() {
            text.push_str(", ");
        }
        text.push_str("not ");
        text.push_str(&list(&window.deny));
    }
    text.push(' ');
    text.push_str(&window.zone_name);
    text
}
