//! `whimbrel`: reads the command line, and serves.

use std::io::Write;
use std::process::ExitCode;
use whimbrel_server::{cli, start};

fn main() -> ExitCode {
    let options = match cli::read(std::env::args_os()) {
        Ok(options) => options,
        Err(leave) if leave.asked => {
            // A reader that went away has seen enough.
            let _ = write!(std::io::stdout(), "{}", leave.text);
            return ExitCode::SUCCESS;
        }
        Err(leave) => return fail(&leave.text.to_string()),
    };
    match start::configure(&options) {
        Ok(_) => fail("nothing serves yet: the cores are not joined with the reactor\n"),
        Err(error) => fail(&format!("{error}\n")),
    }
}

fn fail(text: &str) -> ExitCode {
    let name = if text.starts_with("error:") { "" } else { "error: " };
    eprint!("{name}{text}");
    ExitCode::FAILURE
}
