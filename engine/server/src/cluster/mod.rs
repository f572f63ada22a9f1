//! `whimbrel cluster`: what an operator does with a running cluster, or with the cores of one process.
//!
//! It is a client like any other: it asks nodes by CLUSTER commands, and holds nothing that a second run would miss. A move
//! is the source's business; whoever watches it may go away and come back.

mod cancel;
mod connection;
mod figures;
mod init;
pub mod options;
mod planner;
mod progress;
mod rebalance;
mod report;
mod slots;
mod status;
mod survey;
mod transfer;

use std::io::Write;

use options::{Action, ClusterOptions};
use survey::Access;

/// Does what the command line asks for.
pub fn run(options: ClusterOptions) -> Result<(), String> {
    let ClusterOptions { node, password, json, action } = options;
    let password = password.or_else(|| std::env::var("WHIMBREL_PASSWORD").ok());
    let access = Access { entry: node, password: password.filter(|password| !password.is_empty()) };
    match action {
        Action::Init { lost, dry_run } => init::run(&access, json, lost, dry_run),
        Action::Status { watch } => status::run(&access, json, watch),
        Action::Move { slots, to, from, dry_run, no_wait } => {
            let order = transfer::Order {
                slots: &slots,
                to: &to,
                from: from.as_deref(),
                is_dry: dry_run,
                waits: !no_wait,
            };
            transfer::run(&access, json, &order)
        }
        Action::Rebalance { by, threshold, nodes, at_once, dry_run } => {
            let order =
                rebalance::Order { by, threshold, nodes: &nodes, at_once: at_once as usize, is_dry: dry_run };
            rebalance::run(&access, json, &order)
        }
        Action::Cancel { name, .. } => cancel::run(&access, json, name.as_deref()),
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // A reader that went away has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot print: {error}")),
        _ => Ok(()),
    }
}
