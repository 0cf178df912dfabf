//! The minutes of a week, to see what spans cover together.

use super::Span;
use super::span::{DAY, WEEK};

const WORD: u32 = u64::BITS;
const WORDS: usize = WEEK.div_ceil(WORD) as usize;

/// A set of minutes of the week by the clock, counted from Monday 00:00.
///
/// The ends of spans move to instants without changing their order, so what
/// holds here between sets of spans holds in every week, also where clocks
/// change.
pub(super) struct Week([u64; WORDS]);

impl Week {
    /// The minutes that the weekly ones of these spans cover.
    pub(super) fn of(spans: &[Span]) -> Self {
        let mut week = Self([0; WORDS]);
        for (day, begin, end) in spans.iter().flat_map(Span::weekly) {
            let (begin, end) = (u32::from(day) * DAY + begin, u32::from(day) * DAY + end);
            week.insert(begin.min(WEEK), end.min(WEEK));
            week.insert(begin.max(WEEK) - WEEK, end.max(WEEK) - WEEK);
        }
        week
    }

    /// Whether every minute is covered.
    pub(super) fn is_full(&self) -> bool {
        self.0.iter().map(|word| word.count_ones()).sum::<u32>() == WEEK
    }

    /// Whether the other covers all that this one covers.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// Adds the minutes from `begin` up to and without `end`.
    fn insert(&mut self, begin: u32, end: u32) {
        let words = (begin / WORD) as usize..end.div_ceil(WORD) as usize;
        let firsts = (begin / WORD * WORD..).step_by(WORD as usize);
        for (word, first) in self.0.get_mut(words).into_iter().flatten().zip(firsts) {
            let (from, to) = (begin.max(first), end.min(first + WORD));
            if from < to {
                *word |= (u64::MAX >> (WORD - (to - from))) << (from - first);
            }
        }
    }
}
