//! The command line: every parameter of the table is an option `--name value`.

use crate::cluster::options::ClusterOptions;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use whimbrel_engine::config::{Config, Group, Kind, Parameter, default_of, parameters, remedy, takes};

/// What the process is to be.
#[derive(Debug)]
pub enum Request {
    /// A server.
    Serve(Options),
    /// An operator's tool.
    Cluster(ClusterOptions),
}

/// What the command line says of a server.
#[derive(Debug)]
pub struct Options {
    /// The configuration file (`--config`).
    pub file: Option<PathBuf>,
    /// What the parameters are set to, in the order of the command line.
    pub settings: Vec<Setting>,
}

/// A parameter and the words behind it.
#[derive(Debug)]
pub struct Setting {
    parameter: &'static Parameter,
    words: Vec<Vec<u8>>,
}

/// Reads the command line. `Err` is what to print and the status to leave with, `--help` and `--version` included.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Leave> {
    let matches = command().try_get_matches_from(arguments).map_err(|error| Leave::from_clap(&error))?;
    if let Some(matches) = matches.subcommand_matches("cluster") {
        let options = ClusterOptions::from_arg_matches(matches).map_err(|error| Leave::from_clap(&error))?;
        return Ok(Request::Cluster(options));
    }
    let matches = matches.subcommand_matches("serve").unwrap_or(&matches);
    let file = matches.get_one::<PathBuf>("config").cloned();
    Ok(Request::Serve(Options { file, settings: settings(matches) }))
}

/// What to print before leaving.
#[derive(Debug)]
pub struct Leave {
    /// The text.
    pub text: StyledStr,
    /// Whether it was asked for, or is an error.
    pub asked: bool,
}

impl Leave {
    fn from_clap(error: &clap::Error) -> Self {
        let mut text = error.render();
        if error.kind() == ErrorKind::UnknownArgument
            && let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidArg)
            && let Some(remedy) = remedy(name.trim_start_matches('-').as_bytes())
        {
            text = StyledStr::from(format!("error: there is no option `{name}`.\nIn Whimbrel: {remedy}.\n"));
        }
        Self { text, asked: !error.use_stderr() }
    }
}

impl Options {
    /// Sets what the command line says. The error names the option and what it takes.
    pub fn apply(&self, config: &mut Config) -> Result<(), String> {
        for Setting { parameter, words } in &self.settings {
            parameter.assign(config, words).map_err(|rejection| {
                let name = parameter.name;
                format!("`--{name}`: {rejection}. It takes: {}.", takes(&parameter.kind))
            })?;
        }
        Ok(())
    }

    /// Whether the command line sets this parameter.
    pub fn sets(&self, name: &str) -> bool {
        self.settings.iter().any(|setting| setting.parameter.name == name)
    }
}

fn command() -> Command {
    let about = "A RESP-compatible cache engine for Linux: one pinned thread per core on io_uring.";
    let after = "The command line goes before the file, the file before the defaults. A parameter of the file has the \
                 same name, without `--`; CONFIG GET and CONFIG SET take it too.";
    let serve = Command::new("serve").about("Serve clients (this is also what happens without a command)");
    let cluster = Command::new("cluster").about("Look at a cluster or a process, and move slots");
    Command::new("whimbrel")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(after)
        .args(arguments())
        .args_override_self(true)
        .args_conflicts_with_subcommands(true)
        .subcommand(serve.after_help(after).args(arguments()).args_override_self(true))
        .subcommand(ClusterOptions::augment_args(cluster))
}

fn arguments() -> Vec<Arg> {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Configuration file, in the format of redis.conf");
    let mut rows: Vec<&Parameter> = parameters().collect();
    rows.sort_by_key(|row| row.group);
    [file].into_iter().chain(rows.into_iter().map(argument)).collect()
}

fn argument(row: &'static Parameter) -> Arg {
    let default = default_of(row);
    let mut help = row.doc.trim().to_owned();
    if let Kind::Choice(names) = row.kind {
        help.push_str(&format!(" [{}]", names.join(", ")));
    }
    if default != "\"\"" {
        help.push_str(&format!(" [default: {default}]"));
    }
    let argument = Arg::new(row.name)
        .long(row.name)
        .aliases(row.aliases.iter().copied())
        .value_name(placeholder(&row.kind))
        .value_parser(clap::value_parser!(OsString))
        .help(help)
        .help_heading(heading(row.group))
        // What has one value only is accepted, and need not be read about.
        .hide(matches!(row.kind, Kind::Only { .. }));
    match row.kind {
        // Every occurrence adds to the ones before: each sets the limits of other classes.
        Kind::OutputLimits => argument.num_args(1..).action(ArgAction::Append),
        kind if kind.is_list() => argument.num_args(1..).action(ArgAction::Set),
        Kind::Integer { .. } => argument.action(ArgAction::Set).allow_negative_numbers(true),
        _ => argument.action(ArgAction::Set),
    }
}

fn placeholder(kind: &Kind) -> &'static str {
    match kind {
        Kind::YesNo => "yes|no",
        Kind::Integer { .. } => "NUMBER",
        Kind::Mode { .. } => "MODE",
        Kind::Bytes { .. } => "SIZE",
        Kind::Percent { .. } => "PERCENT",
        Kind::Cpus => "CPUS",
        Kind::Secret => "PASSWORD",
        Kind::OutputLimits => "CLASS HARD SOFT SECONDS",
        Kind::Words { .. } | Kind::Percentiles => "LIST",
        Kind::Choice(_) | Kind::Text | Kind::Only { .. } => "VALUE",
    }
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Network => "Network",
        Group::Clients => "Clients",
        Group::Memory => "Memory",
        Group::Cores => "Cores",
        Group::Cluster => "Cluster",
        Group::Moves => "Slots that move",
        Group::Types => "Types",
        Group::Observing => "Observing",
        Group::Process => "Process",
        Group::Persistence => "Persistence",
    }
}

fn settings(matches: &ArgMatches) -> Vec<Setting> {
    let mut settings = Vec::new();
    for parameter in parameters() {
        let occurrences = matches.get_occurrences::<OsString>(parameter.name).into_iter().flatten();
        for words in occurrences {
            let words = words.map(|word| word.as_bytes().to_vec()).collect();
            settings.push(Setting { parameter, words });
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::config::MaxmemoryPolicy;

    fn options(line: &str) -> Result<Options, Leave> {
        serving(read(line.split(' ').map(OsString::from)))
    }

    fn serving(request: Result<Request, Leave>) -> Result<Options, Leave> {
        request.map(|request| match request {
            Request::Serve(options) => options,
            Request::Cluster(_) => panic!("no server"),
        })
    }

    #[test]
    fn operators_have_commands_of_their_own() {
        let read = read(["whimbrel", "cluster", "status", "--json"].map(OsString::from));
        assert!(matches!(read, Ok(Request::Cluster(options)) if options.json));
    }

    fn config(line: &str) -> Result<Config, String> {
        let mut config = Config::default();
        options(line).map_err(|leave| leave.text.to_string())?.apply(&mut config)?;
        Ok(config)
    }

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn parameters_are_options_with_and_without_the_command() {
        for start in ["whimbrel", "whimbrel serve"] {
            let config = config(&format!(
                "{start} --port 7 --bind 127.0.0.1 ::1 --maxmemory 1gb --maxmemory-policy allkeys-lru --port 8 \
                 --slowlog-log-slower-than -1 --cores 0,1 --hash-max-ziplist-entries 9 --appendonly no \
                 --client-output-buffer-limit normal 1 2 3 --client-output-buffer-limit pubsub 4 5 6"
            ))
            .unwrap();
            assert_eq!((config.port, config.maxmemory, config.slowlog_log_slower_than), (8, 1 << 30, -1));
            assert_eq!(config.bind, ["127.0.0.1", "::1"]);
            assert_eq!(config.maxmemory_policy, MaxmemoryPolicy::AllkeysLru);
            assert_eq!((config.cores.as_slice(), config.hash_max_listpack_entries), (&[0, 1][..], 9));
            assert_eq!(
                config.client_output_buffer_limit.text(),
                "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6"
            );
        }
    }

    #[test]
    fn words_may_be_empty_or_begin_with_a_hyphen() {
        let words = |list: &[&str]| serving(read(list.iter().map(OsString::from))).unwrap();
        let options = words(&["whimbrel", "--save", "", "--bind=-::1 127.0.0.1", "--requirepass", ""]);
        let mut config = Config::default();
        options.apply(&mut config).unwrap();
        assert_eq!(config.bind, ["-::1", "127.0.0.1"]);
        assert!(options.sets("save") && !options.sets("port"));
    }

    #[test]
    fn errors_say_what_to_do() {
        let cases = [
            (
                "whimbrel --port x",
                "`--port`: argument couldn't be parsed into an integer. It takes: number, 0 to 65535.",
            ),
            (
                "whimbrel --appendonly yes",
                "`--appendonly`: the only value is no: Whimbrel keeps no data on disk yet; \
                                           set it to this or leave it out. It takes: only no.",
            ),
            (
                "whimbrel --tls-port 1",
                "error: there is no option `--tls-port`.\nIn Whimbrel: there is no TLS yet; put a \
                                       TLS proxy in front, and leave it out.\n",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(config(line).unwrap_err(), expected, "{line}");
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        let version = options("whimbrel --version").unwrap_err();
        assert_eq!(
            (version.text.to_string(), version.asked),
            (format!("whimbrel {}\n", env!("CARGO_PKG_VERSION")), true)
        );
        let help = options("whimbrel serve --help").unwrap_err();
        assert!(help.asked);
        let text = help.text.to_string();
        for part in ["Network:", "--maxmemory <", "[default: 127.0.0.1]", "--config <FILE>"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains("--save"));
        assert!(!options("whimbrel --nonsense").unwrap_err().asked);
    }
}
