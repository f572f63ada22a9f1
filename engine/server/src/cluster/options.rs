//! The command line of `whimbrel cluster`.

use clap::{Args, Subcommand, ValueEnum};

/// What an operator does with a running cluster, or with the cores of one process.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Any node of the cluster.
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:6379")]
    pub node: String,
    /// Password of the nodes; without it WHIMBREL_PASSWORD of the environment is taken.
    #[arg(long, global = true, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Print JSON for programs instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// What is to be done.
    #[command(subcommand)]
    pub action: Action,
}

/// What is to be done.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the slots that nobody owns to all nodes, evenly.
    Init {
        /// Give out the slots of nodes that are gone too; what was in them is lost.
        #[arg(long)]
        lost: bool,
        /// Say what would be given, and give nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show nodes, slots, keys, bytes, load, and moves.
    Status {
        /// Show it again every second, until interrupted.
        #[arg(long)]
        watch: bool,
    },
    /// Move slots to a node while they are in use, and show how far that is. What has arrived already is left out, so the
    /// same command goes on where it was interrupted.
    Move {
        /// Slots, such as `0-99,200`, or `all`.
        slots: String,
        /// Where they go: a node's id, the beginning of one, or HOST:PORT.
        #[arg(long, value_name = "NODE")]
        to: String,
        /// Move those among them that this node owns.
        #[arg(long, value_name = "NODE")]
        from: Option<String>,
        /// Say what that would take, and move nothing.
        #[arg(long)]
        dry_run: bool,
        /// Begin, and do not wait.
        #[arg(long)]
        no_wait: bool,
    },
    /// Move slots from nodes that have more than their share to nodes that have less.
    Rebalance {
        /// What the nodes are to have alike.
        #[arg(long, value_enum, default_value_t = By::Keys)]
        by: By,
        /// Percent of the average within which a node is left alone.
        #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
        threshold: u32,
        /// Only these nodes, separated by commas.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
        /// Moves that go on at once.
        #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
        at_once: u32,
        /// Say what would be moved, and move nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// End moves; slots that have not changed hands stay where they are.
    Cancel {
        /// The move's name, or the beginning of it.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// All moves of the cluster.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
}

/// What the nodes are to have alike.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Keys.
    Keys,
    /// Memory of the keys.
    Bytes,
    /// Commands, as they came lately.
    Load,
    /// Slots, whatever is in them.
    Slots,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};

    fn read(line: &str) -> Result<ClusterOptions, clap::Error> {
        let command = ClusterOptions::augment_args(Command::new("cluster"));
        let matches = command.try_get_matches_from(line.split(' '))?;
        ClusterOptions::from_arg_matches(&matches)
    }

    #[test]
    fn options_stand_before_and_behind_the_action() {
        let options = read("cluster status --node a:1 --json --watch").unwrap();
        assert_eq!((options.node.as_str(), options.json), ("a:1", true));
        assert_eq!(options.action, Action::Status { watch: true });
        let options = read("cluster --node a:1 rebalance --by bytes --threshold 9 --nodes a,b").unwrap();
        let nodes = vec!["a".to_owned(), "b".to_owned()];
        let expected = Action::Rebalance { by: By::Bytes, threshold: 9, nodes, at_once: 2, dry_run: false };
        assert_eq!(options.action, expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "cluster",
            "cluster cancel",
            "cluster cancel a --all",
            "cluster move 1",
            "cluster rebalance --at-once 0",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
