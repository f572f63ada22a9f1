//! READWRITE: takes READONLY back.

use super::require_cluster;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// READWRITE.
pub const SPEC: Spec = Spec {
    name: "readwrite",
    arity: 1,
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Takes READONLY back.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    require_cluster(context)?;
    context.session.readonly = false;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn belongs_to_cluster_mode() {
        check(
            r#"
            READWRITE -> -ERR This instance has cluster support disabled
            @cores 2
            READWRITE -> +OK
            READONLY -> +OK
            CLIENT INFO -> ... flags=r ...
            READWRITE -> +OK
            CLIENT INFO -> ... flags=N ...
            "#,
        );
    }
}
