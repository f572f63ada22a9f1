//! `whimbrel-bench load`: fills when asked to, runs, and prints.

use std::io::{self, Write};

use crate::load::options::{LoadOptions, check};
use crate::load::plan::LoadError;
use crate::load::run::{Edge, run};
use crate::machine::schedstat::CpuTime;

/// Why the command failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadCommandError {
    /// The options make no sense together: change them.
    Options(&'static str),
    /// The run failed.
    Run(LoadError),
    /// The report could not be printed.
    Print(io::Error),
}

impl std::fmt::Display for LoadCommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options(reason) => f.write_str(reason),
            Self::Run(error) => write!(f, "{error}"),
            Self::Print(error) => write!(f, "cannot print: {error}"),
        }
    }
}

impl std::error::Error for LoadCommandError {}

impl From<io::Error> for LoadCommandError {
    fn from(error: io::Error) -> Self {
        Self::Print(error)
    }
}

impl From<LoadError> for LoadCommandError {
    fn from(error: LoadError) -> Self {
        Self::Run(error)
    }
}

/// Runs the command and prints its report to `out`.
pub fn load(options: &LoadOptions, out: &mut dyn Write) -> Result<(), LoadCommandError> {
    check(options).map_err(LoadCommandError::Options)?;
    if options.fill || options.fill_only {
        let report = run(&options.fill_plan(), &mut |_| {})?;
        if options.fill_only && options.json {
            return Ok(writeln!(
                out,
                "{}",
                serde_json::to_string_pretty(&report).map_err(io::Error::other)?
            )?);
        }
        if !options.json {
            writeln!(out, "filled       {} keys in {:.2} s", report.operations, report.seconds)?;
            if let Some(error) = &report.first_error {
                writeln!(out, "fill errors  {}, the first: {error}", report.errors)?;
            }
        }
        if options.fill_only {
            return Ok(());
        }
    }
    let (mut before, mut cpu_ns) = (None, None);
    let report = run(&options.plan(), &mut |edge| {
        let Some(Ok(time)) = options.server_pid.map(CpuTime::of_process) else { return };
        match edge {
            Edge::Start => before = Some(time),
            Edge::End => cpu_ns = before.as_ref().map(|before| time.since(before).ran_ns),
        }
    })?;
    let per_operation = cpu_ns.map(|ns| ns as f64 / report.operations.max(1) as f64);
    if options.json {
        let mut value = serde_json::to_value(&report).map_err(io::Error::other)?;
        if let Some(ns) = per_operation {
            value["server_cpu_ns_per_operation"] = ns.into();
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&value).map_err(io::Error::other)?)?;
    } else {
        writeln!(out, "{}", report.text())?;
        if let Some(ns) = per_operation {
            writeln!(out, "server       {ns:.0} CPU ns per operation")?;
        }
    }
    Ok(())
}
