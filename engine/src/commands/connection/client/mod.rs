//! CLIENT: this connection and the others.

mod getname;
mod help;
mod id;
mod info;
mod kill;
mod list;
mod maint_notifications;
mod no_evict;
mod no_touch;
mod pause;
mod reply;
mod setinfo;
mod setname;
mod unpause;

use crate::commands::{CommandError, Group, Spec};

/// CLIENT.
pub const SPEC: Spec = Spec {
    name: "client",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "2.4.0",
    group: Group::Connection,
    summary: "Commands about connections.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &getname::SPEC,
        &help::SPEC,
        &id::SPEC,
        &info::SPEC,
        &kill::SPEC,
        &list::SPEC,
        &maint_notifications::SPEC,
        &no_evict::SPEC,
        &no_touch::SPEC,
        &pause::SPEC,
        &reply::SPEC,
        &setinfo::SPEC,
        &setname::SPEC,
        &unpause::SPEC,
    ],
    ..Spec::BASE
};

/// Refuses a name that would break the lines of CLIENT LIST.
pub fn check_name(name: &[u8]) -> Result<(), CommandError> {
    if is_word(name) {
        return Ok(());
    }
    Err(CommandError::Static("ERR Client names cannot contain spaces, newlines or special characters."))
}

/// Whether `text` is printable ASCII without blanks.
fn is_word(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

fn on_or_off(word: &[u8]) -> Result<bool, CommandError> {
    if word.eq_ignore_ascii_case(b"ON") {
        Ok(true)
    } else if word.eq_ignore_ascii_case(b"OFF") {
        Ok(false)
    } else {
        Err(CommandError::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn unknown_subcommands_get_the_standard_error() {
        check(
            "
            CLIENT foo -> -ERR unknown subcommand 'foo'. Try CLIENT HELP.
            CLIENT TRACKING on -> -ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.
            CLIENT -> -ERR wrong number of arguments for 'client' command
            ",
        );
    }
}
