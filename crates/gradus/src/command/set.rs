//! `gradus set`: changes values in files and leaves every other byte alone.

mod job;

use std::process::ExitCode;

use gradus_edit::{Change, Refusal};

use crate::command::set::job::{Job, Made};
use crate::diff;
use crate::error::CliError;
use crate::files::{Changed, Files, FilesArgs, Wrote};
use crate::output::Printer;
use crate::table::plain;

/// How often it is begun anew when somebody else was faster.
const TRIES: usize = 5;

/// Sets a value, or whatever markers name, and leaves every other byte of the files alone.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gradus set FILE PATH VALUE [OPTIONS]\n       gradus set DIR --promotion NS:PIPELINE:ENV=VERSION... [OPTIONS]\n       gradus set DIR --imagepolicy NS:POLICY=IMAGE[:TAG][@DIGEST]... [OPTIONS]\n       gradus set DIR --image NAME=REF... [OPTIONS]",
    after_help = "PATH is image.tag, a.\"b.c\", containers[name=app].image, list[0], or a JSON pointer: /spec/replicas.\n\nExit codes: 0 done or nothing to do, 1 refused or failed with nothing written, 2 --check found a change, 64 wrong usage."
)]
pub(crate) struct SetArgs {
    /// The file, or the folder below which markers are set.
    #[arg(value_name = "FILE|DIR")]
    place: String,
    /// The way to the value in the file.
    #[arg(requires = "value", conflicts_with_all = ["promotion", "imagepolicy", "image"])]
    path: Option<String>,
    /// What the value becomes. It is text; a number or boolean stays one where it is written in its shortest form.
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
    /// The document of the file: kind, or kind/name, or kind/name.namespace.
    #[arg(long, value_name = "KIND/NAME", requires = "path")]
    select: Option<String>,
    /// Only if the value is this one now, or already what it should become.
    #[arg(long, value_name = "OLD", requires = "path", allow_hyphen_values = true)]
    expect: Option<String>,
    /// Write the key where it is missing, with those around it.
    #[arg(long, requires = "path")]
    create: bool,
    /// Set every value with this marker: {"$promotion": "NS:PIPELINE:ENV"}.
    #[arg(long, value_name = "NS:PIPELINE:ENV=VERSION")]
    promotion: Vec<String>,
    /// Set every value with a marker of this policy: {"$imagepolicy": "NS:POLICY[:tag|:name|:digest]"}.
    #[arg(long, value_name = "NS:POLICY=IMAGE")]
    imagepolicy: Vec<String>,
    /// Set an image wherever a file names it: kustomizations, containers, chart values, Argo CD. REF is a tag, or NAME:TAG@DIGEST.
    #[arg(long, value_name = "NAME=REF", conflicts_with_all = ["promotion", "imagepolicy"])]
    image: Vec<String>,
    /// Show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write nothing, and exit with 2 if something would change.
    #[arg(long)]
    check: bool,
    /// What the commit says.
    #[arg(long, value_name = "TEXT", requires = "repo", help_heading = "In a repository")]
    message: Option<String>,
    #[command(flatten)]
    files: FilesArgs,
}

/// What would be written, and what there is to say of it.
#[derive(Default)]
struct Work {
    changed: Vec<(Changed, Vec<Change>)>,
    /// How many values were named.
    values: usize,
    refused: Vec<String>,
    /// Files and markers that were passed over, and why.
    passed_over: Vec<String>,
}

pub(crate) async fn run(arguments: SetArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let job = Job::of(&arguments)?;
    for _ in 0..TRIES {
        let files = arguments.files.open(&arguments.place).await?;
        let work = work(&job, &files).await?;
        for passed_over in &work.passed_over {
            printer.note(format!("passed over: {passed_over}"));
        }
        if !work.refused.is_empty() {
            for refused in &work.refused {
                printer.error(&CliError::failed(refused.as_str()));
            }
            printer.note("nothing was written");
            return Ok(ExitCode::FAILURE);
        }
        if work.changed.is_empty() {
            printer.line(nothing(&job, &work, &arguments.place));
            return Ok(ExitCode::SUCCESS);
        }
        if arguments.dry_run || arguments.check {
            if arguments.dry_run {
                show(&work, printer);
            } else {
                tell(&work, printer);
            }
            printer.note(format!("{} would change; nothing was written", count(&work)));
            return Ok(if arguments.check { ExitCode::from(2) } else { ExitCode::SUCCESS });
        }
        let message = arguments.message.clone().unwrap_or_else(|| job.message());
        let (changed, changes): (Vec<Changed>, Vec<Vec<Change>>) = work.changed.into_iter().unzip();
        match files.write(&changed, &message).await? {
            Wrote::Done(place) => {
                let changed = changed.into_iter().zip(changes).collect();
                let work = Work { changed, ..Work::default() };
                tell(&work, printer);
                let place = place.map_or_else(String::new, |place| format!(": {place}"));
                printer.note(format!("{} changed{place}", count(&work)));
                return Ok(ExitCode::SUCCESS);
            }
            Wrote::Stale => {}
        }
    }
    Err(CliError::failed(format!("somebody else was faster {TRIES} times; nothing was written"))
        .help("try again"))
}

/// Everything that is to be written, before anything is.
async fn work(job: &Job, files: &Files) -> Result<Work, CliError> {
    let mut work = Work::default();
    let below = match job {
        Job::Value(_) => vec![files.one().await?],
        Job::Markers(_) | Job::Images(_) => files.all(gradus_edit::may_have_markers).await?,
    };
    for file in below {
        match job.make(&file) {
            Ok(Made { edited, values, passed_over }) => {
                work.values += values;
                let told = passed_over.iter().map(|why| in_file(&file.name, why));
                work.passed_over.extend(told);
                if let Some(edited) = edited {
                    work.changed.push((Changed { file, after: edited.bytes }, edited.changes));
                }
            }
            Err(why) if job.is_of_many() && why.is_of_whole_file() => {
                work.passed_over.push(in_file(&file.name, &why));
            }
            Err(why) => work.refused.push(in_file(&file.name, &why)),
        }
    }
    Ok(work)
}

/// A refusal with its file, as `file:line: why`.
fn in_file(name: &str, refusal: &Refusal) -> String {
    plain(&match refusal.place {
        Some(place) => format!("{name}:{}: {}", place.line, refusal.kind),
        None => format!("{name}: {}", refusal.kind),
    })
}

fn nothing(job: &Job, work: &Work, place: &str) -> String {
    match (job, work.values) {
        (Job::Images(_), _) => {
            format!("nothing to do: {} names no such image, or it is so already", plain(place))
        }
        (Job::Markers(_), 0) => format!("nothing to do: no such marker in {}", plain(place)),
        (_, 1) => "nothing to do: the value is so already".to_owned(),
        (_, more) => format!("nothing to do: {more} values are so already"),
    }
}

fn count(work: &Work) -> String {
    let values: usize = work.changed.iter().map(|(_, changes)| changes.len()).sum();
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{} in {}", many(values, "value"), many(work.changed.len(), "file"))
}

/// Each value that changes.
fn tell(work: &Work, printer: &Printer) {
    for (Changed { file, .. }, changes) in &work.changed {
        for Change { place, path, from, to, .. } in changes {
            let (name, line) = (&file.name, place.line);
            printer.line(plain(&format!("{name}:{line}: {path}: {} -> {}", shown(from), shown(to))));
        }
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
}

/// The files as they are and as they would be, line by line.
fn show(work: &Work, printer: &Printer) {
    for (Changed { file, after }, _) in &work.changed {
        let (before, after) = (String::from_utf8_lossy(&file.bytes), String::from_utf8_lossy(after));
        printer.text(diff::toned(&file.name, &before, &after, printer));
    }
}
