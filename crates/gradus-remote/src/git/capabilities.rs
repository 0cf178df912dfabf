//! What a host says it can do, as services announce it before anything else.

use std::collections::BTreeMap;

use super::{
    Limits, ObjectId,
    error::{Fault, Outcome},
    options::Credentials,
    pkt::{Packets, Text},
};
use crate::git::GitErrorKind;

/// What was announced: capabilities, and by an old service also its references.
#[derive(Clone, Debug, Default)]
pub(super) struct Announced {
    pub(super) v2: bool,
    pub(super) words: BTreeMap<String, String>,
    pub(super) refs: Vec<(String, ObjectId)>,
    pub(super) head: Option<String>,
}

impl Announced {
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// Whether a capability names a feature, as `fetch=shallow filter` does.
    pub(super) fn offers(&self, word: &str, feature: &str) -> bool {
        self.words.get(word).is_some_and(|features| features.split(' ').any(|offered| offered == feature))
    }

    pub(super) fn object_format(&self) -> &str {
        self.words.get("object-format").map_or("sha1", String::as_str)
    }

    fn check(self) -> Outcome<Self> {
        self.check_ids().map(|()| self)
    }

    fn check_ids(&self) -> Outcome<()> {
        let format = self.object_format();
        if format == "sha1" {
            return Ok(());
        }
        Err(GitErrorKind::Unsupported(format!("the repository names objects by {format}, only sha1 is read"))
            .into())
    }

    /// Reads the whole announcement of the service that is read from.
    pub(super) async fn read(
        packets: &mut Packets,
        limits: &Limits,
        credentials: &Credentials,
    ) -> Outcome<Self> {
        let mut announced = Self::default();
        let mut first = first_line(packets, credentials).await?;
        if first == Text::Line("version 2".to_owned()) {
            announced.v2 = true;
            while let Text::Line(line) = packets.text(credentials).await? {
                let (word, value) = line.split_once('=').unwrap_or((&line, ""));
                announced.words.insert(word.to_owned(), value.to_owned());
                if announced.words.len() > 1000 {
                    return Err(Fault::protocol("more than 1000 capabilities"));
                }
            }
            return announced.check();
        }
        if first == Text::Line("version 1".to_owned()) {
            first = packets.text(credentials).await?;
        }
        while let Text::Line(line) = first {
            announced.reference(&line)?;
            if announced.refs.len() > limits.refs as usize {
                let limit = limits.refs.into();
                return Err(GitErrorKind::TooLarge { what: "the number of branches and tags", limit }.into());
            }
            first = packets.text(credentials).await?;
        }
        if first == Text::End {
            return Err(Fault::protocol("the list of references is cut off"));
        }
        announced.check()
    }

    /// Reads only the first line of the service that is written to: all its references may follow.
    pub(super) async fn read_first(packets: &mut Packets, credentials: &Credentials) -> Outcome<Self> {
        let mut announced = Self::default();
        let mut first = first_line(packets, credentials).await?;
        if first == Text::Line("version 1".to_owned()) {
            first = packets.text(credentials).await?;
        }
        match first {
            Text::Line(line) => announced.reference(&line)?,
            Text::Flush | Text::Delimiter | Text::End => return Err(Fault::protocol("it announces nothing")),
        }
        announced.check()
    }

    fn reference(&mut self, line: &str) -> Outcome<()> {
        let (line, words) = line.split_once('\0').unwrap_or((line, ""));
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let (word, value) = word.split_once('=').unwrap_or((word, ""));
            if let Some(target) = value.strip_prefix("HEAD:").filter(|_| word == "symref") {
                self.head = Some(target.to_owned());
            }
            self.words.insert(word.to_owned(), value.to_owned());
        }
        // Ids of another length would be taken for no references at all.
        self.check_ids()?;
        if line.starts_with("shallow ") {
            return Ok(());
        }
        let parsed =
            line.split_once(' ').and_then(|(id, name)| Some((ObjectId::from_hex(id.as_bytes())?, name)));
        let Some((id, name)) = parsed else {
            return Err(Fault::protocol("a line that is no reference"));
        };
        // An empty repository announces its capabilities beside no reference at all.
        if id != ObjectId::NONE {
            self.refs.push((name.to_owned(), id));
        }
        Ok(())
    }
}

/// Over HTTP a line that names the service comes first, except from some hosts that speak version 2.
async fn first_line(packets: &mut Packets, credentials: &Credentials) -> Outcome<Text> {
    match packets.text(credentials).await? {
        Text::Line(line) if line.starts_with("# service=") => match packets.text(credentials).await? {
            Text::Flush => packets.text(credentials).await,
            Text::Line(_) | Text::Delimiter | Text::End => {
                Err(Fault::protocol("no flush after the service line"))
            }
        },
        first @ (Text::Line(_) | Text::Flush | Text::Delimiter | Text::End) => Ok(first),
    }
}
