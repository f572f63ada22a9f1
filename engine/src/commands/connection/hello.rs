//! HELLO: agrees on the protocol version, and gives password and name at once.

use super::auth::authenticate;
use super::client::check_name;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::resp::Protocol;
use crate::version::{REDIS_VERSION, SERVER_NAME};

/// HELLO.
pub const SPEC: Spec = Spec {
    name: "hello",
    syntax: "[protover [AUTH username password] [SETNAME clientname]]",
    arity: -1,
    flags: Flags::of(&[
        Flag::NoScript,
        Flag::Loading,
        Flag::Stale,
        Flag::Fast,
        Flag::NoAuth,
        Flag::AllowBusy,
    ]),
    acl: Categories::of(&[Category::Connection]),
    since: "6.0.0",
    group: Group::Connection,
    summary: "Agrees on the protocol version and introduces both sides.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let protocol = match arguments.opt(1).map(parse_i64) {
        None => None,
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(CommandError::Static("NOPROTO unsupported protocol version")),
        Some(None) => {
            return Err(CommandError::Static("ERR Protocol version is not an integer or out of range"));
        }
    };
    let options = Options::parse(context, &arguments.from(2))?;
    if let Some((user, password)) = options.auth {
        authenticate(context, user, password)?;
    }
    if !context.session.authenticated && context.core.needs_password() {
        return Err(CommandError::Static(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
             the same time",
        ));
    }
    if let Some(name) = options.name {
        context.session.name = name.to_vec();
    }
    if let Some(protocol) = protocol {
        context.session.protocol = protocol;
        context.reply.set_protocol(protocol);
    }
    introduce(context);
    Ok(())
}

#[derive(Default)]
struct Options<'a> {
    auth: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(context: &mut Context<'_>, words: &Arguments<'a>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        let mut at = 0;
        while at < words.len() {
            match (words.opt(at + 1), words.opt(at + 2)) {
                (Some(user), Some(password)) if words.is(at, "AUTH") => {
                    // Whatever follows in the slow log's entry would tell the password.
                    context.core.redacted_from = Some(2);
                    options.auth = Some((user, password));
                    at += 3;
                }
                (Some(name), _) if words.is(at, "SETNAME") => {
                    check_name(name)?;
                    options.name = Some(name);
                    at += 2;
                }
                _ => {
                    let word = String::from_utf8_lossy(words.at(at));
                    return Err(CommandError::text(format!("ERR Syntax error in HELLO option '{word}'")));
                }
            }
        }
        Ok(options)
    }
}

fn introduce(context: &mut Context<'_>) {
    let mode = if context.core.config.cluster_enabled { "cluster" } else { "standalone" };
    let (id, protocol) = (context.session.id.0, context.session.protocol);
    let reply = &mut *context.reply;
    reply.map(7);
    for (name, value) in [("server", SERVER_NAME), ("version", REDIS_VERSION)] {
        reply.bulk(name);
        reply.bulk(value);
    }
    for (name, value) in [("proto", protocol.version()), ("id", id as i64)] {
        reply.bulk(name);
        reply.integer(value);
    }
    for (name, value) in [("mode", mode), ("role", "master")] {
        reply.bulk(name);
        reply.bulk(value);
    }
    reply.bulk("modules");
    reply.array(0);
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn switches_the_protocol() {
        check(
            r#"
            HELLO -> *14 $6 server $5 redis $7 version $5 ... $5 proto :2 $2 id :1 $4 mode $10 standalone $4 role $6 master $7 modules *0
            HELLO 3 -> %7 $6 server $5 redis $7 version $5 ... $5 proto :3 $2 id :1 $4 mode ... $7 modules *0
            CLIENT GETNAME -> _
            HELLO -> %7 ... $5 proto :3 ...
            HELLO 2 SETNAME me -> *14 ...
            CLIENT GETNAME -> $2 me
            HELLO 4 -> -NOPROTO unsupported protocol version
            HELLO x -> -ERR Protocol version is not an integer or out of range
            HELLO 3 foo -> -ERR Syntax error in HELLO option 'foo'
            HELLO 3 AUTH default -> -ERR Syntax error in HELLO option 'AUTH'
            HELLO 3 SETNAME "a b" -> -ERR Client names cannot contain spaces, newlines or special characters.
            CLIENT GETNAME -> $2 me
            "#,
        );
    }

    #[test]
    fn gives_the_password() {
        check(
            r#"
            @config requirepass secret
            HELLO 3 -> -NOAUTH HELLO must be called with the client already authenticated, otherwise ...
            HELLO 3 AUTH default wrong -> -WRONGPASS invalid username-password pair or user is disabled.
            PING -> -NOAUTH Authentication required.
            HELLO 3 AUTH default secret SETNAME me -> %7 ...
            CLIENT GETNAME -> $2 me
            "#,
        );
    }

    #[test]
    fn tells_the_mode() {
        check(
            r#"
            @cores 2
            HELLO -> ... $4 mode $7 cluster ...
            "#,
        );
    }
}
