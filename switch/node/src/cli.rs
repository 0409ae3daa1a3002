//! The command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// An open contact-centre switch.
#[derive(Debug, Parser)]
#[command(name = "cordboard", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the switch.
    Run(ConfigArgs),
    /// Check a configuration and everything it names, without starting anything.
    Check(ConfigArgs),
    /// Show the switch at work: two agents, a trickle of callers, a live page.
    Demo(DemoArgs),
    /// Stop the running switch: no new calls from now on, and an end when those that are up are over.
    Stop(StopArgs),
    /// Questions about routing.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Questions about agents, to the running switch.
    #[command(subcommand)]
    Agent(AgentCommand),
    /// People who administrate.
    #[command(subcommand)]
    User(UserCommand),
    /// Questions about queues, to the running switch.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Print figures of queues, agents, the tenant, trunks or flows, for a spreadsheet or as JSON.
    Report(ReportArgs),
    /// Print the ladder of a call: the messages of its legs and what happened to it.
    Trace(TraceArgs),
    /// For those who write flows.
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Print the OpenAPI document of the control API, for generators of clients.
    Openapi,
    /// Recordings: checked against their manifests, or opened if they are sealed.
    #[command(subcommand)]
    Recording(RecordingCommand),
}

/// What can be done with recordings.
#[derive(Debug, Subcommand)]
pub enum RecordingCommand {
    /// Check files against the manifests beside them: length, hash, and each chunk of those that are sealed.
    Verify(VerifyArgs),
    /// Make a WAV file from a sealed recording.
    Decrypt(DecryptArgs),
}

/// Where keys come from.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The configuration file, whose keys are used if none is given.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
    /// A key: ID=env:NAME or ID=file:PATH. May be given more than once.
    #[arg(long)]
    pub key: Vec<String>,
}

/// Which recordings are checked.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Recordings, or their manifests.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Keys.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// Which recording is opened.
#[derive(Debug, clap::Args)]
pub struct DecryptArgs {
    /// The sealed recording.
    pub file: PathBuf,
    /// The WAV file that is made. It must not be there yet.
    #[arg(short, long)]
    pub out: PathBuf,
    /// Keys.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// For those who write flows.
#[derive(Debug, Subcommand)]
pub enum FlowCommand {
    /// Play the calls that are written beside a flow, in virtual time, without a phone.
    Test(FlowTestArgs),
    /// Draw a flow, its menus and branches, from the calls of its test.
    Graph(FlowGraphArgs),
    /// Take a flow into use at the running switch: a file with the test that stands beside it, or the draft.
    Publish(PublishArgs),
    /// Take an earlier version of a flow into use again.
    Rollback(RollBackArgs),
    /// Make a test of a finished call: what its flow asked for and was answered. Keys that were a secret are replaced.
    Record(RecordArgs),
    /// List the versions of a flow with who published them, when and why.
    Versions(VersionsArgs),
    /// A phone in the terminal: prompts as text, keys as they are typed.
    Run(FlowRunArgs),
}

/// How the running switch is asked; the key is in the variable CORDBOARD_API_KEY.
#[derive(Debug, clap::Args)]
pub struct AskArgs {
    /// Where the switch's HTTP listens, as 127.0.0.1:8080; as the configuration says if left out.
    #[arg(long)]
    pub http: Option<std::net::SocketAddr>,
    /// The configuration file.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
}

/// How the switch is stopped.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    /// End the calls that are up, too, however long they might still go on.
    #[arg(long)]
    pub now: bool,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// What is published.
#[derive(Debug, clap::Args)]
pub struct PublishArgs {
    /// The flow's name in the configuration.
    pub flow: String,
    /// Its Lua file; the draft if left out.
    pub file: Option<PathBuf>,
    /// Its test; the file that ends in .test.toml beside it, if left out and there is one.
    #[arg(long, requires = "file")]
    pub test: Option<PathBuf>,
    /// Why, for the list of versions.
    #[arg(short, long, default_value = "")]
    pub note: String,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// What is gone back to.
#[derive(Debug, clap::Args)]
pub struct RollBackArgs {
    /// The flow's name in the configuration.
    pub flow: String,
    /// The version.
    pub version: u32,
    /// Why, for the list of versions.
    #[arg(short, long, default_value = "")]
    pub note: String,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Of which call a test is made.
#[derive(Debug, clap::Args)]
pub struct RecordArgs {
    /// The id of the call.
    pub call: String,
    /// The flow, by its name in the configuration; the first one that the call ran, if left out.
    #[arg(long)]
    pub flow: Option<String>,
    /// The test file; printed if left out. It must not be there yet.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Whose versions are listed.
#[derive(Debug, clap::Args)]
pub struct VersionsArgs {
    /// The flow's name in the configuration.
    pub flow: String,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Which call is made up.
#[derive(Debug, clap::Args)]
pub struct FlowRunArgs {
    /// The flow's file, as ivr-flows/main-menu.lua.
    pub flow: PathBuf,
    /// Who calls.
    #[arg(long, default_value = "1001")]
    pub from: String,
    /// The number called.
    #[arg(long, default_value = "600")]
    pub to: String,
    /// The tenant's time zone.
    #[arg(long, default_value = "UTC")]
    pub zone: String,
    /// Write what was typed to this file as a test (FLOW.test.toml), or add it to the one that is there.
    #[arg(long)]
    pub save: Option<PathBuf>,
}

/// Which tests are run.
#[derive(Debug, Default, clap::Args)]
pub struct FlowTestArgs {
    /// Files that end in .test.toml, or folders that hold some.
    #[arg(default_value = "ivr-flows")]
    pub paths: Vec<PathBuf>,
    /// Print every step of the calls that went as written, too.
    #[arg(long)]
    pub trace: bool,
    /// Print which lines of the flows ran, and which branches of their menus were taken.
    #[arg(long)]
    pub coverage: bool,
    /// Fail if less of the lines of a flow ran, percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_lines: Option<u8>,
    /// Fail if less of the branches of a flow's menus were taken, percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_branches: Option<u8>,
    /// Write the outcome as JUnit's XML to this file, too.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Which flow is drawn.
#[derive(Debug, clap::Args)]
pub struct FlowGraphArgs {
    /// The flow, beside which its test stands, or the test.
    pub file: PathBuf,
    /// The SVG file; printed if left out.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// The configuration file.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
}

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The configuration file of the demo.
    #[arg(short, long, default_value = "config/demo.toml")]
    pub config: PathBuf,
    /// Simulated callers a minute.
    #[arg(long, default_value_t = 4)]
    pub callers: u32,
}

/// Which figures are printed. What each means is in docs/figures.md.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// What there is a row for: queues, agents, tenant, trunks or flows.
    #[arg(value_parser = ["queues", "agents", "tenant", "trunks", "flows"])]
    pub by: String,
    /// From when: a day of the tenant's zone (2026-03-29), or a date with time and zone; today if left out.
    #[arg(long)]
    pub from: Option<String>,
    /// Until when: the end of a day, or a date with time and zone; now if left out.
    #[arg(long)]
    pub to: Option<String>,
    /// What it is cut into.
    #[arg(long, default_value = "1d", value_parser = ["15m", "1h", "1d", "all"])]
    pub interval: String,
    /// How it is written.
    #[arg(long, default_value = "csv", value_parser = ["csv", "json"])]
    pub format: String,
    /// The file; printed if left out.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Which ladder is printed. The running switch is asked, with the key in the variable CORDBOARD_API_KEY.
#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// The id of a call, or a SIP Call-ID of one of its legs.
    pub call: String,
    /// Print the messages, too.
    #[arg(short, long)]
    pub messages: bool,
    /// Write a capture for tshark or Wireshark to this file instead.
    #[arg(long)]
    pub pcap: Option<PathBuf>,
    /// Where the switch's HTTP listens, as 127.0.0.1:8080; as the configuration says if left out.
    #[arg(long)]
    pub http: Option<std::net::SocketAddr>,
    /// The configuration file.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
}

/// Questions about agents.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Print why an agent is what he is, since when, and what keeps calls from him.
    Explain(WhyArgs),
    /// Set the password of agents at the running switch. Each must change it at his first sign-in.
    Password(PasswordArgs),
    /// Order one agent or many about, and print what became of it agent by agent.
    Order(OrderArgs),
}

/// What can be done with people who administrate.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add one to the database, whether the switch runs or not: the first administrator.
    Add(UserArgs),
}

/// Who is added. His password is read from the standard input, one line.
#[derive(Debug, clap::Args)]
pub struct UserArgs {
    /// The name that he signs in with.
    pub name: String,
    /// What he is, may be given more than once: administrator, supervisor, designer, auditor or operator. Default: administrator, and
    /// operator too in the tenant "default".
    #[arg(long)]
    pub role: Vec<String>,
    /// The name shown to people.
    #[arg(long, default_value = "")]
    pub display: String,
    /// Of which tenant.
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Make a password, show it once, and have it changed at the first sign-in.
    #[arg(long)]
    pub generate: bool,
    /// The configuration file.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
}

/// Whose password is set. It is read from the standard input, one line.
#[derive(Debug, clap::Args)]
pub struct PasswordArgs {
    /// Numbers of agents; all get the same.
    #[arg(required_unless_present = "hash", conflicts_with = "hash")]
    pub agents: Vec<String>,
    /// Print what password_hash of the configuration takes, and set nothing.
    #[arg(long)]
    pub hash: bool,
    /// How the switch is asked.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// What is ordered, and of whom.
#[derive(Debug, clap::Args)]
pub struct OrderArgs {
    /// What they are to be.
    #[arg(value_parser = ["sign-in", "sign-out", "ready", "not-ready", "rest"])]
    pub order: String,
    /// Agents, by their names in the configuration.
    #[arg(required_unless_present = "range", conflicts_with = "range")]
    pub agents: Vec<String>,
    /// All agents from one number to another, as 1000-1099.
    #[arg(long)]
    pub range: Option<String>,
    /// Why, for not-ready and rest.
    #[arg(long)]
    pub reason: Option<String>,
    /// Seconds after which who rests is reminded.
    #[arg(long)]
    pub limit: Option<u64>,
    /// The supervisor in whose name it is ordered.
    #[arg(long)]
    pub by: Option<String>,
    /// The switch.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Questions about queues.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Print who waits in which order and why, who would take the next caller, and why not the others.
    Explain(WhyArgs),
}

/// Who or what is explained.
#[derive(Debug, clap::Args)]
pub struct WhyArgs {
    /// Its name in the configuration.
    pub name: String,
    /// How the switch is asked.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Questions about routing.
#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    /// Print every plugin asked, what it said and why, for a call that is not made.
    Explain(ExplainArgs),
}

/// Which call is explained.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Who calls: a number or an account; `trunk:NAME` before a `/` says by which trunk (`trunk:acme/+4930123`).
    pub from: String,
    /// What is dialled.
    pub to: String,
    /// When, as 2026-12-24T19:00 in the tenant's zone; now if left out.
    #[arg(long)]
    pub at: Option<String>,
    /// The tenant.
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// The configuration file.
    #[arg(short, long, default_value = "config/cordboard.toml")]
    pub config: PathBuf,
}
