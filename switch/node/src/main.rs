//! The binary `cordboard`.

use clap::Parser;
use cordboard_api::state::ApiConfig;
use cordboard_node::cli::{
    AgentCommand, Cli, Command, ConfigArgs, FlowCommand, PasswordArgs, QueueCommand, RecordingCommand,
    RouteCommand, UserCommand,
};
use cordboard_node::clock::Clock;
use cordboard_node::config::Loaded;
use cordboard_node::flows::command as flows;
use cordboard_node::recordings::tool;
use cordboard_node::run::start_served;
use cordboard_node::{
    agent_order, demo, explain, flow_graph, flow_run, flow_test, hashing, lines, password, reload,
    report_command, stop, trace, user_command, why,
};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let clock = Clock::start();
    // The one provider that is compiled in. Refused only if it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Run(args) => run(&args, clock),
        Command::Check(args) => check(&args),
        Command::Demo(args) => demo::run(&args, clock),
        Command::Stop(args) => {
            read(&args.ask.config).and_then(|loaded| stop::stop(&args, &loaded)).map(|text| print!("{text}"))
        }
        Command::Route(RouteCommand::Explain(args)) => read(&args.config)
            .and_then(|loaded| explain::explain(&args, &loaded))
            .map(|text| print!("{text}")),
        Command::Agent(AgentCommand::Explain(args)) => read(&args.ask.config)
            .and_then(|loaded| why::explain("agents", &args, &loaded))
            .map(|text| print!("{text}")),
        Command::Agent(AgentCommand::Order(args)) => read(&args.ask.config)
            .and_then(|loaded| agent_order::order(&args, &loaded))
            .map(|text| print!("{text}")),
        Command::Agent(AgentCommand::Password(args)) => agent_password(&args).map(|text| print!("{text}")),
        Command::User(UserCommand::Add(args)) => read(&args.config)
            .and_then(|loaded| user_command::add(&args, &loaded))
            .map(|text| print!("{text}")),
        Command::Queue(QueueCommand::Explain(args)) => read(&args.ask.config)
            .and_then(|loaded| why::explain("queues", &args, &loaded))
            .map(|text| print!("{text}")),
        Command::Report(args) => {
            read(&args.ask.config).and_then(|loaded| report_command::report(&args, &loaded))
        }
        Command::Trace(args) => read(&args.config).and_then(|loaded| trace::trace(&args, &loaded)),
        Command::Recording(RecordingCommand::Verify(args)) => {
            tool::verify(&args).map(|text| print!("{text}"))
        }
        Command::Recording(RecordingCommand::Decrypt(args)) => {
            tool::decrypt(&args).map(|text| print!("{text}"))
        }
        Command::Openapi => serde_json::to_string_pretty(cordboard_api::openapi::document())
            .map(|text| println!("{text}"))
            .map_err(|why| why.to_string()),
        Command::Flow(command) => flow(command).map(|text| print!("{text}")),
    };
    lines::flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn agent_password(args: &PasswordArgs) -> Result<String, String> {
    let typed = password::typed()?;
    match args.hash {
        true => hashing::new_hash(&typed).map(|hash| format!("{hash}\n")),
        false => read(&args.ask.config).and_then(|loaded| password::set(args, &typed, &loaded)),
    }
}

fn flow(command: FlowCommand) -> Result<String, String> {
    match command {
        FlowCommand::Run(args) => {
            // It speaks while it runs.
            let (mut typed, mut shown) = (std::io::stdin().lock(), std::io::stdout().lock());
            flow_run::run(&args, &mut typed, &mut shown).map(|()| String::new())
        }
        FlowCommand::Test(args) => flow_test::test(&args),
        FlowCommand::Graph(args) => flow_graph::graph(&args),
        FlowCommand::Publish(args) => {
            read(&args.ask.config).and_then(|loaded| flows::publish(&args, &loaded))
        }
        FlowCommand::Rollback(args) => {
            read(&args.ask.config).and_then(|loaded| flows::roll_back(&args, &loaded))
        }
        FlowCommand::Record(args) => read(&args.ask.config).and_then(|loaded| flows::record(&args, &loaded)),
        FlowCommand::Versions(args) => {
            read(&args.ask.config).and_then(|loaded| flows::versions(&args, &loaded))
        }
    }
}

/// Reads a configuration; every fault is a line.
fn read(path: &Path) -> Result<Loaded, String> {
    reload::read(path).map_err(|errors| {
        let mut lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let count = lines.len();
        lines.push(format!("{count} fault{} in the configuration", if count == 1 { "" } else { "s" }));
        lines.join("\n")
    })
}

fn check(args: &ConfigArgs) -> Result<(), String> {
    let loaded = read(&args.config)?;
    println!("{}: {}", args.config.display(), loaded.summary());
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    for (flow, home) in &loaded.flows {
        if let Some(why) = &home.broken {
            println!("flow {flow} was published and cannot run any more, which costs its own callers: {why}");
        }
    }
    if !loaded.aside.is_empty() {
        let line = |why: &String| format!("{why}; the switch would start without it");
        return Err(loaded.aside.values().map(line).collect::<Vec<_>>().join("\n"));
    }
    if let Some(told) = explain::cases::run(&args.config, &loaded)? {
        println!("{told}");
    }
    Ok(())
}

fn run(args: &ConfigArgs, clock: Clock) -> Result<(), String> {
    let loaded = read(&args.config)?;
    cordboard_node::log::start(loaded.machine.log.level);
    let runtime = cordboard_node::runtime()?;
    runtime.block_on(async {
        let served = start_served(args.config.clone(), loaded, clock, ApiConfig::default());
        let mut served = served.await.map_err(|why| why.to_string())?;
        println!("{}", served.ready_line());
        served.wait().await.map_err(|why| why.to_string())?;
        served.stop().await;
        Ok(())
    })
}
