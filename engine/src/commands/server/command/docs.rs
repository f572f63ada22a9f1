//! COMMAND DOCS: what commands are for, in words.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Group, SPECS, Spec, lookup_full,
};
use crate::resp::Arguments;
use crate::resp::Reply;

/// COMMAND DOCS.
pub const SPEC: Spec = Spec {
    name: "command|docs",
    syntax: "[command-name ...]",
    arity: -2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output_order"],
    since: "7.0.0",
    group: Group::Server,
    summary: "What the named commands are for, in words.",
    complexity: "O(N) where N is the number of commands",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len() == 2 {
        context.reply.map(SPECS.len());
        SPECS.iter().for_each(|spec| document(context.reply, spec));
        return Ok(());
    }
    let found: Vec<_> = arguments.from(2).iter().filter_map(lookup_full).collect();
    context.reply.map(found.len());
    found.iter().for_each(|found| document(context.reply, found.spec));
    Ok(())
}

fn document(reply: &mut Reply, spec: &Spec) {
    let texts = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
        ("complexity", spec.complexity),
    ];
    reply.bulk(spec.name);
    reply.map(texts.len() + usize::from(!spec.subcommands.is_empty()));
    for (name, text) in texts {
        reply.bulk(name);
        reply.bulk(text);
    }
    if !spec.subcommands.is_empty() {
        reply.bulk("subcommands");
        reply.map(spec.subcommands.len());
        spec.subcommands.iter().for_each(|spec| document(reply, spec));
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn unknown_names_are_left_out() {
        check(
            r#"
            COMMAND DOCS echo nosuch -> *2 $4 echo *8 $7 summary $22 Says the message back. $5 since $5 1.0.0 $5 group $10 connection $10 complexity $4 O(1)
            HELLO 3 -> %...
            COMMAND DOCS nosuch -> %0
            COMMAND DOCS client -> %1 $6 client %5 $7 summary ... $11 subcommands %... $9 client|id %4 $7 summary ...
            COMMAND DOCS -> %...
            "#,
        );
    }
}
