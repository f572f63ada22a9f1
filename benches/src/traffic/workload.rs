//! Which commands are sent and in which mix: ready-made workloads and any command that is given.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

use crate::traffic::random::Random;
use crate::traffic::template::{Fillings, Template};

/// Entries of the table that picks a command by its weight.
const PICKS: usize = 1024;
/// Keys of one MSET.
const MSET_KEYS: usize = 10;

/// A ready-made mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// GET of one key.
    Get,
    /// SET of one key.
    Set,
    /// SET and GET, by `--ratio`.
    Mix,
    /// INCR of one key.
    Incr,
    /// MSET of ten keys.
    Mset,
    /// HSET of one field of a hash.
    Hset,
    /// HGET of one field of a hash.
    Hget,
    /// DEL of one key.
    Del,
    /// EXPIRE of one key.
    Expire,
    /// A cache at work: GET 50, SET 30, SET with EX 10, DEL 5, EXPIRE 5 of 100.
    Churn,
    /// PING.
    Ping,
}

/// What a fill writes per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FillKind {
    /// A string.
    String,
    /// A hash with every field.
    Hash,
}

/// The language that the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Redis' own.
    Resp,
    /// memcached's text commands (`get`, `set`).
    Memcached,
    /// memcached's meta commands (`mg`, `ms`).
    MemcachedMeta,
}

/// A command with its weight in the mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedCommand {
    /// Share of this command: weight over the sum of weights.
    pub weight: u32,
    /// The command and its arguments.
    pub arguments: Vec<String>,
}

/// A mix that cannot be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum WorkloadError {
    /// A command line without a word in it.
    EmptyCommand,
    /// memcached is only driven with gets and sets.
    NotForMemcached,
    /// The weights add up to nothing.
    NoWeight,
    /// A ratio is SETS:GETS.
    BadRatio,
}

impl fmt::Display for WorkloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyCommand => "a command needs at least its name",
            Self::NotForMemcached => "memcached is only driven with the workloads get, set and mix",
            Self::NoWeight => "at least one command needs a weight above 0",
            Self::BadRatio => "a ratio is SETS:GETS, e.g. 1:10",
        })
    }
}

impl std::error::Error for WorkloadError {}

impl FromStr for WeightedCommand {
    type Err = WorkloadError;

    /// `COMMAND ARG …` or `WEIGHT:COMMAND ARG …`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (weight, command) = match text.split_once(':') {
            Some((digits, rest)) if digits.parse::<u32>().is_ok() => (digits.parse().unwrap_or(1), rest),
            _ => (1, text),
        };
        let arguments: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if arguments.is_empty() { Err(WorkloadError::EmptyCommand) } else { Ok(Self { weight, arguments }) }
    }
}

/// SETs to GETs of the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Parts that are SET.
    pub sets: u32,
    /// Parts that are GET.
    pub gets: u32,
}

impl FromStr for Ratio {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sets, gets) = text.split_once(':').ok_or(WorkloadError::BadRatio)?;
        let part = |text: &str| text.parse::<u32>().map_err(|_| WorkloadError::BadRatio);
        let ratio = Self { sets: part(sets)?, gets: part(gets)? };
        if ratio.sets == 0 && ratio.gets == 0 { Err(WorkloadError::BadRatio) } else { Ok(ratio) }
    }
}

/// The commands of a preset, in RESP words.
pub fn preset_commands(preset: Preset, ratio: Ratio, cluster: bool) -> Vec<WeightedCommand> {
    let command = |weight: u32, text: &str| WeightedCommand {
        weight,
        arguments: text.split_whitespace().map(str::to_owned).collect(),
    };
    match preset {
        Preset::Get => vec![command(1, "GET __key__")],
        Preset::Set => vec![command(1, "SET __key__ __data__")],
        Preset::Mix => {
            vec![command(ratio.sets, "SET __key__ __data__"), command(ratio.gets, "GET __key__")]
        }
        Preset::Incr => vec![command(1, "INCR counter:__key__")],
        Preset::Mset => {
            // A cluster takes several keys only from one slot, which a hash tag gives.
            let pair = |n: usize| {
                if cluster { format!("{{__key__}}:{n} __data__") } else { "__key__ __data__".to_owned() }
            };
            let pairs: Vec<String> = (0..MSET_KEYS).map(pair).collect();
            vec![command(1, &format!("MSET {}", pairs.join(" ")))]
        }
        Preset::Hset => vec![command(1, "HSET hash:__key__ __field__ __data__")],
        Preset::Hget => vec![command(1, "HGET hash:__key__ __field__")],
        Preset::Del => vec![command(1, "DEL __key__")],
        Preset::Expire => vec![command(1, "EXPIRE __key__ 3600")],
        Preset::Churn => vec![
            command(50, "GET __key__"),
            command(30, "SET __key__ __data__"),
            command(10, "SET __key__ __data__ EX 10"),
            command(5, "DEL __key__"),
            command(5, "EXPIRE __key__ 10"),
        ],
        Preset::Ping => vec![command(1, "PING")],
    }
}

/// The command that writes one key of a fill.
pub fn fill_command(kind: FillKind, fields: u64, ttl_seconds: Option<u64>) -> WeightedCommand {
    let text = match (kind, ttl_seconds) {
        (FillKind::String, None) => "SET __key__ __data__".to_owned(),
        (FillKind::String, Some(ttl)) => format!("SET __key__ __data__ EX {ttl}"),
        (FillKind::Hash, _) => {
            let pairs: Vec<String> = (0..fields).map(|n| format!("field:{n:06} __data__")).collect();
            format!("HSET hash:__key__ {}", pairs.join(" "))
        }
    };
    WeightedCommand { weight: 1, arguments: text.split_whitespace().map(str::to_owned).collect() }
}

/// Commands ready to be sent, picked by weight.
#[derive(Clone, Debug)]
pub struct Workload {
    templates: Vec<Template>,
    /// Template numbers, each as often as its weight asks; one entry when there is one template.
    picks: Vec<u8>,
}

impl Workload {
    /// Renders the commands for the server's protocol.
    pub fn new(
        commands: &[WeightedCommand],
        protocol: Protocol,
        fillings: &Fillings,
    ) -> Result<Self, WorkloadError> {
        let templates = commands
            .iter()
            .map(|c| match protocol {
                Protocol::Resp => Ok(Template::resp(&c.arguments, fillings)),
                Protocol::Memcached | Protocol::MemcachedMeta => {
                    memcached_template(&c.arguments, protocol == Protocol::MemcachedMeta, fillings)
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        let weights: Vec<u32> = commands.iter().map(|c| c.weight).collect();
        Ok(Self { templates, picks: picks(&weights)? })
    }

    /// The number of the next command's template.
    #[inline]
    pub fn pick(&self, random: &mut Random) -> u16 {
        match self.picks[..] {
            [only] => u16::from(only),
            _ => u16::from(self.picks[random.below(PICKS as u64) as usize]),
        }
    }

    /// The template of this number.
    #[inline]
    pub fn template(&self, number: u16) -> &Template {
        &self.templates[usize::from(number)]
    }
}

fn memcached_template(
    arguments: &[String],
    meta: bool,
    fillings: &Fillings,
) -> Result<Template, WorkloadError> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let size = fillings.value.len();
    let text = match (words[..].first().map(|w| w.to_ascii_uppercase()).as_deref(), &words[1..]) {
        (Some("GET"), [key]) if meta => format!("mg {key} v\r\n"),
        (Some("GET"), [key]) => format!("get {key}\r\n"),
        (Some("SET"), [key, data]) if meta => format!("ms {key} {size}\r\n{data}\r\n"),
        (Some("SET"), [key, data]) => format!("set {key} 0 0 {size}\r\n{data}\r\n"),
        (Some("SET"), [key, data, "EX", ttl]) if meta => format!("ms {key} {size} T{ttl}\r\n{data}\r\n"),
        (Some("SET"), [key, data, "EX", ttl]) => format!("set {key} 0 {ttl} {size}\r\n{data}\r\n"),
        _ => return Err(WorkloadError::NotForMemcached),
    };
    Ok(Template::raw(&text, fillings))
}

fn picks(weights: &[u32]) -> Result<Vec<u8>, WorkloadError> {
    let total: u64 = weights.iter().map(|&w| u64::from(w)).sum();
    if total == 0 {
        return Err(WorkloadError::NoWeight);
    }
    if let [_] = weights {
        return Ok(vec![0]);
    }
    let mut table = Vec::with_capacity(PICKS);
    let mut sum = 0;
    for (number, &weight) in weights.iter().enumerate() {
        sum += u64::from(weight);
        table.resize((sum * PICKS as u64 / total) as usize, number as u8);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_parse() {
        let parsed = |text: &str| text.parse::<WeightedCommand>().map(|c| (c.weight, c.arguments.join(",")));
        assert_eq!(parsed("GET __key__"), Ok((1, "GET,__key__".into())));
        assert_eq!(parsed("3:SET h:__key__ 1"), Ok((3, "SET,h:__key__,1".into())));
        assert_eq!(parsed("SET a:1 2"), Ok((1, "SET,a:1,2".into())));
        assert_eq!(parsed("  "), Err(WorkloadError::EmptyCommand));
        assert_eq!("1:10".parse(), Ok(Ratio { sets: 1, gets: 10 }));
        for bad in ["0:0", "1", "a:b", "-1:2"] {
            assert_eq!(bad.parse::<Ratio>(), Err(WorkloadError::BadRatio), "{bad}");
        }
    }

    #[test]
    fn weights_decide_the_picks() {
        let table = picks(&[1, 3]).unwrap();
        assert_eq!(table.len(), PICKS);
        assert_eq!(table.iter().filter(|&&n| n == 0).count(), PICKS / 4);
        assert_eq!(picks(&[5]).unwrap(), [0]);
        assert_eq!(picks(&[0, 0]), Err(WorkloadError::NoWeight));
        assert_eq!(picks(&[0, 1]).unwrap(), vec![1; PICKS]);
        assert_eq!(picks(&[1, 1, 1]).unwrap().len(), PICKS);
    }

    #[test]
    fn memcached_speaks_gets_and_sets_only() {
        let fillings = Fillings { key_prefix: "k".into(), value: vec![b'v'; 2], fields: 1, random_below: 1 };
        let commands = |preset| preset_commands(preset, Ratio { sets: 1, gets: 1 }, false);
        assert!(Workload::new(&commands(Preset::Mix), Protocol::Memcached, &fillings).is_ok());
        assert!(Workload::new(&commands(Preset::Mix), Protocol::MemcachedMeta, &fillings).is_ok());
        let refused = Workload::new(&commands(Preset::Incr), Protocol::Memcached, &fillings);
        assert_eq!(refused.err(), Some(WorkloadError::NotForMemcached));
    }

    #[test]
    fn a_hash_fill_writes_every_field() {
        let command = fill_command(FillKind::Hash, 3, None);
        assert_eq!(
            command.arguments.join(" "),
            "HSET hash:__key__ field:000000 __data__ field:000001 __data__ field:000002 __data__"
        );
    }
}
