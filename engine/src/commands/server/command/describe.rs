//! One command in the reply of COMMAND: ten elements, as in Redis 7.

use crate::commands::{Begin, Find, Flag, KeySpec, Spec};
use crate::resp::Reply;

/// Writes what `spec` is, with its subcommands.
pub fn describe(reply: &mut Reply, spec: &Spec) {
    reply.array(10);
    reply.bulk(spec.name);
    reply.integer(spec.arity.into());
    names(reply, spec.flags.names().chain(movable(spec)));
    let (first, last, step) = positions(spec);
    [first, last, step].into_iter().for_each(|position| reply.integer(position.into()));
    let categories: Vec<String> = spec.categories().names().map(|name| format!("@{name}")).collect();
    reply.set(categories.len());
    categories.iter().for_each(|name| reply.simple(name));
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip));
    reply.set(spec.keys.rules().len());
    spec.keys.rules().iter().for_each(|rule| key_spec(reply, rule));
    reply.set(spec.subcommands.len());
    spec.subcommands.iter().for_each(|spec| describe(reply, spec));
}

/// A set of words, each a simple string.
pub fn names(reply: &mut Reply, names: impl Iterator<Item = &'static str>) {
    let names: Vec<_> = names.collect();
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(name));
}

/// Commands whose first, last and step do not say where all keys are carry a flag that says so.
fn movable(spec: &Spec) -> Option<&'static str> {
    let is_simple = spec.keys.rules().iter().all(|rule| {
        matches!(rule, KeySpec { begin: Begin::Index(_), find: Find::Range { limit: 0 | 1, .. }, .. })
    });
    (!is_simple && !spec.flags.has(Flag::MovableKeys)).then_some("movablekeys")
}

/// First, last and step of the keys, as far as three numbers can say it: the rules that follow each other without a
/// gap, beginning with the first.
fn positions(spec: &Spec) -> (i32, i32, i32) {
    let mut ranges = spec.keys.rules().iter().filter_map(|rule| match *rule {
        KeySpec { begin: Begin::Index(first), find: Find::Range { last, step, limit: 0 | 1 }, .. } => {
            Some((first, if last < 0 { last } else { first + last }, step))
        }
        _ => None,
    });
    let Some((first, mut last, step)) = ranges.next() else { return (0, 0, 0) };
    for (next_first, next_last, next_step) in ranges {
        if last < 0 || next_first != last + step || next_step != step {
            break;
        }
        last = next_last;
    }
    (first, last, step)
}

fn key_spec(reply: &mut Reply, rule: &KeySpec) {
    reply.map(3);
    reply.bulk("flags");
    names(reply, rule.access.names());
    reply.bulk("begin_search");
    match rule.begin {
        Begin::Index(index) => typed(reply, "index", &[("index", index)]),
        Begin::Keyword { word, from } => {
            reply.map(2);
            reply.bulk("type");
            reply.bulk("keyword");
            reply.bulk("spec");
            reply.map(2);
            reply.bulk("keyword");
            reply.bulk(word);
            reply.bulk("startfrom");
            reply.integer(from.into());
        }
        Begin::Unknown => typed(reply, "unknown", &[]),
    }
    reply.bulk("find_keys");
    match rule.find {
        Find::Range { last, step, limit } => {
            typed(reply, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        Find::Count { count, first, step } => {
            typed(reply, "keynum", &[("keynumidx", count), ("firstkey", first), ("keystep", step)]);
        }
        Find::Unknown => typed(reply, "unknown", &[]),
    }
}

fn typed(reply: &mut Reply, kind: &str, numbers: &[(&str, i32)]) {
    reply.map(2);
    reply.bulk("type");
    reply.bulk(kind);
    reply.bulk("spec");
    reply.map(numbers.len());
    for (name, number) in numbers {
        reply.bulk(name);
        reply.integer((*number).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Access, Keys};

    #[test]
    fn three_numbers_say_what_they_can() {
        const PAIR: &[KeySpec] = &[KeySpec::one(1, Access::RW), KeySpec::one(2, Access::OW)];
        const STORE: &[KeySpec] = &[KeySpec::one(1, Access::OW), KeySpec::count(2, Access::READ)];
        const BITOP: &[KeySpec] = &[KeySpec::one(2, Access::OW), KeySpec::range(3, -1, 1, Access::READ)];
        for (keys, expected, is_movable) in [
            (Keys::None, (0, 0, 0), false),
            (Keys::one(1, Access::READ), (1, 1, 1), false),
            (Keys::range(1, -1, 2, Access::OW), (1, -1, 2), false),
            (Keys::Rules(PAIR), (1, 2, 1), false),
            (Keys::Rules(BITOP), (2, -1, 1), false),
            (Keys::Rules(STORE), (1, 1, 1), true),
            (Keys::count(1, Access::READ), (0, 0, 0), true),
        ] {
            let spec = Spec { keys, ..Spec::BASE };
            assert_eq!((positions(&spec), movable(&spec).is_some()), (expected, is_movable), "{keys:?}");
        }
    }

    #[test]
    fn a_command_has_ten_elements() {
        let mut reply = Reply::default();
        describe(&mut reply, &Spec { name: "x", keys: Keys::one(1, Access::READ), ..Spec::BASE });
        let text = String::from_utf8(reply.into_bytes()).unwrap().replace("\r\n", " ");
        assert_eq!(
            text,
            "*10 $1 x :1 *0 :1 :1 :1 *1 +@slow *0 *1 *6 $5 flags *2 +RO +access $12 begin_search *4 $4 type $5 index \
             $4 spec *2 $5 index :1 $9 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0 \
             *0 "
        );
    }
}
