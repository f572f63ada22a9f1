//! COMMAND LIST: the names of commands.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec, all};
use crate::glob::{Case, matches};
use crate::resp::Arguments;

/// COMMAND LIST.
pub const SPEC: Spec = Spec {
    name: "command|list",
    syntax: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
    arity: -2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output_order"],
    since: "7.0.0",
    group: Group::Server,
    summary: "The names of all commands, or of those that a filter lets through.",
    complexity: "O(N) where N is the number of commands",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let filter = Filter::parse(&arguments.from(2))?;
    let names: Vec<_> = all().map(|found| found.spec).filter(|spec| filter.admits(spec)).collect();
    context.reply.array(names.len());
    names.iter().for_each(|spec| context.reply.bulk(spec.name));
    Ok(())
}

enum Filter<'a> {
    /// No subcommands.
    Commands,
    /// Nothing: there are no modules, and no categories of other names.
    Nothing,
    Category(Category),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn parse(words: &Arguments<'a>) -> Result<Self, CommandError> {
        let value = words.opt(2);
        match value {
            None if words.is_empty() => Ok(Self::Commands),
            Some(value) if words.len() == 3 && words.is(0, "FILTERBY") => match () {
                () if words.is(1, "MODULE") => Ok(Self::Nothing),
                () if words.is(1, "ACLCAT") => {
                    Ok(Category::named(value).map_or(Self::Nothing, Self::Category))
                }
                () if words.is(1, "PATTERN") => Ok(Self::Pattern(value)),
                () => Err(CommandError::Syntax),
            },
            _ => Err(CommandError::Syntax),
        }
    }

    fn admits(&self, spec: &Spec) -> bool {
        match self {
            Self::Commands => !spec.name.contains('|'),
            Self::Nothing => false,
            Self::Category(category) => spec.categories().has(*category),
            Self::Pattern(pattern) => matches(pattern, spec.name.as_bytes(), Case::Insensitive),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn filters_narrow_down() {
        check(
            r#"
            COMMAND LIST -> *...$4 ping ...
            COMMAND LIST FILTERBY PATTERN ECH? -> *1 $4 echo
            COMMAND LIST FILTERBY PATTERN client|get* -> *1 $14 client|getname
            COMMAND LIST FILTERBY ACLCAT connection -> *...$4 ping ...
            COMMAND LIST FILTERBY ACLCAT nosuch -> *0
            COMMAND LIST FILTERBY MODULE json -> *0
            COMMAND LIST FILTERBY foo bar -> -ERR syntax error
            COMMAND LIST x -> -ERR syntax error
            "#,
        );
    }
}
