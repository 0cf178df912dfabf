//! The commands and what is common to them.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use tokio::runtime::Handle;

use crate::command;
use crate::error::CliError;
use crate::output::{Printer, log_to_stderr};
use crate::traces::Traces;

/// A release earns its way from dev to staging to prod, as commits in your Git repository.
#[derive(Debug, Parser)]
#[command(name = "gradus", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do, 1 failed, 2 something to do (plan), 64 wrong usage."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalArgs {
    /// Say more; twice for everything.
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Say only what was asked for, and errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, env = "GRADUS_COLOR")]
    pub(crate) color: ColorWhen,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a release walk from dev to staging to prod, in a repository made for it.
    Demo(command::demo::DemoArgs),
    /// Run: watch repositories and targets, promote, and answer over HTTP.
    Serve(command::serve::ServeArgs),
    /// Run in a cluster: watch its objects, promote, and write what was found into their status.
    Controller(Box<command::controller::ControllerArgs>),
    Init(command::init::InitArgs),
    Lint(command::lint::LintArgs),
    Find(Box<command::find::FindArgs>),
    Set(command::set::SetArgs),
    Markers(command::markers::MarkersArgs),
    Plan(command::plan::PlanArgs),
    Status(command::status::StatusArgs),
    Get(command::get::GetArgs),
    Overview(command::overview::OverviewArgs),
    Tree(command::tree::TreeArgs),
    Explain(command::explain::ExplainArgs),
    Promote(command::promote::PromoteArgs),
    Approve(command::approve::ApproveArgs),
    Rollback(command::rollback::RollbackArgs),
    Hold(command::hold::HoldArgs),
    Unhold(command::hold::UnholdArgs),
    Report(command::report::ReportArgs),
    Proposals(command::proposals::ProposalsArgs),
    Notify(command::notify::NotifyArgs),
    Comment(command::comment::CommentArgs),
    History(command::history::HistoryArgs),
    Doctor(command::doctor::DoctorArgs),
    Token(command::token::TokenArgs),
    Ledger(command::ledger::LedgerArgs),
    Migrate(command::migrate::MigrateArgs),
    Schema(command::schema::SchemaArgs),
    Crds(command::crds::CrdsArgs),
    Completions(command::completions::CompletionsArgs),
    Man(command::man::ManArgs),
    Reference(command::reference::ReferenceArgs),
}

/// Parses the command line, runs the command and says how it went.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(under_its_name(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and clap knows where each belongs.
            let _closed_pipe = error.print();
            return if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    let printer = Printer::new(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&CliError::because("starting", error));
            return ExitCode::from(1);
        }
    };
    let traces = log(&cli, runtime.handle());
    let outcome = runtime.block_on(run(cli, &printer));
    traces.end();
    // What still runs in the background must not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            printer.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Begins to log, and for commands that run on and on to trace where the environment asks for it.
fn log(cli: &Cli, runtime: &Handle) -> Traces {
    let is_service = matches!(cli.command, Command::Serve(_) | Command::Controller(_));
    let (traces, layer, why_not) =
        if is_service { Traces::begin(runtime) } else { (Traces::off(), None, None) };
    if let Command::Controller(controller) = &cli.command {
        command::controller::logs::log(&controller.log, layer);
    } else {
        log_to_stderr(&cli.global, layer);
    }
    if let Some(why) = why_not {
        tracing::warn!(why, "there are no traces");
    }
    traces
}

/// The arguments, with the command that the program's name stands for: in an image
/// that takes the place of an older controller it is called `manager`.
fn under_its_name(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let name = arguments.first().and_then(|program| Path::new(program).file_stem()?.to_str());
    let asks_itself = arguments.get(1).is_some_and(|first| first == "controller");
    if name == Some("manager") && !asks_itself {
        arguments.insert(1, OsString::from("controller"));
    }
    arguments
}

async fn run(cli: Cli, printer: &Printer) -> Result<ExitCode, CliError> {
    match cli.command {
        Command::Demo(arguments) => command::demo::run(arguments, printer).await,
        Command::Serve(arguments) => command::serve::run(arguments, printer).await,
        Command::Controller(arguments) => command::controller::run(*arguments, printer).await,
        Command::Init(arguments) => command::init::run(arguments, printer).await,
        Command::Lint(arguments) => command::lint::run(arguments, printer).await,
        Command::Find(arguments) => command::find::run(*arguments, printer).await,
        Command::Set(arguments) => command::set::run(arguments, printer).await,
        Command::Markers(arguments) => command::markers::run(arguments, printer).await,
        Command::Plan(arguments) => command::plan::run(arguments, printer).await,
        Command::Status(arguments) => command::status::run(arguments, printer).await,
        Command::Get(arguments) => command::get::run(arguments, printer).await,
        Command::Overview(arguments) => command::overview::run(arguments, printer).await,
        Command::Tree(arguments) => command::tree::run(arguments, printer).await,
        Command::Explain(arguments) => command::explain::run(arguments, printer).await,
        Command::Promote(arguments) => command::promote::run(arguments, printer).await,
        Command::Approve(arguments) => command::approve::run(arguments, printer).await,
        Command::Rollback(arguments) => command::rollback::run(arguments, printer).await,
        Command::Hold(arguments) => command::hold::hold(arguments, printer).await,
        Command::Unhold(arguments) => command::hold::unhold(arguments, printer).await,
        Command::Report(arguments) => command::report::run(arguments, printer).await,
        Command::Notify(arguments) => command::notify::run(arguments, printer).await,
        Command::Comment(arguments) => command::comment::run(arguments, printer).await,
        Command::Proposals(arguments) => command::proposals::run(arguments, printer).await,
        Command::History(arguments) => command::history::run(arguments, printer).await,
        Command::Doctor(arguments) => command::doctor::run(arguments, printer).await,
        Command::Token(arguments) => command::token::run(arguments, printer).await,
        Command::Ledger(arguments) => command::ledger::run(arguments, printer).await,
        Command::Migrate(arguments) => command::migrate::run(arguments, printer).await,
        Command::Schema(arguments) => command::schema::run(arguments, printer).await,
        Command::Crds(arguments) => command::crds::run(arguments, printer).await,
        Command::Completions(arguments) => command::completions::run(arguments, printer).await,
        Command::Man(arguments) => command::man::run(arguments, printer).await,
        Command::Reference(arguments) => command::reference::run(arguments, printer).await,
    }
}

/// Reads a time such as `30s` or `5m`.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|error| format!("{error}; write it like 30s or 5m"))?;
    std::time::Duration::try_from(span).map_err(|_| "it must not be negative".to_owned())
}
