//! OBJECT: how a value is kept.

mod encoding;
mod freq;
mod help;
mod idletime;
mod refcount;

use crate::commands::{Group, Spec};

/// OBJECT.
pub const SPEC: Spec = Spec {
    name: "object",
    arity: -2,
    since: "2.2.3",
    group: Group::Generic,
    summary: "How a value is kept.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&encoding::SPEC, &freq::SPEC, &help::SPEC, &idletime::SPEC, &refcount::SPEC],
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn subcommands_are_asked_for() {
        check(
            "
            OBJECT -> -ERR wrong number of arguments for 'object' command
            OBJECT foo -> -ERR unknown subcommand 'foo'. Try OBJECT HELP.
            OBJECT ENCODING -> -ERR wrong number of arguments for 'object|encoding' command
            ",
        );
    }
}
