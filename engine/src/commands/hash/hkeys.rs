//! HKEYS: the names of all fields.

use super::listing::{What, list};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HKEYS.
pub const SPEC: Spec = Spec {
    name: "hkeys",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output_order"],
    since: "2.0.0",
    group: Group::Hash,
    summary: "The names of all fields of a hash.",
    complexity: "O(N) where N is the number of fields in the hash",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    list(context, arguments, What::Names)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_what_is_there() {
        check(
            r#"
            HKEYS h -> *0
            HSET h a 1 b 2 -> :2
            HKEYS h -> *2 $1 a $1 b
            2> HELLO 3 -> %...
            2> HKEYS h -> *2 $1 a $1 b
            HPEXPIRE h 10 FIELDS 2 a b -> *2 :1 :1
            @after 10
            HKEYS h -> *0
            SET s v -> +OK
            HKEYS s -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
