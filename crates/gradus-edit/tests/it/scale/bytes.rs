//! Files that were YAML, TOML or `.env` once and had bytes changed since: nothing panics, and what is edited is right.

use gradus_edit::{
    Edit, FieldPath, Format, Limits, Locator, Outcome, RefusalKind, Select, Setter, Standing, edit_file,
    edit_within, list_markers, read_file, read_within, set_markers,
};

use super::generate::generate;
use super::random::Random;

const TOML: &str = "# c\na = 1\n[t.\"x y\"]\nb = 'v1' # c\nc = {d = \"x\", e = [1, 2.5, true]}\n[[l]]\nn = \"\"\"\nx\"\"\"\n[[l]]\nn = 2026-01-31\n";
const ENV: &str = "# c\nA=1\nexport B='v 1' # c\nC=\"x\\\"y\nz\"\nD=\n\nE = x#y #c\n";
const TOKENS: [&str; 40] = [
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "  ",
    "- ",
    "-",
    ": ",
    ":",
    "? ",
    "#",
    " # {\"$set\": \"m1\"}",
    "'",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!!int ",
    "!x ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: *a",
    "{{ x }}",
    "~",
    "\u{feff}",
    "\u{85}",
    "é",
    "😀",
    "=",
    "\"\"\"",
    "kind: D0",
];

/// Changes a random file here and there and tries every call on it; says what is wrong, if something is.
pub(crate) fn play_bytes(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed ^ 0xb17e5);
    let (format, mut bytes) = match random.below(8) {
        0 => (Format::Toml, TOML.as_bytes().to_vec()),
        1 => (Format::Env, ENV.as_bytes().to_vec()),
        _ => {
            let mut text = generate(random.next()).text;
            if random.chance(50) {
                let mut end = text.len().min(400);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
            }
            (Format::Yaml, text.into_bytes())
        }
    };
    for _ in 0..1 + random.below(6) {
        change(&mut bytes, &mut random);
    }
    let limits = Limits { bytes: 100_000, nodes: 3000, depth: 40 };
    let path = |text: &str| FieldPath::parse(text).ok().map(|path| Locator::Path(Select::path(path)));
    let locators =
        ["key0", "key1[0]", "/key2/key0", "a", "t[\"x y\"].b", "c.e[1]", "l[1].n", "B", "C", "kind"];
    let mut locators: Vec<Locator> = locators.into_iter().filter_map(path).collect();
    locators.push(Locator::marker("$set", "m1"));
    for locator in &locators {
        let edits = [Edit::new(locator.clone(), "on")];
        let made = match format {
            Format::Yaml => edit_within(&bytes, &edits, &limits),
            Format::Toml | Format::Env => edit_file(format, &bytes, &edits),
        };
        let wrong = |why: String| {
            Err(format!("seed {seed}: {locator:?}: {why} in {:?}", String::from_utf8_lossy(&bytes)))
        };
        match made {
            Ok(Outcome::Edited(edited)) => {
                let found = match format {
                    Format::Yaml => read_within(&edited.bytes, locator, &limits),
                    Format::Toml | Format::Env => read_file(format, &edited.bytes, locator),
                };
                match found {
                    Ok(found) if !found.is_empty() && found.iter().all(|found| found.value == "on") => {}
                    other => return wrong(format!("{other:?} was read")),
                }
            }
            Err(refusal) if matches!(refusal.kind, RefusalKind::Verification { .. }) => {
                return wrong(refusal.to_string());
            }
            Ok(Outcome::Unchanged | Outcome::Stale(_)) | Err(_) => {}
        }
    }
    let setters = Setter::image("$set", "m1", "x", Some("on"), None);
    if let Err(refusal) = set_markers(&bytes, &setters)
        && matches!(refusal.kind, RefusalKind::Verification { .. })
    {
        return Err(format!("seed {seed}: {refusal} in {:?}", String::from_utf8_lossy(&bytes)));
    }
    let _listed = list_markers(&bytes, &[("$set", Standing::Attached), ("$other", Standing::Around)]);
    Ok(())
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(12)).min(bytes.len());
    match random.below(6) {
        0 => {
            bytes.drain(at..end);
        }
        1 => {
            let piece: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(random.below(256)).unwrap_or_default();
            }
        }
        3 => bytes.truncate(at),
        _ => {
            let token = random.pick(&TOKENS, "x");
            bytes.splice(at..at, token.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::play_bytes;

    #[test]
    fn no_change_of_bytes_makes_it_panic_or_write_what_was_not_asked_for() {
        for seed in 0..2000 {
            play_bytes(seed).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}
