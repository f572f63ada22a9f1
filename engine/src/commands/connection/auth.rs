//! AUTH: gives the password.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// AUTH.
pub const SPEC: Spec = Spec {
    name: "auth",
    syntax: "[username] password",
    arity: -2,
    flags: Flags::of(&[
        Flag::NoScript,
        Flag::Loading,
        Flag::Stale,
        Flag::Fast,
        Flag::NoAuth,
        Flag::AllowBusy,
    ]),
    acl: Categories::of(&[Category::Connection]),
    since: "1.0.0",
    group: Group::Connection,
    summary: "Gives the password, so that other commands may run.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.redacted_from = Some(1);
    let (user, password) = match arguments.len() {
        2 if !context.core.needs_password() => {
            return Err(CommandError::Static(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                 your configuration is correct?",
            ));
        }
        2 => (&b"default"[..], arguments.at(1)),
        3 => (arguments.at(1), arguments.at(2)),
        _ => return Err(CommandError::Syntax),
    };
    authenticate(context, user, password)?;
    context.reply.ok();
    Ok(())
}

/// Lets the session in if the password is right. There is one user, `default`; without `requirepass` any password
/// is right.
pub fn authenticate(context: &mut Context<'_>, user: &[u8], password: &[u8]) -> Result<(), CommandError> {
    let is_right = !context.core.needs_password() || context.core.config.requirepass.accepts(password);
    if user != b"default" || !is_right {
        context.core.stats.auth_failures += 1;
        return Err(CommandError::Static("WRONGPASS invalid username-password pair or user is disabled."));
    }
    context.session.authenticated = true;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn without_a_password_nobody_is_asked() {
        check(
            r#"
            AUTH x -> -ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
            AUTH default x -> +OK
            AUTH bob x -> -WRONGPASS invalid username-password pair or user is disabled.
            AUTH a b c -> -ERR syntax error
            AUTH -> -ERR wrong number of arguments for 'auth' command
            "#,
        );
    }

    #[test]
    fn with_a_password_it_comes_first() {
        check(
            r#"
            @config requirepass secret
            PING -> -NOAUTH Authentication required.
            nonsense -> -ERR unknown command 'nonsense', with args beginning with: 
            AUTH wrong -> -WRONGPASS invalid username-password pair or user is disabled.
            AUTH bob secret -> -WRONGPASS invalid username-password pair or user is disabled.
            PING -> -NOAUTH Authentication required.
            AUTH secret -> +OK
            PING -> +PONG
            2> PING -> -NOAUTH Authentication required.
            2> AUTH default secret -> +OK
            2> PING -> +PONG
            INFO stats -> $...acl_access_denied_auth:2 ...
            "#,
        );
    }
}
