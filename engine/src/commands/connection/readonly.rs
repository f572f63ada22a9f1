//! READONLY: reads from a replica's slots are welcome.

use super::require_cluster;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// READONLY.
pub const SPEC: Spec = Spec {
    name: "readonly",
    arity: 1,
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Allows reads of slots that this node only replicates.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    require_cluster(context)?;
    context.session.readonly = true;
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
            READONLY -> -ERR This instance has cluster support disabled
            @cores 2
            READONLY -> +OK
            "#,
        );
    }
}
