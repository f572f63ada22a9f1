//! HGETALL: all fields with their values.

use super::listing::{What, list};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HGETALL.
pub const SPEC: Spec = Spec {
    name: "hgetall",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output_order"],
    since: "2.0.0",
    group: Group::Hash,
    summary: "All fields of a hash with their values.",
    complexity: "O(N) where N is the number of fields in the hash",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    list(context, arguments, What::Both)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};

    #[test]
    fn shows_every_field_once() {
        check(
            r#"
            HGETALL h -> *0
            HSET h a 1 b 2 -> :2
            HGETALL h -> *4 $1 a $1 1 $1 b $1 2
            2> HELLO 3 -> %...
            2> HGETALL h -> %2 $1 a $1 1 $1 b $1 2
            2> HGETALL x -> %0
            HSET h a 3 -> :0
            HGETALL h -> *4 $1 a $1 3 $1 b $1 2
            HPEXPIRE h 10 FIELDS 1 a -> *1 :1
            @after 10
            HGETALL h -> *2 $1 b $1 2
            2> HGETALL h -> %1 $1 b $1 2
            SET s v -> +OK
            HGETALL s -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }

    #[test]
    fn the_header_counts_live_fields_of_a_table() {
        let mut bench = Bench::default();
        for field in 0..600 {
            bench.check(&format!("HSET h {field} v -> :1"));
        }
        bench.check("HPEXPIRE h 10 FIELDS 2 17 18 -> *2 :1 :1");
        bench.check("HGETALL h -> *1200 ...");
        bench.check("@after 10");
        bench.check("HGETALL h -> *1196 ...");
        bench.check("HLEN h -> :600");
        bench.check("2> HELLO 3 -> %...");
        bench.check("2> HGETALL h -> %598 ...");
    }
}
