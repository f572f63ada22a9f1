//! CLIENT SETINFO: the client library introduces itself.

use super::is_word;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT SETINFO.
pub const SPEC: Spec = Spec {
    name: "client|setinfo",
    syntax: "<LIB-NAME libname | LIB-VER libver>",
    arity: 4,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "7.2.0",
    group: Group::Connection,
    summary: "Tells the name or version of the client library.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (attribute, value) = (arguments.at(2), arguments.at(3));
    let shown = String::from_utf8_lossy(attribute);
    let place = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => &mut context.session.lib_name,
        b"lib-ver" => &mut context.session.lib_version,
        _ => return Err(CommandError::text(format!("ERR Unrecognized option '{shown}'"))),
    };
    if !is_word(value) {
        return Err(CommandError::text(format!(
            "ERR {shown} cannot contain spaces, newlines or special characters."
        )));
    }
    *place = value.to_vec();
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn the_library_is_shown() {
        check(
            r#"
            CLIENT SETINFO lib-name redis-py -> +OK
            CLIENT SETINFO LIB-VER 5.0 -> +OK
            CLIENT INFO -> ... lib-name=redis-py lib-ver=5.0 ...
            CLIENT SETINFO lib-ver "a b" -> -ERR lib-ver cannot contain spaces, newlines or special characters.
            CLIENT SETINFO color red -> -ERR Unrecognized option 'color'
            CLIENT SETINFO lib-ver "" -> +OK
            CLIENT INFO -> ... lib-name=redis-py lib-ver= ...
            "#,
        );
    }
}
