//! Patterns of `.gitattributes`, in time that grows with their length and that of the path alone.

/// A pattern that a path below its folder fits or does not.
pub(super) struct Glob {
    parts: Vec<Part>,
    /// Without a slash it is for names in any folder below.
    only_name: bool,
}

enum Part {
    Byte(u8),
    /// `?`: one that is no slash.
    One,
    Set {
        not: bool,
        ranges: Vec<(u8, u8)>,
    },
    /// `*`: any number of those.
    Star,
    /// `**/`: nothing, or folders.
    Folders,
    /// In such folders.
    InFolders,
    /// At least one of anything, and then any number.
    Any,
    Rest,
}

impl Glob {
    /// Takes a pattern; `None` for one that fits no file.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        if pattern.is_empty() || pattern.len() > 4096 || pattern.ends_with('/') {
            return None;
        }
        let only_name = !pattern.contains('/');
        let mut rest = pattern.strip_prefix('/').unwrap_or(pattern).as_bytes();
        let mut parts = Vec::new();
        let mut begins = true;
        while let Some((&byte, more)) = rest.split_first() {
            let began = std::mem::replace(&mut begins, byte == b'/');
            if began && !only_name && rest.starts_with(b"**/") {
                parts.extend([Part::Folders, Part::InFolders]);
                rest = &rest[3..];
                begins = true;
                continue;
            }
            if began && !only_name && rest == b"**" {
                parts.extend([Part::Any, Part::Rest]);
                break;
            }
            rest = more;
            match byte {
                b'*' => parts.push(Part::Star),
                b'?' => parts.push(Part::One),
                b'[' => {
                    let (set, after) = set(more)?;
                    parts.push(set);
                    rest = after;
                }
                b'\\' => {
                    let (&escaped, after) = more.split_first()?;
                    parts.push(Part::Byte(escaped));
                    rest = after;
                }
                _ => parts.push(Part::Byte(byte)),
            }
        }
        Some(Self { parts, only_name })
    }

    /// Whether a path fits.
    pub(super) fn matches(&self, path: &str) -> bool {
        let text = if self.only_name { path.rsplit('/').next().unwrap_or(path) } else { path };
        let mut at = vec![false; self.parts.len() + 1];
        self.reach(&mut at, 0);
        for byte in text.bytes() {
            let mut next = vec![false; at.len()];
            for (index, part) in self.parts.iter().enumerate().filter(|(index, _)| at[*index]) {
                match part {
                    Part::Byte(wanted) if *wanted == byte => self.reach(&mut next, index + 1),
                    Part::One if byte != b'/' => self.reach(&mut next, index + 1),
                    Part::Set { not, ranges } if byte != b'/' => {
                        if ranges.iter().any(|(from, to)| (*from..=*to).contains(&byte)) != *not {
                            self.reach(&mut next, index + 1);
                        }
                    }
                    Part::Star if byte != b'/' => self.reach(&mut next, index),
                    Part::Folders => next[index + 1] = true,
                    Part::InFolders => {
                        next[index] = true;
                        if byte == b'/' {
                            self.reach(&mut next, index + 1);
                        }
                    }
                    Part::Any => self.reach(&mut next, index + 1),
                    Part::Rest => self.reach(&mut next, index),
                    Part::Byte(_) | Part::One | Part::Set { .. } | Part::Star => {}
                }
            }
            at = next;
        }
        at[self.parts.len()]
    }

    /// Marks where one is, and what can be left out from there.
    fn reach(&self, at: &mut [bool], index: usize) {
        if std::mem::replace(&mut at[index], true) {
            return;
        }
        match self.parts.get(index) {
            Some(Part::Star | Part::Rest) => self.reach(at, index + 1),
            Some(Part::Folders) => self.reach(at, index + 2),
            Some(Part::Byte(_) | Part::One | Part::Set { .. } | Part::InFolders | Part::Any) | None => {}
        }
    }
}

/// What is between brackets, and what follows them.
fn set(text: &[u8]) -> Option<(Part, &[u8])> {
    let (not, mut rest) = match text.split_first()? {
        (b'!' | b'^', rest) => (true, rest),
        _ => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        let (&from, more) = rest.split_first()?;
        rest = more;
        if from == b']' && !ranges.is_empty() {
            return Some((Part::Set { not, ranges }, rest));
        }
        match rest {
            [b'-', to, more @ ..] if *to != b']' => {
                ranges.push((from, *to));
                rest = more;
            }
            _ => ranges.push((from, from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_are_read_as_git_reads_them() {
        for (pattern, fits, does_not) in [
            ("*.yaml", &["a.yaml", "a/b.yaml", ".yaml"][..], &["a.yml", "a.yaml/b"][..]),
            ("/*.yaml", &["a.yaml"], &["a/b.yaml"]),
            ("a/*.yaml", &["a/b.yaml"], &["b/a/b.yaml", "a/b/c.yaml"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "b/a/c"]),
            ("**/x", &["x", "a/x", "a/b/x"], &["ax", "x/y"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "ab"]),
            ("?[a-c][!0-9].b", &["xaz.b", "d/xcz.b"], &["xdz.b", "xa1.b", "xa.b"]),
            ("\\*.b", &["*.b"], &["a.b"]),
            ("secrets", &["secrets", "a/secrets"], &["secrets/a"]),
            ("a/", &[], &["a", "a/b"]),
            ("**", &["a", "a/b"], &[]),
            ("x[", &[], &["x["]),
        ] {
            let matches = |path: &str| Glob::new(pattern).is_some_and(|glob| glob.matches(path));
            for path in fits {
                assert!(matches(path), "{pattern} is for {path}");
            }
            for path in does_not {
                assert!(!matches(path), "{pattern} is not for {path}");
            }
        }
        let hostile = "*a".repeat(2000);
        assert!(!Glob::new(&hostile).unwrap().matches(&"a".repeat(1999)));
    }
}
