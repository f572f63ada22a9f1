//! From arguments to a reply: find the command, check what every command needs, run it, count it.

use super::context::Context;
use super::error::CommandError;
use super::flags::Flag;
use super::lookup::{Resolved, lookup, lookup_subcommand};
use crate::core::{Core, Now};
use crate::resp::{Arguments, Reply};
use crate::session::{ReplyMode, Session};

/// What became of a command.
#[derive(Clone, Copy, Debug)]
pub enum Executed {
    /// It ran, well or not.
    Ran {
        /// Which command.
        command: Resolved,
        /// Whether it answered an error.
        failed: bool,
    },
    /// It was refused before it ran; the error is in the reply.
    Rejected,
}

/// Runs one command of `session`, which is taken out of `core.sessions`.
pub fn execute(
    core: &mut Core,
    session: &mut Session,
    reply: &mut Reply,
    now: Now,
    arguments: &Arguments<'_>,
) -> Executed {
    match resolve(arguments) {
        Ok(command) => execute_resolved(core, session, reply, now, command, arguments),
        Err(error) => {
            let mark = reply.len();
            refuse(core, reply, mark, &error);
            settle_reply_mode(session, reply, mark);
            Executed::Rejected
        }
    }
}

/// Runs one command that `resolve` found.
#[inline]
pub fn execute_resolved(
    core: &mut Core,
    session: &mut Session,
    reply: &mut Reply,
    now: Now,
    command: Resolved,
    arguments: &Arguments<'_>,
) -> Executed {
    let mark = reply.len();
    session.active = now;
    let executed = match admit(core, session, command, arguments) {
        Err(error) => {
            core.stats.command_mut(command.id).rejected_calls += 1;
            refuse(core, reply, mark, &error);
            Executed::Rejected
        }
        Ok(()) => {
            let mut context = Context { core, session, reply, now, spec: command.spec };
            let result = (command.spec.run)(&mut context, arguments);
            session.commands_processed += 1;
            core.stats.commands_processed += 1;
            let stats = core.stats.command_mut(command.id);
            stats.calls += 1;
            let failed = result.is_err();
            if let Err(error) = result {
                stats.failed_calls += 1;
                refuse(core, reply, mark, &error);
            }
            Executed::Ran { command, failed }
        }
    };
    settle_reply_mode(session, reply, mark);
    executed
}

/// Finds the command, its subcommand where there are some; the error is the standard one.
#[inline]
pub fn resolve(arguments: &Arguments<'_>) -> Result<Resolved, CommandError> {
    let name = arguments.opt(0).unwrap_or_default();
    let Some(command) = lookup(name) else { return Err(unknown_command(arguments)) };
    if command.spec.subcommands.is_empty() {
        return Ok(command);
    }
    let Some(word) = arguments.opt(1) else { return Ok(command) };
    Ok(lookup_subcommand(command, word).unwrap_or(command))
}

/// What must hold before any command runs.
#[inline]
fn admit(
    core: &Core,
    session: &Session,
    command: Resolved,
    arguments: &Arguments<'_>,
) -> Result<(), CommandError> {
    let spec = command.spec;
    if !spec.accepts(arguments.len()) {
        return Err(CommandError::WrongArity(spec.name));
    }
    if !session.authenticated && core.password.is_some() && !spec.flags.has(Flag::NoAuth) {
        return Err(CommandError::NoAuth);
    }
    Ok(())
}

/// Replaces what was written since `mark` by the error.
#[cold]
fn refuse(core: &mut Core, reply: &mut Reply, mark: usize, error: &CommandError) {
    let text = error.to_string();
    core.stats.count_error(&text);
    reply.truncate(mark);
    reply.error(text);
}

/// Takes the reply back if the client does not want it.
#[inline]
fn settle_reply_mode(session: &mut Session, reply: &mut Reply, mark: usize) {
    match session.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off => reply.truncate(mark),
        ReplyMode::SkipNext => {
            reply.truncate(mark);
            session.reply_mode = ReplyMode::Skip;
        }
        ReplyMode::Skip => {
            reply.truncate(mark);
            session.reply_mode = ReplyMode::On;
        }
    }
}

fn unknown_command(arguments: &Arguments<'_>) -> CommandError {
    const SHOWN_MAX: usize = 128;
    let shown =
        |bytes: &[u8], max: usize| String::from_utf8_lossy(&bytes[..bytes.len().min(max)]).into_owned();
    let mut list = String::new();
    for argument in arguments.from(1).iter() {
        if list.len() >= SHOWN_MAX {
            break;
        }
        list.push_str(&format!("'{}' ", shown(argument, SHOWN_MAX - list.len())));
    }
    let name = shown(arguments.opt(0).unwrap_or_default(), SHOWN_MAX);
    CommandError::Text(format!("ERR unknown command '{name}', with args beginning with: {list}"))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn what_is_not_a_command_gets_the_standard_errors() {
        check(
            "
            foo a b -> -ERR unknown command 'foo', with args beginning with: 'a' 'b' 
            ECHO -> -ERR wrong number of arguments for 'echo' command
            echo a b -> -ERR wrong number of arguments for 'echo' command
            ",
        );
    }
}
