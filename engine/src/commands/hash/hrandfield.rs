//! HRANDFIELD: fields chosen at random.

use std::collections::HashSet;

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::core::{Core, Random};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::shard::{Field, HashView};

/// HRANDFIELD.
pub const SPEC: Spec = Spec {
    name: "hrandfield",
    arity: -2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "6.2.0",
    group: Group::Hash,
    summary: "Fields of a hash chosen at random.",
    complexity: "O(N) where N is the number of fields returned",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// The longest answer, in fields. A negative count has no other bound, and Redis would fill its memory.
const SAMPLES_MAX: u64 = 1 << 24;

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len() == 2 {
        let key = context.key(arguments.at(1))?;
        let Core { shard, random, .. } = &mut *context.core;
        let hash = hash_of(shard.find(&key, context.now.unix_ms))?;
        let field = hash.and_then(|hash| hash.random(|| random.bits()));
        context.reply.bulk_or_null(field.map(|field| field.name));
        return Ok(());
    }
    let with_values = arguments.is(3, "WITHVALUES");
    let count = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    if count == i64::MIN {
        return Err(CommandError::Static(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    if arguments.len() > 3 + usize::from(with_values) {
        return Err(CommandError::Syntax);
    }
    let is_repeating = count < 0;
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2
        || is_repeating && count.unsigned_abs() > SAMPLES_MAX
    {
        return Err(CommandError::OutOfRange);
    }
    let key = context.key(arguments.at(1))?;
    let Core { shard, random, .. } = &mut *context.core;
    let mut chosen = Vec::new();
    if let Some(hash) = hash_of(shard.find(&key, context.now.unix_ms))? {
        let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        chosen = if is_repeating { repeating(&hash, count, random) } else { distinct(&hash, count, random) };
    }
    let reply = &mut *context.reply;
    let is_nested = with_values && reply.is_resp3();
    reply.array(chosen.len() * if with_values && !is_nested { 2 } else { 1 });
    for field in chosen {
        if is_nested {
            reply.array(2);
        }
        reply.bulk(field.name);
        if with_values {
            reply.bulk_text(field.value);
        }
    }
    Ok(())
}

/// How many times more fields than are wanted make single picks cheaper than a look at all.
const PICK_FACTOR: usize = 3;

/// Fields of which each is chosen from all.
fn repeating<'a>(hash: &HashView<'a>, count: usize, random: &mut Random) -> Vec<Field<'a>> {
    if count >= hash.len() / PICK_FACTOR {
        let all = all(hash);
        let count = if all.is_empty() { 0 } else { count };
        return (0..count).map(|_| all[random.below(all.len() as u64) as usize]).collect();
    }
    (0..count).map_while(|_| hash.random(|| random.bits())).collect()
}

/// Different fields, as many as are wanted or there are.
fn distinct<'a>(hash: &HashView<'a>, count: usize, random: &mut Random) -> Vec<Field<'a>> {
    /// Picks that may hit a field which was chosen before, for each field that is wanted.
    const TRIES: usize = 8;
    if count < hash.len() / PICK_FACTOR {
        let mut names = HashSet::with_capacity(count);
        let mut chosen = Vec::with_capacity(count);
        for _ in 0..count * TRIES {
            if chosen.len() == count {
                return chosen;
            }
            let Some(field) = hash.random(|| random.bits()) else { break };
            if names.insert(field.name) {
                chosen.push(field);
            }
        }
        if chosen.len() == count {
            return chosen;
        }
    }
    let mut all = all(hash);
    let count = count.min(all.len());
    for at in 0..count {
        let other = at + random.below((all.len() - at) as u64) as usize;
        all.swap(at, other);
    }
    all.truncate(count);
    all
}

fn all<'a>(hash: &HashView<'a>) -> Vec<Field<'a>> {
    let mut fields = Vec::with_capacity(hash.len());
    hash.for_each(|field| fields.push(field));
    fields
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::commands::testing::{Bench, check};

    /// How often each field stands in the answer.
    fn counts(bench: &mut Bench, request: &str) -> BTreeMap<String, usize> {
        let answer = bench.ask(1, request);
        let mut counts = BTreeMap::new();
        for name in answer.split(' ').skip(2).step_by(2) {
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
        counts
    }

    #[test]
    fn positive_counts_never_repeat_and_negative_ones_do() {
        for fields in [10, 1000] {
            let mut bench = Bench::default();
            for field in 0..fields {
                bench.check(&format!("HSET h f{field} v -> :1"));
            }
            for count in [1, 2, 7, fields / 2, fields - 1, fields, fields + 5] {
                let chosen = counts(&mut bench, &format!("HRANDFIELD h {count}"));
                assert_eq!(chosen.len(), count.min(fields), "{count} of {fields}");
                assert!(chosen.values().all(|count| *count == 1));
                let chosen = counts(&mut bench, &format!("HRANDFIELD h -{count}"));
                assert_eq!(chosen.values().sum::<usize>(), count);
            }
            let chosen = counts(&mut bench, &format!("HRANDFIELD h -{}", fields * 100));
            assert_eq!(chosen.len(), fields, "all fields come up");
            assert!(chosen.values().all(|count| (30..300).contains(count)), "{chosen:?}");
        }
    }

    #[test]
    fn answers_in_both_protocols() {
        check(
            r#"
            HRANDFIELD h -> $-1
            HRANDFIELD h 3 -> *0
            HRANDFIELD h -3 WITHVALUES -> *0
            HSET h a 1 -> :1
            HRANDFIELD h -> $1 a
            HRANDFIELD h 0 -> *0
            HRANDFIELD h 5 -> *1 $1 a
            HRANDFIELD h -2 -> *2 $1 a $1 a
            HRANDFIELD h 5 withvalues -> *2 $1 a $1 1
            HRANDFIELD h -2 WITHVALUES -> *4 $1 a $1 1 $1 a $1 1
            2> HELLO 3 -> %...
            2> HRANDFIELD h -2 WITHVALUES -> *2 *2 $1 a $1 1 *2 $1 a $1 1
            2> HRANDFIELD h 2 -> *1 $1 a
            2> HRANDFIELD x -> _
            HPEXPIRE h 10 FIELDS 1 a -> *1 :1
            @after 10
            HRANDFIELD h -> $-1
            HRANDFIELD h -5 -> *0
            HRANDFIELD h 5 -> *0
            "#,
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check(
            r#"
            HRANDFIELD h x -> -ERR value is not an integer or out of range
            HRANDFIELD h 1 foo -> -ERR syntax error
            HRANDFIELD h 1 WITHVALUES x -> -ERR syntax error
            HRANDFIELD h -9223372036854775808 -> -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
            HRANDFIELD h -9223372036854775807 WITHVALUES -> -ERR value is out of range
            HRANDFIELD h -9223372036854775807 -> -ERR value is out of range
            HRANDFIELD h 9223372036854775807 -> *0
            SET s v -> +OK
            HRANDFIELD s -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
