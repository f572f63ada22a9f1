//! `whimbrel-bench figure`: reads results and writes the drawing.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::figure::chart::Chart;
use crate::scenario::results::{Results, SCHEMA};
use crate::scenario::rows::CLIENTS;

/// Draws CPU time per operation from results of scenarios.
#[derive(Args, Clone, Debug)]
pub struct FigureOptions {
    /// JSON files of scenarios, usually of P1, P2 and P3.
    #[arg(required = true)]
    pub results: Vec<PathBuf>,
    /// Where the SVG goes.
    #[arg(long, short)]
    pub out: PathBuf,
    /// Only cells with this many clients.
    #[arg(long, default_value_t = CLIENTS)]
    pub clients: usize,
}

/// Why there is no figure.
#[derive(Debug)]
#[non_exhaustive]
pub enum FigureError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// A file was written by a program with another schema: measure again.
    Schema(PathBuf, u32),
    /// No cell has that many clients.
    Empty(usize),
}

impl fmt::Display for FigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Schema(path, schema) => {
                write!(f, "{}: has schema {schema}, not {SCHEMA}: measure again", path.display())
            }
            Self::Empty(clients) => write!(f, "no cell was measured with {clients} clients"),
        }
    }
}

impl std::error::Error for FigureError {}

/// Runs the command.
pub fn figure(options: &FigureOptions) -> Result<(), FigureError> {
    let mut all = Vec::new();
    for path in &options.results {
        let failed = |error| FigureError::File(path.clone(), error);
        let text = fs::read_to_string(path).map_err(failed)?;
        let results: Results = serde_json::from_str(&text).map_err(|e| failed(e.into()))?;
        if results.schema != SCHEMA {
            return Err(FigureError::Schema(path.clone(), results.schema));
        }
        all.push(results);
    }
    let chart = Chart::new(&all, options.clients).ok_or(FigureError::Empty(options.clients))?;
    fs::write(&options.out, chart.svg()).map_err(|error| FigureError::File(options.out.clone(), error))
}
