//! The request parser: a batch of pipelined commands.

use whimbrel_engine::resp::{Batch, Limits, Parser};

use super::timing::{Figure, time};

/// Commands in a batch.
const COMMANDS: usize = 64;

/// Pipelined GETs and SETs, each figure for one command.
pub fn figures() -> Vec<Figure> {
    let get = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n".repeat(COMMANDS).into_bytes();
    let value = "v".repeat(64);
    let set = format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$64\r\n{value}\r\n")
        .repeat(COMMANDS)
        .into_bytes();
    vec![of("parser: GET in a pipeline", &get), of("parser: SET of 64 bytes in a pipeline", &set)]
}

fn of(name: &'static str, bytes: &[u8]) -> Figure {
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    let mut figure = time(name, 20_000, |_| {
        let filled = batch.fill(&mut parser, bytes, &Limits::default(), COMMANDS);
        batch.clear();
        filled.consumed
    });
    figure.nanoseconds /= COMMANDS as f64;
    figure
}
