//! The people of the demo, and what they see.
//!
//! They look at how things are and do what is next, as people do: nothing here
//! remembers what was done before, so the story goes on after any interruption.

use std::time::Duration;

use gradus_server::api::v1::{self, Health};
use tokio::time::Instant;

use super::fleet::Fleet;
use super::gitea::Manager;
use super::{BAD, FIRST, GOOD, PIPELINE};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Printer, Tone};

/// How often the people look.
const LOOK: Duration = Duration::from_millis(100);
/// How often somebody who waits for an effect does the same thing again.
const AGAIN: Duration = Duration::from_secs(2);

/// The people of the demo.
pub(crate) struct Story<'a> {
    pub(crate) fleet: &'a Fleet,
    /// Somebody who may approve.
    pub(crate) approver: Approver<'a>,
    /// Somebody who may ask for anything.
    pub(crate) operator: &'a Client,
    pub(crate) printer: Option<&'a Printer>,
    /// Whether a person at the terminal approves instead.
    pub(crate) pause: bool,
    /// How long anything may take.
    pub(crate) patience: Duration,
}

/// Where somebody says yes.
#[derive(Clone, Copy)]
pub(crate) enum Approver<'a> {
    /// To gradus.
    Here(&'a Client),
    /// In the forge, where they also merge.
    InForge(&'a Manager),
}

impl Story<'_> {
    /// Tells the whole story.
    pub(crate) async fn tell(&self) -> Result<(), CliError> {
        self.until("every environment is looked at and healthy", |it| {
            ["dev", "staging", "prod"].iter().all(|name| is_healthy(it, name, FIRST))
        })
        .await?;
        self.a_good_release().await?;
        self.gap();
        self.a_bad_release().await?;
        self.gap();
        self.the_way_back().await
    }

    /// 6.5.1 goes from dev to staging by rule, soaks, waits for a yes, and reaches prod.
    async fn a_good_release(&self) -> Result<(), CliError> {
        let commit = self.release(GOOD).await?;
        self.say(&format!("{GOOD} arrived in dev{:26}commit {commit}", ""));
        self.until("dev is healthy", |it| is_healthy(it, "dev", GOOD)).await?;
        self.say(&format!("dev healthy at {GOOD}"));
        let it = self.until("staging gets it", |it| declares(it, "staging", GOOD)).await?;
        self.say(&format!(
            "promoted to staging{:26}commit {} (rule: healthy in dev)",
            "",
            commit_of(&it, "staging")
        ));
        self.until("staging is healthy", |it| is_healthy(it, "staging", GOOD)).await?;
        self.say(&format!("staging healthy at {GOOD}, soaking 3s"));
        let it = self
            .until("it is proposed for prod", |it| {
                proposal(it, "prod").is_some() || declares(it, "prod", GOOD)
            })
            .await?;
        let number = proposal(&it, "prod").unwrap_or(1);
        self.say(&format!("proposed for prod{:28}proposal {number}, waits for approval", ""));
        if let (Approver::InForge(_), Some(url)) = (self.approver, address(&it, "prod")) {
            self.say(&format!("  where it is reviewed: {url}"));
        }
        let it = self.approve(number).await?;
        let by =
            if self.pause { "approved".to_owned() } else { "approved by demo (release-managers)".to_owned() };
        self.say(&format!("{by}, merged{:3}commit {}", "", commit_of(&it, "prod")));
        self.until("prod is healthy", |it| is_healthy(it, "prod", GOOD)).await?;
        self.say(&format!("prod healthy at {GOOD}"));
        self.cleared_up().await
    }

    /// 6.6.0 is fine in dev, and its upgrade fails in staging while the Kustomization is green.
    async fn a_bad_release(&self) -> Result<(), CliError> {
        let commit = self.release(BAD).await?;
        self.say(&format!("{BAD} arrived in dev{:26}commit {commit}", ""));
        self.until("dev is healthy", |it| is_healthy(it, "dev", BAD)).await?;
        let it = self.until("staging gets it", |it| declares(it, "staging", BAD)).await?;
        self.say(&format!(
            "dev healthy at {BAD}; promoted to staging{:5}commit {}",
            "",
            commit_of(&it, "staging")
        ));
        self.until("the upgrade in staging fails and is rolled back", |it| {
            let failed = health(it, "staging") == Some(Health::Failed);
            failed && running(it, "staging").as_deref() == Some(GOOD)
        })
        .await?;
        self.say(&format!("staging failed at {BAD}: the Helm upgrade failed and was rolled back to {GOOD}"));
        self.say(
            "  the Kustomization is green all the while: it says that the manifest was applied, no more",
        );
        let it = self.until("prod is looked at", |it| health(it, "prod") == Some(Health::Healthy)).await?;
        if !declares(&it, "prod", GOOD) {
            return Err(CliError::failed(format!("prod left {GOOD}, which no rule allows")));
        }
        self.say(&format!("prod stays at {GOOD}. gradus explain podinfo prod says:"));
        self.explain("prod").await
    }

    /// Somebody takes staging back to what worked.
    async fn the_way_back(&self) -> Result<(), CliError> {
        let back = v1::Rollback {
            environment: "staging".to_owned(),
            version: Some(GOOD.to_owned()),
            reason: Some(format!("{BAD} does not come up")),
            emergency: false,
            dry_run: false,
        };
        let path = format!("/api/v1/pipelines/{PIPELINE}/rollback");
        let mut last = None;
        let it = self
            .nudged(
                "staging goes back",
                |it| declares(it, "staging", GOOD),
                async || {
                    if last.is_none_or(|at: Instant| at.elapsed() >= AGAIN) {
                        last = Some(Instant::now());
                        let _asked_again: Result<v1::Asked, CliError> =
                            self.operator.post(&path, &back).await;
                    }
                },
            )
            .await?;
        self.say(&format!(
            "rolled back staging to {GOOD}, as ada asked{:3}commit {}",
            "",
            commit_of(&it, "staging")
        ));
        self.until("staging is healthy again", |it| is_healthy(it, "staging", GOOD)).await?;
        self.say(&format!("staging healthy at {GOOD}; {BAD} does not come again by itself:"));
        self.explain("staging").await
    }

    /// What was merged leaves no branch behind.
    async fn cleared_up(&self) -> Result<(), CliError> {
        let Approver::InForge(_) = self.approver else { return Ok(()) };
        let begun = Instant::now();
        while self.fleet.branches()? != ["main"] {
            if begun.elapsed() > self.patience {
                return Err(CliError::failed("the branch of what was merged is still there"));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.say("the branch of the pull request is gone");
        Ok(())
    }

    async fn approve(&self, number: u64) -> Result<v1::Pipeline, CliError> {
        match self.approver {
            Approver::Here(client) if self.pause => {
                self.say("your turn: approve it from another terminal, with");
                self.say(&format!(
                    "  gradus approve podinfo --to prod --version {GOOD} --server {}",
                    client.base()
                ));
            }
            Approver::InForge(_) if self.pause => self.say("your turn: approve it there, and merge it"),
            Approver::Here(_) | Approver::InForge(_) => {}
        }
        let yes = v1::Approve { environment: "prod".to_owned(), version: Some(GOOD.to_owned()) };
        let path = format!("/api/v1/pipelines/{PIPELINE}/approve");
        let mut last = None;
        self.nudged(
            "prod gets it",
            |it| declares(it, "prod", GOOD),
            async || {
                if !self.pause && last.is_none_or(|at: Instant| at.elapsed() >= AGAIN) {
                    last = Some(Instant::now());
                    match self.approver {
                        Approver::Here(client) => {
                            let _said_again: Result<v1::Asked, CliError> = client.post(&path, &yes).await;
                        }
                        // It may not be ready to be merged.
                        Approver::InForge(manager) => drop(manager.let_in(number).await),
                    }
                }
            },
        )
        .await
    }

    async fn release(&self, version: &'static str) -> Result<String, CliError> {
        let fleet = self.fleet.clone();
        let pushed = tokio::task::spawn_blocking(move || fleet.release(version)).await;
        let commit = pushed.map_err(|error| CliError::because("releasing to dev", error))??;
        Ok(commit.get(..7).unwrap_or(&commit).to_owned())
    }

    async fn until(
        &self,
        what: &str,
        is_so: impl Fn(&v1::Pipeline) -> bool,
    ) -> Result<v1::Pipeline, CliError> {
        self.nudged(what, is_so, async || {}).await
    }

    /// Looks until it is so, and does something about it between looks.
    async fn nudged(
        &self,
        what: &str,
        is_so: impl Fn(&v1::Pipeline) -> bool,
        mut nudge: impl AsyncFnMut(),
    ) -> Result<v1::Pipeline, CliError> {
        let patient = if self.pause { Duration::from_secs(3600) } else { self.patience };
        let begun = Instant::now();
        let mut last: Option<v1::Pipeline> = None;
        loop {
            match self.operator.get::<v1::Pipeline>(&format!("/api/v1/pipelines/{PIPELINE}")).await {
                Ok(it) if is_so(&it) => return Ok(it),
                Ok(it) => last = Some(it),
                // The server may be away for a moment.
                Err(_) => {}
            }
            if begun.elapsed() > patient {
                let seen = last.map_or_else(|| "the server did not answer".to_owned(), |it| summary(&it));
                return Err(CliError::failed(format!("waited {} s until {what}: {seen}", patient.as_secs())));
            }
            nudge().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn explain(&self, environment: &str) -> Result<(), CliError> {
        let Some(printer) = self.printer else { return Ok(()) };
        let path = format!("/api/v1/pipelines/{PIPELINE}/explain?environment={environment}");
        let explanation: v1::Explanation = self.operator.get(&path).await?;
        printer.line("");
        for line in explanation.text.lines() {
            printer.line(format!("      {line}").trim_end());
        }
        Ok(())
    }

    fn say(&self, text: &str) {
        if let Some(printer) = self.printer {
            let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
            printer.line(format!("  {}  {text}", printer.toned(Tone::Dim, &now)));
        }
    }

    fn gap(&self) {
        if let Some(printer) = self.printer {
            printer.line("");
        }
    }
}

fn find<'a>(it: &'a v1::Pipeline, environment: &str) -> Option<&'a v1::Environment> {
    it.environments.iter().find(|here| here.name == environment)
}

fn version(release: Option<&v1::Release>) -> Option<String> {
    release.map(ToString::to_string)
}

fn declares(it: &v1::Pipeline, environment: &str, wanted: &str) -> bool {
    find(it, environment).and_then(|here| version(here.declared.as_ref())).as_deref() == Some(wanted)
}

fn health(it: &v1::Pipeline, environment: &str) -> Option<Health> {
    find(it, environment).map(|here| here.verdict.health)
}

fn running(it: &v1::Pipeline, environment: &str) -> Option<String> {
    find(it, environment).and_then(|here| version(here.running.as_ref()))
}

fn is_healthy(it: &v1::Pipeline, environment: &str, wanted: &str) -> bool {
    declares(it, environment, wanted) && health(it, environment) == Some(Health::Healthy)
}

fn proposal(it: &v1::Pipeline, environment: &str) -> Option<u64> {
    find(it, environment).and_then(|here| here.proposal.as_ref()).map(|proposal| proposal.number)
}

fn address(it: &v1::Pipeline, environment: &str) -> Option<String> {
    find(it, environment).and_then(|here| here.proposal.as_ref()).and_then(|proposal| proposal.url.clone())
}

fn commit_of(it: &v1::Pipeline, environment: &str) -> String {
    let commit =
        find(it, environment).and_then(|here| here.origin.as_ref()).map(|origin| origin.commit.as_str());
    commit.and_then(|commit| commit.get(..7)).unwrap_or("?").to_owned()
}

fn summary(it: &v1::Pipeline) -> String {
    let rows = it.environments.iter().map(|here| {
        let has = version(here.declared.as_ref()).unwrap_or_else(|| "-".to_owned());
        format!("{} {has} {}: {}", here.name, here.verdict.health.word(), here.words)
    });
    rows.collect::<Vec<_>>().join("; ")
}
