//! `gradus plan`: what would be done now, line by line. Writes nothing.

use std::process::ExitCode;

use gradus_server::api::v1;
use v1::{Mode, StepKind};

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::plan::{Base, PipelinePlan, PlanList, PlannedStep, Problem};
use crate::source::{Source, SourceArgs};
use crate::table::plain;

/// What there is to do.
const SOMETHING_TO_DO: u8 = 2;

/// Shows what would be promoted now, line by line; writes nothing.
///
/// Without --data, what was reported and approved is not known: targets that
/// report then hold what comes after them. A server tells the steps, not the lines.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing to do, 2 something to do (also where `mode` is observe), 1 something could not be looked at."
)]
pub(crate) struct PlanArgs {
    /// Only these pipelines: names, or NAMESPACE/NAME.
    pipelines: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: PlanArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let mut keys = Vec::with_capacity(arguments.pipelines.len());
    for given in &arguments.pipelines {
        keys.push(source.key(given).await?);
    }
    let list = PlanList { items: source.plans(&keys).await? };
    match arguments.format.text(&list)? {
        Some(text) => printer.text(text),
        None => printer.text(told(&list, printer)),
    }
    let mut failed = keys.is_empty() && has_mistakes(&source);
    for plan in &list.items {
        for problem in &plan.problems {
            failed = true;
            printer.error(&told_problem(plan, problem));
        }
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else if list.items.iter().any(|plan| !plan.steps.is_empty()) {
        ExitCode::from(SOMETHING_TO_DO)
    } else {
        ExitCode::SUCCESS
    })
}

/// What could not be looked at, and what to do.
fn told_problem(plan: &PipelinePlan, problem: &Problem) -> CliError {
    let why = plain(&problem.why);
    let error = CliError::failed(match problem.environments.as_slice() {
        [] => format!("{}: {why}", plan.name),
        some => format!("{} in {}: {why}", plan.name, some.join(", ")),
    });
    match (&plan.base, &plan.repository) {
        (None, Some(url)) => error.help(format!("gradus doctor git {url} looks closer")),
        (Some(_), _) if why.starts_with("no marker") => {
            error.help("put it behind the value as a comment, or say where the value is with `edit:`")
        }
        (_, _) => error,
    }
}

fn has_mistakes(source: &Source) -> bool {
    match source {
        Source::Server(_) | Source::Cluster(_) => false,
        Source::Folder(folder) => folder.has_mistakes(),
    }
}

fn told(list: &PlanList, printer: &Printer) -> String {
    let mut text = String::new();
    for plan in &list.items {
        if plan.steps.is_empty() {
            text.push_str(&idle(plan, printer));
        }
        for step in &plan.steps {
            text.push_str(&planned(plan, step, printer));
        }
        text.push('\n');
    }
    text.push_str(&summary(list));
    text
}

/// A pipeline in which nothing is to be done, and what waits in it.
fn idle(plan: &PipelinePlan, printer: &Printer) -> String {
    let name = printer.toned(Tone::Strong, &plan.name);
    let mut text = match plan.mode {
        Mode::Suspended => format!("{name}: suspended, nothing is looked at\n"),
        Mode::Active | Mode::Observe if plan.problems.is_empty() => format!("{name}: nothing to do\n"),
        Mode::Active | Mode::Observe => format!("{name}: not known\n"),
    };
    let width =
        plan.waiting.iter().map(|waiting| waiting.environment.chars().count()).max().unwrap_or_default();
    for waiting in &plan.waiting {
        text.push_str(&format!("  {:<width$}  {}\n", waiting.environment, plain(&waiting.words)));
    }
    if let Some(first) = plan.waiting.first() {
        text.push_str(&format!("  see gradus explain {} {}\n", plan.name, first.environment));
    }
    text
}

fn planned(plan: &PipelinePlan, planned: &PlannedStep, printer: &Printer) -> String {
    let step = &planned.step;
    let (verb, way) = way(step);
    let before = match (step.kind, planned.after.as_slice()) {
        (StepKind::Close, _) | (_, []) => String::new(),
        (_, after) => format!("{} -> ", after.join(", ")),
    };
    let mut text = format!("{}: {before}{}", printer.toned(Tone::Strong, &plan.name), step.environment);
    match (&step.from, &step.to) {
        (Some(from), Some(to)) => text.push_str(&format!("   {from} -> {to}")),
        (None, Some(to)) => text.push_str(&format!("   {to}")),
        (_, None) => {}
    }
    text.push_str(&format!("   {way}\n"));
    let mut file = None;
    for change in &planned.changes {
        let place = (&change.file, change.line);
        if file != Some(place) {
            text.push_str(&format!("  {}:{}\n", change.file, change.line));
            file = Some(place);
        }
        text.push_str(&format!("    {}\n", printer.toned(Tone::Bad, &format!("-{}", plain(&change.before)))));
        text.push_str(&format!("    {}\n", printer.toned(Tone::Good, &format!("+{}", plain(&change.after)))));
    }
    if let (Some(branch), Some(base)) = (&planned.branch, planned.base.as_ref().or(plan.base.as_ref())) {
        text.push_str(&format!("  {verb} {}\n", branch_words(branch, base)));
    }
    if let Some(merged) = &planned.merges {
        let commit = merged.commit.get(..7).unwrap_or(&merged.commit);
        text.push_str(&format!("  merges {commit} of {}\n", merged.environment));
    }
    if let Some(why) = &step.because {
        text.push_str(&format!("  because {why}\n"));
    }
    if plan.mode == Mode::Observe {
        text.push_str("  observe: nothing is written\n");
    }
    text
}

fn branch_words(branch: &str, base: &Base) -> String {
    let commit = base.commit.get(..7).unwrap_or(&base.commit);
    if branch == base.branch {
        format!("{branch} at {commit}")
    } else {
        format!("{branch} from {} at {commit}", base.branch)
    }
}

/// What stands before the branch, and what is done.
fn way(step: &v1::Step) -> (&'static str, String) {
    let number = step.proposal.unwrap_or_default();
    match step.kind {
        StepKind::Push => ("commit on", "push".to_owned()),
        StepKind::Propose => ("branch", "pull request".to_owned()),
        StepKind::Update => ("branch", format!("pull request {number} is updated")),
        StepKind::Merge => ("merge into", format!("pull request {number} is merged")),
        StepKind::Close => ("branch", format!("pull request {number} is closed")),
        StepKind::Dispatch => ("asked for on", "automation is asked".to_owned()),
    }
}

fn summary(list: &PlanList) -> String {
    let of_mode = |mode: Mode| list.items.iter().filter(move |plan| plan.mode == mode);
    let active = of_mode(Mode::Active).map(|plan| plan.steps.len()).sum::<usize>();
    let observed = of_mode(Mode::Observe).map(|plan| plan.steps.len()).sum::<usize>();
    let step = |count: usize| if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
    match (active, observed) {
        (0, 0) if list.items.iter().any(|plan| !plan.problems.is_empty()) => {
            "Nothing to do, as far as is known.\n".to_owned()
        }
        (0, 0) => "Nothing to do.\n".to_owned(),
        (0, observed) => {
            format!("{} would be taken if `mode` were active. Nothing is written.\n", step(observed))
        }
        (active, observed) => {
            let mut names: Vec<&str> = of_mode(Mode::Active)
                .filter(|plan| !plan.steps.is_empty())
                .map(|plan| plan.name.as_str())
                .collect();
            names.dedup();
            let name = match names.as_slice() {
                [only] => (*only).to_owned(),
                _ => "PIPELINE".to_owned(),
            };
            let observed = if observed > 0 {
                format!("{} more where `mode` is observe. ", step(observed))
            } else {
                String::new()
            };
            format!("{} would be taken. {observed}Run gradus promote {name} to do it.\n", step(active))
        }
    }
}
