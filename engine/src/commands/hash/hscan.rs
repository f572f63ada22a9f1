//! HSCAN: all fields, a few at a time. A packed hash is shown whole by the first call, whatever COUNT says.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::glob::{self, Case};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// HSCAN.
pub const SPEC: Spec = Spec {
    name: "hscan",
    arity: -3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "2.8.0",
    group: Group::Hash,
    summary: "All fields of a hash, a few at a time.",
    complexity: "O(1) for a call; O(N) for all calls, where N is the number of fields",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// Fields that a call looks at unless COUNT says otherwise.
const COUNT_DEFAULT: usize = 10;

struct Options<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    values: bool,
}

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let cursor = parse_cursor(arguments.at(2)).ok_or(CommandError::Static("ERR invalid cursor"))?;
    let options = Options::parse(&arguments.from(3))?;
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let reply = &mut *context.reply;
    reply.array(2);
    let at = reply.defer();
    let list = reply.defer();
    let (mut next, mut count) = (0, 0);
    if let Some(hash) = hash {
        next = hash.scan(cursor, options.count, |field| {
            if options.pattern.is_none_or(|pattern| glob::matches(pattern, field.name, Case::Sensitive)) {
                count += 1;
                reply.bulk(field.name);
                if options.values {
                    count += 1;
                    reply.bulk_text(field.value);
                }
            }
        });
    }
    reply.end_array(list, count);
    reply.end_bulk(at, next.to_string());
    Ok(())
}

/// As `strtoull` reads it for Redis, but for signs and blanks: nothing is 0.
fn parse_cursor(text: &[u8]) -> Option<u64> {
    match text {
        b"" => Some(0),
        _ if text.iter().all(u8::is_ascii_digit) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

impl<'a> Options<'a> {
    fn parse(words: &Arguments<'a>) -> Result<Self, CommandError> {
        let mut options = Self { count: COUNT_DEFAULT, pattern: None, values: true };
        let mut at = 0;
        while at < words.len() {
            if words.is(at, "NOVALUES") {
                options.values = false;
                at += 1;
                continue;
            }
            let value = words.opt(at + 1).ok_or(CommandError::Syntax)?;
            if words.is(at, "COUNT") {
                let count = parse_i64(value).ok_or(CommandError::NotInteger)?;
                options.count =
                    usize::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::Syntax)?;
            } else if words.is(at, "MATCH") {
                options.pattern = (value != b"*").then_some(value);
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
    use crate::commands::testing::{Bench, check};

    /// All words that a whole scan shows, and how many calls it took.
    fn scan(bench: &mut Bench, options: &str) -> (Vec<String>, usize) {
        let (mut shown, mut cursor, mut calls) = (Vec::new(), "0".to_owned(), 0);
        loop {
            let answer = bench.ask(1, &format!("HSCAN h {cursor} {options}"));
            let words: Vec<&str> = answer.split(' ').collect();
            assert_eq!(words[0], "*2", "{answer}");
            shown.extend(words[4..].iter().skip(1).step_by(2).map(|word| (*word).to_owned()));
            (cursor, calls) = (words[2].to_owned(), calls + 1);
            assert!(cursor.parse::<u64>().unwrap() < 1 << 53, "a cursor fits a double");
            if cursor == "0" {
                shown.sort();
                return (shown, calls);
            }
        }
    }

    #[test]
    fn every_field_of_a_table_comes_up_once() {
        let mut bench = Bench::default();
        let mut all: Vec<String> = (0..1000).map(|number| format!("f{number}")).collect();
        all.sort();
        all.iter().for_each(|name| bench.check(&format!("HSET h {name} v -> :1")));
        let (shown, calls) = scan(&mut bench, "NOVALUES");
        assert_eq!(shown, all);
        assert!((30..=100).contains(&calls), "{calls} calls of about 10 fields");
        assert_eq!(scan(&mut bench, "COUNT 5000 novalues"), (all, 1));
        assert_eq!(scan(&mut bench, "MATCH f99? COUNT 100").0.len(), 20);
        bench.check("HSCAN h 18446744073709551615 -> *2 $1 0 *0");
    }

    #[test]
    fn a_packed_hash_is_shown_whole() {
        check(
            r#"
            HSCAN h 0 -> *2 $1 0 *0
            HSET h a 1 b 2 c 3 -> :3
            HSCAN h 0 COUNT 1 -> *2 $1 0 *6 $1 a $1 1 $1 b $1 2 $1 c $1 3
            HSCAN h 7 COUNT 1 -> *2 $1 0 *6 $1 a $1 1 $1 b $1 2 $1 c $1 3
            HSCAN h "" NOVALUES match [ac] -> *2 $1 0 *2 $1 a $1 c
            HPEXPIRE h 10 FIELDS 1 a -> *1 :1
            @after 10
            HSCAN h 0 NOVALUES -> *2 $1 0 *2 $1 b $1 c
            2> HELLO 3 -> %...
            2> HSCAN h 0 MATCH b -> *2 $1 0 *2 $1 b $1 2
            "#,
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check(
            r#"
            HSET h a 1 -> :1
            HSCAN h x -> -ERR invalid cursor
            HSCAN h 99999999999999999999 -> -ERR invalid cursor
            HSCAN h 0 COUNT -> -ERR syntax error
            HSCAN h 0 COUNT 0 -> -ERR syntax error
            HSCAN h 0 COUNT x -> -ERR value is not an integer or out of range
            HSCAN h 0 TYPE hash -> -ERR syntax error
            HSCAN h -> -ERR wrong number of arguments for 'hscan' command
            SET s v -> +OK
            HSCAN s 0 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
