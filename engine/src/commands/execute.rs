//! From arguments to a reply: find the command, check what every command needs, run it, count it.

use super::context::Context;
use super::error::CommandError;
use super::flags::Flag;
use super::keys::for_each_key;
use super::lookup::{CommandId, Resolved, lookup, lookup_subcommand};
use super::redirect::redirect;
use super::spec::Spec;
use crate::core::{Core, Now};
use crate::key::SlotId;
use crate::latency::Sample;
use crate::resp::{Arguments, Reply};
use crate::session::{Closing, ReplyMode, Session};
use crate::slowlog::{Execution, SlowlogLimits};

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
    /// Clients are paused: nothing happened. Run it again when `core.pause` ends.
    Held,
}

/// Runs one command of `session`, which is taken out of `core.sessions`.
///
/// Afterwards look at `session.closing` and `core.actions`, and call `finish` with the time that it took.
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
            session.active = now;
            if is_http(arguments) {
                session.closing = Some(Closing::Now);
            }
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
    let (mark, spec) = (reply.len(), command.spec);
    session.active = now;
    if let Err(error) = admit(core, session, spec, arguments, now) {
        core.stats.command_mut(command.id).rejected_calls += 1;
        refuse(core, reply, mark, &error);
        settle_reply_mode(session, reply, mark);
        return Executed::Rejected;
    }
    if core.pause.holds(spec, now) {
        return Executed::Held;
    }
    session.last_command = Some(spec.name);
    session.commands_processed += 1;
    let was_asking = session.asking;
    let result = (spec.run)(&mut Context { core, session, reply, now, spec }, arguments);
    if core.load.is_due() {
        note_load(core, spec, arguments, now);
    }
    core.stats.commands_processed += 1;
    let stats = core.stats.command_mut(command.id);
    stats.calls += 1;
    let failed = result.is_err();
    if let Err(error) = result {
        stats.failed_calls += 1;
        refuse(core, reply, mark, &error);
    }
    // ASKING is for the one command that follows it.
    session.asking &= !was_asking;
    settle_reply_mode(session, reply, mark);
    Executed::Ran { command, failed }
}

/// Counts a command that stands for those around it for the slot of its first key.
#[cold]
fn note_load(core: &mut Core, spec: &Spec, arguments: &Arguments<'_>, now: Now) {
    let mut slot = None;
    // Arguments that name no keys go to no slot.
    let _ = for_each_key(spec, arguments, |position, _| {
        slot.get_or_insert_with(|| SlotId::of(arguments.at(position)));
    });
    core.load.note(slot, &mut core.random, now.unix_s());
}

/// Accounts for the time that several quick commands took together: each counts with an equal share. For commands that
/// would not reach the slow log.
pub fn finish_group(core: &mut Core, commands: &[CommandId], elapsed_ns: u64) {
    let share_ns = elapsed_ns / commands.len().max(1) as u64;
    for same in commands.chunk_by(|one, other| one == other) {
        let stats = core.stats.command_mut(same[0]);
        stats.nanos += share_ns * same.len() as u64;
        if core.config.latency_tracking {
            stats.histogram.get_or_insert_default().add_calls(share_ns, same.len() as u64);
        }
    }
}

/// Accounts for the time that a command took, once it ran: counters, slow log, latency events.
pub fn finish(
    core: &mut Core,
    session: &Session,
    now: Now,
    executed: Executed,
    arguments: &Arguments<'_>,
    elapsed_ns: u64,
) {
    let redacted_from = core.redacted_from.take();
    let Executed::Ran { command, .. } = executed else { return };
    let flags = command.spec.flags;
    let stats = core.stats.command_mut(command.id);
    stats.nanos += elapsed_ns;
    if core.config.latency_tracking {
        stats.histogram.get_or_insert_default().add(elapsed_ns);
    }
    let elapsed_us = elapsed_ns / 1000;
    if !flags.has(Flag::SkipSlowlog) {
        let limits = SlowlogLimits {
            slower_than_us: core.config.slowlog_log_slower_than,
            entries_max: core.config.slowlog_max_len,
        };
        let execution = Execution {
            unix_seconds: now.unix_s(),
            duration_us: elapsed_us,
            peer: &session.peer,
            client_name: &session.name,
        };
        let hidden_from = redacted_from.unwrap_or(usize::MAX);
        let shown = arguments.iter().enumerate();
        let shown = shown.map(|(at, text)| if at < hidden_from { text } else { b"(redacted)" });
        core.slowlog.note(limits, execution, shown);
    }
    let event = if flags.has(Flag::Fast) { "fast-command" } else { "command" };
    let sample = Sample { unix_seconds: now.unix_s(), latency_ms: elapsed_us / 1000 };
    core.latency.add(event, core.config.latency_monitor_threshold, sample);
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
    core: &mut Core,
    session: &Session,
    spec: &'static Spec,
    arguments: &Arguments<'_>,
    now: Now,
) -> Result<(), CommandError> {
    if !spec.accepts(arguments.len()) {
        return Err(CommandError::WrongArity(spec.name));
    }
    if !session.authenticated && core.needs_password() && !spec.flags.has(Flag::NoAuth) {
        return Err(CommandError::NoAuth);
    }
    if core.config.cluster_enabled {
        redirect(core, session, spec, arguments)?;
    }
    if spec.flags.has(Flag::DenyOom) && core.is_out_of_memory(now.unix_ms) {
        return Err(CommandError::OutOfMemory);
    }
    Ok(())
}

/// Whether a browser was made to speak to us; it must not get to what follows its headers.
fn is_http(arguments: &Arguments<'_>) -> bool {
    arguments.is(0, "POST") || arguments.is(0, "Host:")
}

/// Replaces what was written since `mark` by the error.
#[cold]
fn refuse(core: &mut Core, reply: &mut Reply, mark: usize, error: &CommandError) {
    let text = error.to_string();
    core.stats.count_error(&text);
    reply.truncate(mark);
    reply.error(text);
}

/// Takes what was written since `mark` back if the client does not want it.
#[inline]
pub fn settle_reply_mode(session: &mut Session, reply: &mut Reply, mark: usize) {
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
    use super::*;
    use crate::commands::testing::{Bench, check};
    use crate::commands::{Access, Find, Flags, KeySpec, Keys, Route, Run, all, run_gather};
    use crate::resp::OwnedArguments;
    use crate::session::SessionIndex;

    #[test]
    fn what_is_not_a_command_gets_the_standard_errors() {
        check(
            "
            foo a b -> -ERR unknown command 'foo', with args beginning with: 'a' 'b'
            ECHO -> -ERR wrong number of arguments for 'echo' command
            echo a b -> -ERR wrong number of arguments for 'echo' command
            client|id -> -ERR unknown command 'client|id', with args beginning with:
            ",
        );
        let long = "x".repeat(300);
        let answer = Bench::default().ask(1, &format!("{long} {long} {long}"));
        assert!(answer.len() < 2 * 128 + 80, "{answer}");
    }

    #[test]
    fn browsers_are_cut_off() {
        check("CLIENT ID -> :1\nPOST / HTTP/1.1 -> -ERR unknown command 'POST'...\nCLIENT ID -> :2");
        check("Host: localhost -> -ERR unknown command 'Host:'...\nCLIENT ID -> :2");
    }

    #[test]
    fn calls_and_errors_are_counted() {
        let mut bench = Bench::default();
        bench.elapsed_ns = 2_500;
        bench.check(
            "
            PING -> +PONG
            PING a b -> -ERR wrong number of arguments for 'ping' command
            ECHO -> -ERR wrong number of arguments for 'echo' command
            nosuch -> -ERR unknown command ...
            CLIENT ID -> :1
            ",
        );
        let of = |name: &str| {
            let id = all().find(|found| found.spec.name == name).unwrap().id;
            let stats = bench.core.stats.command(id).cloned().unwrap_or_default();
            (stats.calls, stats.nanos, stats.failed_calls, stats.rejected_calls)
        };
        assert_eq!(of("ping"), (2, 5_000, 1, 0));
        assert_eq!(of("echo"), (0, 0, 0, 1));
        assert_eq!(of("client|id"), (1, 2_500, 0, 0));
        assert_eq!(bench.core.stats.errors().collect::<Vec<_>>(), [("ERR", 3)]);
        assert_eq!(bench.core.stats.commands_processed, 3);
    }

    #[test]
    fn slow_commands_are_logged_without_passwords() {
        let mut bench = Bench::default();
        bench.elapsed_ns = 20_000_000;
        bench.check(
            "
            @config latency-monitor-threshold 20
            ECHO a -> $1 a
            HELLO 2 AUTH default secret -> *...
            AUTH default secret -> +OK
            ",
        );
        bench.elapsed_ns = 1_000;
        bench.check("PING -> +PONG");
        let text = |argument: &[u8]| String::from_utf8_lossy(argument).into_owned();
        let logged: Vec<String> = bench
            .core
            .slowlog
            .entries()
            .map(|entry| entry.arguments.iter().map(|word| text(word)).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            logged,
            ["AUTH (redacted) (redacted)", "HELLO 2 (redacted) (redacted) (redacted)", "ECHO a"]
        );
        assert_eq!(bench.core.latency.events().map(|(name, _)| name).collect::<Vec<_>>(), ["fast-command"]);
    }

    #[test]
    fn commands_that_need_memory_are_refused_at_the_limit() {
        const NEEDS: Spec = Spec { flags: Flags::of(&[Flag::DenyOom]), ..Spec::BASE };
        let spec = &NEEDS;
        let mut bench = Bench::default();
        bench.check("PING -> +PONG");
        let words: OwnedArguments = ["x"].into_iter().collect();
        let core = &mut bench.core;
        let session = Session::default();
        assert_eq!(admit(core, &session, spec, &words.view(), Now::default()), Ok(()));
        let key = core.shard.key(b"k");
        core.shard.write(&key, 0).set(&[0; 4096], crate::shard::Expiry::Keep).unwrap();
        core.config.maxmemory = 1;
        assert_eq!(
            admit(core, &session, spec, &words.view(), Now::default()),
            Err(CommandError::OutOfMemory)
        );
        assert_eq!(admit(core, &session, &Spec::BASE, &words.view(), Now::default()), Ok(()));
    }

    #[test]
    fn an_error_takes_back_what_was_written() {
        const SPEC: Spec = Spec {
            run: |context, _| {
                context.reply.array(2);
                context.reply.ok();
                Err(CommandError::WrongType)
            },
            ..Spec::BASE
        };
        let mut bench = Bench::default();
        bench.check("PING -> +PONG");
        let mut session = bench.core.sessions.take(SessionIndex(0));
        let words: OwnedArguments = ["x"].into_iter().collect();
        let mut reply = Reply::default();
        reply.ok();
        let command = Resolved { spec: &SPEC, ..lookup(b"ping").unwrap() };
        execute_resolved(&mut bench.core, &mut session, &mut reply, bench.now, command, &words.view());
        let text = "+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        assert_eq!(reply.into_bytes(), text.as_bytes());
    }

    /// What COMMAND, routing and help say must hold for every spec.
    #[test]
    fn specs_are_whole() {
        for found in all() {
            let (spec, name) = (found.spec, found.spec.name);
            assert!(spec.summary.ends_with('.') && !spec.complexity.is_empty(), "{name} is not described");
            assert!(spec.since.split('.').count() == 3, "{name} came with no version");
            let is_gather = std::ptr::fn_addr_eq(spec.run, run_gather as Run);
            assert_eq!(is_gather, matches!(spec.route, Route::Gather(_)), "{name}");
            let has_keys = !matches!(spec.keys, Keys::None);
            let is_keyed = matches!(spec.route, Route::Keys | Route::Split(_));
            assert_eq!(has_keys, is_keyed, "{name}: keys and route");
            if matches!(spec.route, Route::Split(_)) {
                let rules = spec.keys.rules();
                let can_be_cut = matches!(rules, [KeySpec { find: Find::Range { last: -1, .. }, .. }]);
                assert!(can_be_cut, "{name} has other arguments behind its keys");
            }
            assert!(!(spec.is_write() && spec.flags.has(Flag::Readonly)), "{name} reads or writes");
            for rule in spec.keys.rules() {
                let kinds = [Access::RO, Access::RW, Access::OW, Access::RM];
                assert_eq!(kinds.iter().filter(|kind| rule.access.has(**kind)).count(), 1, "{name}");
            }
        }
    }
}
