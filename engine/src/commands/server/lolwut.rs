//! LOLWUT: a whimbrel, and which version draws it.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::version::{REDIS_VERSION, WHIMBREL_VERSION};

/// LOLWUT.
pub const SPEC: Spec = Spec {
    name: "lolwut",
    syntax: "[VERSION version]",
    arity: -1,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    since: "5.0.0",
    group: Group::Server,
    summary: "A whimbrel, and which version draws it.",
    route: Route::Local,
    run,
    ..Spec::BASE
};

const DRAWING: &str = r"
                  .--.
                 ( o  '--.._
               _/  /        '\
       _..--''    /           '
   .-''  .-._    /
 <______/____'--'
          | |
  ~~ ~  _/|_/|  ~  ~~~  ~
";

/// Whichever version is asked for, there is one drawing.
fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len() >= 3 && arguments.is(1, "VERSION") {
        parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    }
    let text = format!("{DRAWING}\nRedis ver. {REDIS_VERSION}, as Whimbrel {WHIMBREL_VERSION} speaks it\n");
    context.reply.verbatim("txt", text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn clients_look_for_a_version() {
        check(
            "
            LOLWUT -> $...Redis ver. ...Whimbrel ...
            LOLWUT VERSION 5 1 1 1 -> $...Redis ver. ...
            LOLWUT VERSION -> $...Redis ver. ...
            LOLWUT VERSION x -> -ERR value is not an integer or out of range
            ",
        );
    }
}
