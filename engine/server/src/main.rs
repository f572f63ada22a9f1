//! `whimbrel`: reads the command line, and serves, or does what an operator asks of a cluster.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use whimbrel_server::cli::{Options, Request};
use whimbrel_server::{banner, cli, cluster, log, service, start};

fn main() -> ExitCode {
    whimbrel_engine::arena::return_freed_mappings();
    let request = match cli::read(std::env::args_os()) {
        Ok(request) => request,
        Err(leave) if leave.asked => {
            // A reader that went away has seen enough.
            let _ = write!(std::io::stdout(), "{}", leave.text);
            return ExitCode::SUCCESS;
        }
        Err(leave) => return fail(&leave.text.to_string()),
    };
    let outcome = match request {
        Request::Serve(options) => serve(&options),
        Request::Cluster(options) => cluster::run(options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error}\n")),
    }
}

fn serve(options: &Options) -> Result<(), String> {
    let (config, config_file) = start::configure(options)?;
    let logfile = (!config.logfile.is_empty()).then(|| PathBuf::from(&config.logfile));
    let _log = log::start(logfile, config.loglevel).map_err(|error| {
        format!(
            "cannot open `logfile` {}: {error}\n    Give a path that this user may write.",
            config.logfile
        )
    })?;
    let setup = start::prepare(config, config_file, &whimbrel_net::cpus_available())?;
    log::notice(banner::banner(&setup.config, &setup.plan, &setup.kernel));
    service::serve(setup)
}

fn fail(text: &str) -> ExitCode {
    let name = if text.starts_with("error:") { "" } else { "error: " };
    eprint!("{name}{text}");
    ExitCode::FAILURE
}
