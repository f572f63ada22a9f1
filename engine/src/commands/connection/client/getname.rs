//! CLIENT GETNAME: the connection's name.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT GETNAME.
pub const SPEC: Spec = Spec {
    name: "client|getname",
    arity: 2,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "2.6.9",
    group: Group::Connection,
    summary: "The name of this connection.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let name = &context.session.name;
    context.reply.bulk_or_null((!name.is_empty()).then_some(name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_connection_has_no_name_at_first() {
        check(
            r#"
            CLIENT GETNAME -> $-1
            CLIENT SETNAME me -> +OK
            CLIENT GETNAME -> $2 me
            "#,
        );
    }
}
