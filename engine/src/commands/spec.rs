//! What a command is: one constant per command, from which COMMAND, routing, ACL groups and docs follow.

use super::categories::Categories;
use super::context::Context;
use super::error::CommandError;
use super::flags::{Flag, Flags};
use super::keys::{Access, Keys};
use super::route::Route;
use crate::resp::Arguments;

/// What carries a command out. Arity, password and memory were checked.
pub type Run = fn(&mut Context<'_>, &Arguments<'_>) -> Result<(), CommandError>;

/// What a command is. Write it as `Spec { name: "get", …, ..Spec::BASE }`.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The name in lower case; a subcommand is called `client|list`.
    pub name: &'static str,
    /// What follows the name, for people: `key [NX | XX]`.
    pub syntax: &'static str,
    /// The number of arguments, the name (and subcommand) included; negative: at least as many.
    pub arity: i32,
    /// What it may do.
    pub flags: Flags,
    /// ACL categories beyond those that follow from the flags.
    pub acl: Categories,
    /// Which arguments are keys.
    pub keys: Keys,
    /// What it does with its keys where that depends on the arguments (`Access::VARIABLE`).
    pub access: Option<fn(&Arguments<'_>) -> Access>,
    /// Hints for clients that send a command to several nodes.
    pub tips: &'static [&'static str],
    /// The Redis or Valkey version that had it first.
    pub since: &'static str,
    /// The chapter it belongs to.
    pub group: Group,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it costs.
    pub complexity: &'static str,
    /// Its subcommands; a command that has some does nothing else.
    pub subcommands: &'static [&'static Spec],
    /// On which cores it runs.
    pub route: Route,
    /// What carries it out.
    pub run: Run,
}

impl Spec {
    /// What most commands leave as it is. Its `run` answers that the subcommand is unknown.
    pub const BASE: Self = Self {
        name: "",
        syntax: "",
        arity: 1,
        flags: Flags::NONE,
        acl: Categories::NONE,
        keys: Keys::None,
        access: None,
        tips: &[],
        since: "1.0.0",
        group: Group::Generic,
        summary: "",
        complexity: "O(1)",
        subcommands: &[],
        route: Route::Local,
        run: unknown_subcommand,
    };

    /// All its ACL categories.
    pub const fn categories(&self) -> Categories {
        self.acl.with_implied(self.flags)
    }

    /// Whether `count` arguments (name included) may be right.
    #[inline]
    pub const fn accepts(&self, count: usize) -> bool {
        if self.arity >= 0 {
            count == self.arity as usize
        } else {
            count >= self.arity.unsigned_abs() as usize
        }
    }

    /// The last word of the name: `list` of `client|list`.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('|').next().unwrap_or(self.name)
    }

    /// Whether it may change data.
    #[inline]
    pub const fn is_write(&self) -> bool {
        self.flags.has(Flag::Write)
    }
}

/// The error for a subcommand that a container does not have.
pub fn unknown_subcommand(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    const SHOWN_MAX: usize = 128;
    let word = arguments.opt(1).unwrap_or_default();
    let word = String::from_utf8_lossy(&word[..word.len().min(SHOWN_MAX)]);
    let name = context.spec.name.to_ascii_uppercase();
    Err(CommandError::Text(format!("ERR unknown subcommand '{word}'. Try {name} HELP.")))
}

/// The chapter a command belongs to, as COMMAND DOCS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Redis' own and say it all")]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// The name as COMMAND DOCS writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Hash => "hash",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Scripting => "scripting",
            Self::HyperLogLog => "hyperloglog",
            Self::Cluster => "cluster",
            Self::Geo => "geo",
            Self::Stream => "stream",
            Self::Bitmap => "bitmap",
        }
    }
}
