//! What must be true, whatever happened.

use gradus_core::pipeline::Merge;
use gradus_engine::fake::sketch;
use gradus_remote::forge::{Pull, PullState};

pub(super) struct Judge {
    merge: Merge,
    /// How many versions were brought: `1.0.0`, `1.1.0` and so on, each of which works in staging.
    brought: u64,
    /// Where prod was when it was last looked at.
    prod: u64,
    /// The version of which a person said no, if it is the last.
    declined: Option<String>,
    /// A person works on the branch.
    theirs: bool,
    merged: usize,
    closed: usize,
    deleted: usize,
    races: usize,
}

impl Judge {
    pub(super) fn new(merge: Merge) -> Self {
        let (brought, prod, declined, theirs) = (0, 0, None, false);
        Self { merge, brought, prod, declined, theirs, merged: 0, closed: 0, deleted: 0, races: 0 }
    }

    /// The next version.
    pub(super) fn brings(&mut self) -> String {
        self.brought += 1;
        format!("1.{}.0", self.brought)
    }

    pub(super) fn raced(&mut self) {
        self.races += 1;
    }

    pub(super) fn person_merged(&mut self) {
        (self.merged, self.theirs) = (self.merged + 1, false);
    }

    pub(super) fn person_closed(&mut self, version: Option<String>) {
        (self.closed, self.declined) = (self.closed + 1, version);
    }

    pub(super) fn person_pushed(&mut self) {
        self.theirs = true;
    }

    pub(super) fn person_deleted(&mut self) {
        (self.deleted, self.theirs) = (self.deleted + 1, false);
    }

    /// What main says of prod now.
    pub(super) fn looks(&mut self, main: &str) -> Result<(), String> {
        let version = sketch::version_in(main).ok_or("prod's file has no version")?;
        let number = |version: &str| version.strip_prefix("1.")?.strip_suffix(".0")?.parse::<u64>().ok();
        let now = number(version).ok_or_else(|| format!("{version} was never brought"))?;
        if now > self.brought {
            return Err(format!("{version} was never brought"));
        }
        if now < self.prod {
            return Err(format!("prod went back from 1.{}.0 to {version}", self.prod));
        }
        if main.contains("# mine") && self.merged == 0 {
            return Err("what a person pushed was merged, and no person did".to_owned());
        }
        if now > self.prod && self.merge == Merge::Person && self.merged == 0 {
            return Err(format!("{version} was merged, and no person did"));
        }
        self.prod = now;
        Ok(())
    }

    /// When everything has come to rest.
    pub(super) fn ends(&self, main: &str, branch: Option<&str>, pulls: &[Pull]) -> Result<(), String> {
        let open: Vec<&Pull> = pulls.iter().filter(|pull| pull.state == PullState::Open).collect();
        if open.len() > 1 {
            return Err(format!("{} proposals are open", open.len()));
        }
        let closed = pulls.iter().filter(|pull| matches!(pull.state, PullState::Closed { .. })).count();
        if closed > self.closed + self.deleted + self.races {
            return Err(format!("{closed} proposals were closed: {pulls:?}"));
        }
        let latest = format!("1.{}.0", self.brought);
        let prod = sketch::version_in(main).unwrap_or_default();
        let is_declined = self.declined.as_deref() == Some(&*latest);
        if prod == latest {
            return if open.is_empty() {
                Ok(())
            } else {
                Err("it is there, and is proposed still".to_owned())
            };
        }
        if is_declined {
            return if open.is_empty() { Ok(()) } else { Err(format!("a no to {latest} was passed over")) };
        }
        match (open.first(), self.merge) {
            (Some(_), _) if self.theirs => Ok(()),
            (Some(_), Merge::Person) if branch == Some(&*latest) => Ok(()),
            (Some(pull), _) => Err(format!("{latest} waits in {pull:?}, whose branch has {branch:?}")),
            // A branch that is theirs stays as it is, also without a proposal.
            (None, _) if self.theirs => Ok(()),
            (None, _) => Err(format!("{latest} is lost: prod has {prod}")),
        }
    }
}
