//! ASKING: the next command may use a slot that is just arriving.

use super::require_cluster;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// ASKING.
pub const SPEC: Spec = Spec {
    name: "asking",
    arity: 1,
    flags: Flags::of(&[Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Lets the next command use a slot that is just arriving.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    require_cluster(context)?;
    context.session.asking = true;
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
            ASKING -> -ERR This instance has cluster support disabled
            @cores 2
            ASKING -> +OK
            "#,
        );
    }
}
