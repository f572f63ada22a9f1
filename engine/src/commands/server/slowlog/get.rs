//! SLOWLOG GET: the newest entries of all cores, newest first.

use std::cmp::Reverse;

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::info::codec::Reader;
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::slowlog::SlowlogEntry;

/// SLOWLOG GET.
pub const SPEC: Spec = Spec {
    name: "slowlog|get",
    syntax: "[count]",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "nondeterministic_output"],
    since: "2.2.12",
    group: Group::Server,
    summary: "The newest entries of the slow log (10, or count; -1 is all).",
    complexity: "O(N) where N is the number of entries returned",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Entries that are shown if no count is given.
const COUNT_DEFAULT: u64 = 10;

/// How many entries are asked for; `slowlog-max-len` bounds it.
fn count(arguments: &Arguments<'_>, entries_max: u64) -> Result<usize, CommandError> {
    const OUT_OF_RANGE: CommandError =
        CommandError::Static("ERR count should be greater than or equal to -1");
    let count = match (arguments.len(), arguments.opt(2)) {
        (2, _) => COUNT_DEFAULT,
        (3, Some(text)) => match parse_i64(text).ok_or(OUT_OF_RANGE)? {
            -1 => entries_max,
            number => u64::try_from(number).map_err(|_| OUT_OF_RANGE)?,
        },
        _ => {
            let word = String::from_utf8_lossy(arguments.at(1));
            return Err(CommandError::text(format!(
                "ERR unknown subcommand or wrong number of arguments for '{word}'. Try SLOWLOG HELP."
            )));
        }
    };
    Ok(count.min(entries_max) as usize)
}

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let count = count(arguments, context.core.config.slowlog_max_len)?;
    context.core.slowlog.entries().take(count).for_each(|entry| entry.encode(context.out));
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let mut entries = Vec::new();
    for part in parts {
        let mut reader = Reader(part);
        while !reader.0.is_empty() {
            entries.push(SlowlogEntry::decode(&mut reader).expect("a core reads what a core wrote"));
        }
    }
    // Cores do not count together: within a second, only entries of one core have a true order.
    entries.sort_by_key(|entry| Reverse((entry.unix_seconds, entry.id)));
    entries.truncate(count(arguments, context.core.config.slowlog_max_len)?);
    let reply = &mut *context.reply;
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.unix_seconds as i64);
        reply.integer(entry.duration_us as i64);
        reply.array(entry.arguments.len());
        entry.arguments.iter().for_each(|argument| reply.bulk(argument));
        reply.bulk(entry.peer.as_bytes());
        reply.bulk(&entry.client_name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;
    use crate::resp::{OwnedArguments, Reply};
    use crate::session::Session;

    #[test]
    fn newest_first() {
        let mut bench = Bench::taking(20_000_000);
        bench.check(
            "
            SLOWLOG GET -> *0
            CLIENT SETNAME me -> +OK
            SLOWLOG GET -> *2 *6 :1 :1700000000 :20000 *3 $6 CLIENT $7 SETNAME $2 me $15 127.0.0.1:50001 $2 me \
             *6 :0 :1700000000 :20000 *2 $7 SLOWLOG $3 GET $15 127.0.0.1:50001 $0
            SLOWLOG GET 1 -> *1 *6 :2 ...
            SLOWLOG GET 0 -> *0
            SLOWLOG GET -1 -> *5 ...
            ",
        );
    }

    #[test]
    fn ten_unless_asked_otherwise() {
        let mut bench = Bench::taking(20_000_000);
        (0..20).for_each(|_| drop(bench.ask(1, "PING")));
        bench.check("SLOWLOG GET -> *10 ...\n SLOWLOG GET 15 -> *15 ...");
    }

    #[test]
    fn wrong_counts() {
        Bench::default().check(
            "
            SLOWLOG GET x -> -ERR count should be greater than or equal to -1
            SLOWLOG GET -2 -> -ERR count should be greater than or equal to -1
            SLOWLOG GET 1 2 -> -ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.
            ",
        );
    }

    #[test]
    fn entries_of_all_cores_in_one_order() {
        let mut bench = Bench::default();
        let entry = |id: u64, unix_seconds: u64| {
            let mut out = Vec::new();
            let empty = Vec::new();
            SlowlogEntry {
                id,
                unix_seconds,
                duration_us: 1,
                arguments: empty,
                peer: "p".into(),
                client_name: Box::default(),
            }
            .encode(&mut out);
            out
        };
        let parts = [[entry(4, 9), entry(2, 5)].concat(), [entry(3, 7), entry(1, 1)].concat()];
        let words: OwnedArguments = ["SLOWLOG", "GET", "3"].into_iter().collect();
        let (mut session, mut reply) = (Session::default(), Reply::default());
        let mut context = Context {
            core: &mut bench.core,
            session: &mut session,
            reply: &mut reply,
            now: bench.now,
            spec: &SPEC,
        };
        merge(&mut context, &words.view(), &parts).unwrap();
        let text = String::from_utf8(reply.into_bytes()).unwrap();
        let ids: Vec<&str> = text.split("*6\r\n:").skip(1).map(|entry| &entry[..1]).collect();
        assert_eq!(ids, ["4", "3", "2"]);
    }
}
