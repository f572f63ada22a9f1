//! COMMAND INFO: what some commands are.

use super::describe::describe;
use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Group, SPECS, Spec, lookup_full,
};
use crate::resp::Arguments;

/// COMMAND INFO.
pub const SPEC: Spec = Spec {
    name: "command|info",
    syntax: "[command-name ...]",
    arity: -2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output_order"],
    since: "2.8.13",
    group: Group::Server,
    summary: "What the named commands are: arity, flags, keys, categories.",
    complexity: "O(N) where N is the number of commands",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len() == 2 {
        context.reply.array(SPECS.len());
        SPECS.iter().for_each(|spec| describe(context.reply, spec));
        return Ok(());
    }
    context.reply.array(arguments.len() - 2);
    for name in arguments.from(2).iter() {
        match lookup_full(name) {
            Some(found) => describe(context.reply, found.spec),
            None => context.reply.null(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn unknown_names_are_null() {
        check(
            r#"
            COMMAND INFO echo nosuch CLIENT|ID client|nosuch -> *4 *10 $4 echo :2 *3 +loading +stale +fast :0 :0 :0 *2 +@fast +@connection *0 *0 *0 $-1 *10 $9 client|id :2 ... $-1
            COMMAND INFO -> *...
            HELLO 3 -> %...
            COMMAND INFO echo nosuch -> *2 *10 $4 echo :2 ~3 +loading +stale +fast :0 :0 :0 ~2 +@fast +@connection ~0 ~0 ~0 _
            "#,
        );
    }
}
