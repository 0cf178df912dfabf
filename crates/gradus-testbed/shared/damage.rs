// Documents that are damaged at random, for whoever reads what others wrote. It is a file
// that test programs take in by its path: the crates that need it are too small to wait
// for all that is in this one.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// How many documents are tried, unless `GRADUS_FUZZ_CASES` says otherwise.
const CASES: u32 = 2_000;

/// Pieces that readers stumble over.
const TRAPS: [&str; 36] = [
    "",
    "\0",
    "\u{feff}",
    "\r",
    "\t",
    "é",
    "\u{2028}",
    "\u{1f600}",
    "\\ud800",
    "\\u0000",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ": ",
    "- ",
    "---\n",
    "...\n",
    "&a ",
    "*a ",
    "<<: *a\n",
    "!!binary ",
    "!!int ",
    "? ",
    "|\n",
    ">-\n",
    "null",
    "1e999999999",
    "-9223372036854775809",
    "18446744073709551616",
    "0.00000000000000000000000000000000000000000000001e400",
    "9999-12-31T23:59:59.999999999Z",
];

#[derive(Debug, Clone)]
enum Damage {
    /// A byte becomes another.
    Flip(Index, u8),
    /// A piece is gone.
    Cut(Index, Index),
    /// What comes after is gone.
    Short(Index),
    /// A piece is there twice: keys, items, brackets.
    Twice(Index, Index),
    /// Something is in between.
    Trap(Index, &'static str),
    /// So many levels open, and perhaps close again.
    Deep(Index, &'static str, &'static str, usize),
    /// A word becomes another one of the document.
    Word(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let deep =
        select(vec![("[", "]"), ("{\"a\":", "}"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("\"", "\"")]);
    let levels = prop_oneof![4 => 1_usize..40, 1 => 100_usize..20_000];
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(at, to)| Damage::Cut(at, to)),
        1 => any::<Index>().prop_map(Damage::Short),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(at, to)| Damage::Twice(at, to)),
        4 => (any::<Index>(), select(TRAPS.to_vec())).prop_map(|(at, trap)| Damage::Trap(at, trap)),
        1 => (any::<Index>(), deep, levels)
            .prop_map(|(at, (open, close), levels)| Damage::Deep(at, open, close, levels)),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(at, by)| Damage::Word(at, by)),
    ]
}

fn damaged(document: &[u8], all: &[Damage]) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for one in all {
        // One more place than there are bytes: behind the last.
        let place = |at: &Index| at.index(bytes.len() + 1);
        // Pieces are short mostly, as lines are.
        let piece = |at: &Index, to: &Index| {
            let from = place(at);
            let room = bytes.len() - from;
            from..from + to.index(room.min(80) + 1)
        };
        match one {
            Damage::Flip(at, byte) => {
                let at = place(at);
                if let Some(here) = bytes.get_mut(at) {
                    *here = *byte;
                }
            }
            Damage::Cut(at, to) => drop(bytes.drain(piece(at, to))),
            Damage::Short(at) => bytes.truncate(place(at)),
            Damage::Twice(at, to) => {
                let range = piece(at, to);
                let (end, copy) = (range.end, bytes[range].to_vec());
                drop(bytes.splice(end..end, copy));
            }
            Damage::Trap(at, trap) => {
                let at = place(at);
                drop(bytes.splice(at..at, trap.bytes()));
            }
            Damage::Deep(at, open, close, levels) => {
                let at = place(at);
                let text = open.repeat(*levels) + &close.repeat(*levels);
                drop(bytes.splice(at..at, text.into_bytes()));
            }
            Damage::Word(at, by) => {
                let words = words(&bytes);
                if !words.is_empty() {
                    let new = bytes[by.get(&words).clone()].to_vec();
                    drop(bytes.splice(at.get(&words).clone(), new));
                }
            }
        }
    }
    bytes
}

/// Where the words and numbers of a document are.
fn words(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let mut begun = None;
    for (at, byte) in bytes.iter().chain(b" ").enumerate() {
        let inside = byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
        match (begun, inside) {
            (None, true) => begun = Some(at),
            (Some(from), false) => {
                words.push(from..at);
                begun = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    words
}

/// Reads bytes at random, and these documents with some damage: nothing may panic. With
/// `GRADUS_FUZZ_SECONDS` it goes on for so long.
#[allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails loudly, and says how much it tried"
)]
pub(crate) fn reads_anything(documents: &[&[u8]], read: impl Fn(&[u8])) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let cases = number("GRADUS_FUZZ_CASES").unwrap_or(CASES);
    let seconds = number("GRADUS_FUZZ_SECONDS");
    let documents: Vec<Vec<u8>> = documents.iter().map(|document| document.to_vec()).collect();
    let from_one =
        (select(documents), vec(damage(), 0..6)).prop_map(|(document, all)| damaged(&document, &all));
    let any_bytes = vec(any::<u8>(), 0..300);
    let bytes = prop_oneof![9 => from_one, 1 => any_bytes];
    let config = Config { cases: cases.min(10_000), failure_persistence: None, ..Config::default() };
    let begun = Instant::now();
    let mut tried: u64 = 0;
    loop {
        TestRunner::new(config.clone())
            .run(&bytes, |bytes| {
                read(&bytes);
                Ok::<(), TestCaseError>(())
            })
            .unwrap();
        tried += u64::from(config.cases);
        let enough = match seconds {
            Some(seconds) => begun.elapsed() >= Duration::from_secs(seconds.into()),
            None => tried >= u64::from(cases),
        };
        if enough {
            break;
        }
    }
    println!("{tried} documents read in {:.0?}", begun.elapsed());
}
