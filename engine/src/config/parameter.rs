//! One row of the table: all that is known of a parameter.

use super::kind::{Kind, Rejection};
use super::table::Config;
use super::value::Value;

/// Under which heading a parameter is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Where Whimbrel listens, and to whom.
    Network,
    /// What a client may use.
    Clients,
    /// How much memory, and what happens when it is full.
    Memory,
    /// Which CPUs, and how their time is shared.
    Cores,
    /// Slots and nodes.
    Cluster,
    /// Slots that move.
    Moves,
    /// How values are laid out.
    Types,
    /// What is logged and measured.
    Observing,
    /// The process.
    Process,
    /// What is on disk.
    Persistence,
}

/// When a parameter may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Only on the command line and in the file.
    Start,
    /// Also by CONFIG SET.
    Runtime,
}

/// All that is known of a parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the file, in CONFIG and, behind `--`, on the command line.
    pub name: &'static str,
    /// Older names that mean the same.
    pub aliases: &'static [&'static str],
    /// Its heading.
    pub group: Group,
    /// When it may change.
    pub when: When,
    /// What it takes.
    pub kind: Kind,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    pub(super) read: fn(&Config) -> Value,
    pub(super) write: fn(&mut Config, Value),
}

impl Parameter {
    /// The value in `config`, as CONFIG GET prints it.
    pub fn text(&self, config: &Config) -> Vec<u8> {
        self.kind.text(&(self.read)(config))
    }

    /// The value at the start, as CONFIG GET prints it.
    pub fn default_text(&self) -> Vec<u8> {
        self.text(&Config::default())
    }

    /// Whether one of its names is `name`, in either case.
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.names().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
    }

    /// Its name, then its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.aliases.iter().copied())
    }

    /// Reads `words` into `config`, or leaves it as it was. For the start; a running process is changed by
    /// [`Config::set`].
    pub fn assign(&self, config: &mut Config, words: &[Vec<u8>]) -> Result<(), Rejection> {
        let value = self.kind.read(words, &(self.read)(config))?;
        let ceiling = config.ceilings.clients;
        if self.name == "maxclients" && matches!(value, Value::Integer(clients) if clients > ceiling.into()) {
            return Err(Rejection::ClientsBeyondCeiling(ceiling));
        }
        (self.write)(config, value);
        Ok(())
    }
}
