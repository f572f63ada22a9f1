//! SCAN: all keys, a few at a time.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::core::Core;
use crate::key::SLOT_COUNT;
use crate::number::parse_i64;
use crate::resp::{Arguments, Reply};
use crate::shard::{Entry, ScanCursor};

use super::pattern::KeyPattern;

/// SCAN.
pub const SPEC: Spec = Spec {
    name: "scan",
    arity: -2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    tips: &["nondeterministic_output", "request_policy:special"],
    since: "2.8.0",
    group: Group::Generic,
    summary: "All keys, a few at a time: each one that is there from the first call to the last comes up at least once.",
    complexity: "O(1) for a call; O(N) for all calls, where N is the number of keys",
    route: Route::Cursor,
    run,
    ..Spec::BASE
};

/// Keys that a call looks at unless COUNT says otherwise.
const COUNT_DEFAULT: usize = 10;

struct Options<'a> {
    count: usize,
    pattern: Option<KeyPattern<'a>>,
    kind: Option<&'a [u8]>,
}

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let cursor = ScanCursor::parse(arguments.at(1)).ok_or(CommandError::Static("ERR invalid cursor"))?;
    let options = Options::parse(&arguments.from(2))?;
    let mut found = Reply::new(context.reply.protocol());
    let mut count = 0;
    let next = step(context.core, &options, cursor, context.now.unix_ms, |entry| {
        count += 1;
        found.bulk(entry.key());
    });
    context.reply.array(2);
    context.reply.bulk(next.number().to_string());
    context.reply.array(count);
    context.reply.raw(&found.into_bytes());
    Ok(())
}

/// Shows what one call finds and answers where to go on.
fn step(
    core: &Core,
    options: &Options<'_>,
    cursor: ScanCursor,
    now_ms: u64,
    mut show: impl FnMut(Entry<'_>),
) -> ScanCursor {
    // A pattern with a hash tag leads straight to its slot, and from there to the end.
    let slots = options.pattern.as_ref().map_or(0..SLOT_COUNT, KeyPattern::slots);
    let from = if cursor.slot() < slots.start { ScanCursor::at_slot(slots.start) } else { cursor };
    if from.slot() >= slots.end {
        return ScanCursor::START;
    }
    let end = core.scan_end(from.slot()).min(slots.end);
    let next = core.shard.scan(from, end, options.count, now_ms, |entry| {
        let kind = options.kind.is_none_or(|kind| entry.kind().name().as_bytes().eq_ignore_ascii_case(kind));
        if kind && options.pattern.as_ref().is_none_or(|pattern| pattern.matches(entry.key())) {
            show(entry);
        }
    });
    if next.slot() >= slots.end { ScanCursor::START } else { next }
}

impl<'a> Options<'a> {
    fn parse(words: &Arguments<'a>) -> Result<Self, CommandError> {
        let mut options = Self { count: COUNT_DEFAULT, pattern: None, kind: None };
        let mut at = 0;
        while at < words.len() {
            let value = words.opt(at + 1).ok_or(CommandError::Syntax)?;
            if words.is(at, "COUNT") {
                let count = parse_i64(value).ok_or(CommandError::NotInteger)?;
                options.count =
                    usize::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::Syntax)?;
            } else if words.is(at, "MATCH") {
                options.pattern = Some(KeyPattern::new(value));
            } else if words.is(at, "TYPE") {
                options.kind = Some(value);
            } else {
                return Err(CommandError::Syntax);
            }
            at += 2;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::commands::testing::{Bench, check};

    /// All keys that a whole scan shows, and how many calls it took.
    fn scan(bench: &mut Bench, options: &str) -> (BTreeSet<String>, usize) {
        let (mut keys, mut cursor, mut calls) = (BTreeSet::new(), "0".to_owned(), 0);
        loop {
            let answer = bench.ask(1, &format!("SCAN {cursor} {options}"));
            let words: Vec<&str> = answer.split(' ').collect();
            assert_eq!(words[0], "*2", "{answer}");
            keys.extend(words[4..].iter().skip(1).step_by(2).map(|key| (*key).to_owned()));
            (cursor, calls) = (words[2].to_owned(), calls + 1);
            if cursor == "0" {
                return (keys, calls);
            }
        }
    }

    #[test]
    fn every_key_comes_up() {
        let mut bench = Bench::default();
        let all: BTreeSet<String> = (0..1000).map(|number| format!("key:{number}")).collect();
        all.iter().for_each(|key| bench.check(&format!("SET {key} v -> +OK")));
        let (keys, calls) = scan(&mut bench, "");
        assert_eq!(keys, all);
        assert!((50..=110).contains(&calls), "{calls} calls of about 10 keys");
        assert_eq!(scan(&mut bench, "COUNT 2000"), (all.clone(), 1));
        assert_eq!(scan(&mut bench, "MATCH key:99?").0.len(), 10);
        assert_eq!(scan(&mut bench, "TYPE STRING COUNT 100").0, all);
        assert_eq!(scan(&mut bench, "TYPE hash").0.len(), 0);
    }

    #[test]
    fn a_hash_tag_leads_to_one_slot() {
        let mut bench = Bench::default();
        (0..100).for_each(|number| bench.check(&format!("SET key:{number} v -> +OK")));
        (0..50).for_each(|number| bench.check(&format!("SET {{tag}}:{number} v -> +OK")));
        let (keys, calls) = scan(&mut bench, "MATCH {tag}:* COUNT 100");
        assert_eq!((keys.len(), calls), (50, 1));
        assert_eq!(scan(&mut bench, "MATCH {tag}:*").0.len(), 50);
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            r#"
            SCAN 0 -> *2 $1 0 *0
            SCAN "" -> *2 $1 0 *0
            SCAN x -> -ERR invalid cursor
            SCAN "1 " -> -ERR invalid cursor
            SCAN 99999999999999999999 -> -ERR invalid cursor
            SCAN 18446744073709551615 -> *2 $1 0 *0
            SCAN 0 COUNT -> -ERR syntax error
            SCAN 0 COUNT 0 -> -ERR syntax error
            SCAN 0 COUNT -1 -> -ERR syntax error
            SCAN 0 COUNT x -> -ERR value is not an integer or out of range
            SCAN 0 foo bar -> -ERR syntax error
            SCAN -> -ERR wrong number of arguments for 'scan' command
            "#,
        );
    }
}
