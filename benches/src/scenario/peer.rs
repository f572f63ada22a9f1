//! Servers that can be measured: Whimbrel, those found on PATH, and those named on the command line.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::traffic::workload::Protocol;

/// How a server is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The one that the targets are for.
    Whimbrel,
    /// A peer that speaks RESP.
    Resp,
    /// A peer that speaks memcached's meta commands.
    Memcached,
    /// Only answers, whatever it is asked: what the network and the kernel cost. Nothing is filled in.
    Floor,
}

/// A server that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Names it in tables and results.
    pub name: String,
    /// How it is treated.
    pub kind: Kind,
    /// Program and arguments with `{host}`, `{port}`, `{core_port}`, `{cpus}` and `{dir}` to be filled in.
    pub command: Vec<String>,
    /// It is a cluster node whose clients route by slot.
    pub cluster: bool,
    /// CPUs of its own, in place of the scenario's.
    pub cpus: Option<Vec<usize>>,
}

/// A `--peer` that was not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BadPeer;

impl fmt::Display for BadPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "use NAME=COMMAND LINE with {port} in it, or NAME=PATH of a server that is known: redis-server, \
             valkey-server, keydb-server, memcached, dragonfly, pogocache, whimbrel; or floor=PATH",
        )
    }
}

impl std::error::Error for BadPeer {}

const REDIS_OPTIONS: &str =
    "--port {port} --bind {host} --save \"\" --appendonly no --io-threads 1 --maxclients 20000 --dir {dir}";

/// Programs whose options are known: the name of the program, and its options for one thread without persistence.
const KNOWN: &[(&str, &str)] = &[
    ("redis-server", REDIS_OPTIONS),
    ("valkey-server", REDIS_OPTIONS),
    (
        "keydb-server",
        "--port {port} --bind {host} --save \"\" --appendonly no --server-threads 1 --maxclients 20000 --dir {dir}",
    ),
    ("memcached", "-l {host} -p {port} -U 0 -t 1 -m 65536 -c 20000 -u {user}"),
    (
        "dragonfly",
        "--port {port} --bind {host} --proactor_threads 1 --dbfilename= --dir {dir} --maxclients 20000",
    ),
    ("pogocache", "-h {host} -p {port} -t 1 --maxconns 20000"),
];

impl Peer {
    /// Whimbrel itself.
    pub fn whimbrel(program: &Path) -> Self {
        let words = ["serve", "--port", "{port}", "--cores", "{cpus}"];
        let mut command = vec![program.display().to_string()];
        command.extend(words.map(str::to_owned));
        Self { name: "whimbrel".into(), kind: Kind::Whimbrel, command, cluster: false, cpus: None }
    }

    /// The command as a shell would take it.
    pub fn command_line(&self) -> String {
        let word = |word: &String| if word.is_empty() { "\"\"".to_owned() } else { word.clone() };
        self.command.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Language of the server.
    pub fn protocol(&self) -> Protocol {
        match self.kind {
            // Its text `get` sends every reply of a pipeline by itself; `mg` does not.
            Kind::Memcached => Protocol::MemcachedMeta,
            Kind::Whimbrel | Kind::Resp | Kind::Floor => Protocol::Resp,
        }
    }

    /// Compares Whimbrel with this one when the best peer is looked for.
    pub fn is_rival(&self) -> bool {
        matches!(self.kind, Kind::Resp | Kind::Memcached)
    }

    fn floor(name: &str, program: &Path) -> Self {
        let mut command = vec![program.display().to_string()];
        command.extend(["--port", "{port}", "--cpu", "{cpus}"].map(str::to_owned));
        Self { name: name.to_owned(), kind: Kind::Floor, command, cluster: false, cpus: None }
    }

    fn known(name: &str, program: &Path) -> Option<Self> {
        let file = program.file_name()?.to_str()?;
        let exact = KNOWN.iter().find(|(known, _)| *known == file);
        // `redis8-server` or `valkey-server-9` are told by the name that they start with.
        let alike = |known: &str| file.starts_with(known.split('-').next().unwrap_or(known));
        let (_, options) = exact.or_else(|| KNOWN.iter().find(|(known, _)| alike(known)))?;
        let mut command = vec![program.display().to_string()];
        command.extend(options.split(' ').map(|word| word.trim_matches('"').to_owned()));
        let kind = if file.starts_with("memcached") { Kind::Memcached } else { Kind::Resp };
        Some(Self { name: name.to_owned(), kind, command, cluster: false, cpus: None })
    }
}

impl FromStr for Peer {
    type Err = BadPeer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, line) = text.split_once('=').ok_or(BadPeer)?;
        let command: Vec<String> = line.split_whitespace().map(|w| w.trim_matches('"').to_owned()).collect();
        let kind = match name {
            "floor" => Kind::Floor,
            "whimbrel" => Kind::Whimbrel,
            _ if name.starts_with("memcached") => Kind::Memcached,
            _ => Kind::Resp,
        };
        if name.is_empty() || command.is_empty() {
            return Err(BadPeer);
        }
        if command.len() == 1 {
            let program = Path::new(&command[0]);
            return match kind {
                Kind::Floor => Ok(Self::floor(name, program)),
                Kind::Whimbrel => Ok(Self::whimbrel(program)),
                Kind::Resp | Kind::Memcached => Self::known(name, program).ok_or(BadPeer),
            };
        }
        if !line.contains("{port}") {
            return Err(BadPeer);
        }
        Ok(Self { name: name.to_owned(), kind, command, cluster: false, cpus: None })
    }
}

/// The known servers on PATH.
pub fn on_path() -> Vec<Peer> {
    let path = env::var_os("PATH").unwrap_or_default();
    KNOWN
        .iter()
        .filter_map(|(program, _)| {
            let found: PathBuf =
                env::split_paths(&path).map(|dir| dir.join(program)).find(|p| p.is_file())?;
            Peer::known(program, &found)
        })
        .collect()
}

/// Whimbrel first, then the named peers, then those on PATH whose names are not taken; only the chosen ones.
pub fn line_up(whimbrel: &Path, named: &[Peer], chosen: &[String]) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Vec::new();
    let whimbrel = whimbrel.is_file().then(|| Peer::whimbrel(whimbrel));
    for peer in named.iter().cloned().chain(whimbrel).chain(on_path()) {
        let wanted = chosen.is_empty() || chosen.contains(&peer.name);
        if wanted && peers.iter().all(|other| other.name != peer.name) {
            peers.push(peer);
        }
    }
    peers.sort_by_key(|peer| peer.kind != Kind::Whimbrel);
    peers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_peers_parse() {
        let peer: Peer = "mine=/opt/mine --listen {port} --quiet".parse().unwrap();
        assert_eq!((peer.name.as_str(), peer.kind, peer.command.len()), ("mine", Kind::Resp, 4));
        let peer: Peer = "redis8=/opt/redis8-server".parse().unwrap();
        assert!(peer.command.contains(&"--io-threads".to_owned()));
        assert!(peer.command_line().contains("--save \"\" "), "an empty --save stays an argument");
        let peer: Peer = "memcached-dev=/opt/memcached".parse().unwrap();
        assert_eq!(peer.protocol(), Protocol::MemcachedMeta);
        let peer: Peer = "floor=/opt/floor".parse().unwrap();
        assert_eq!(
            (peer.kind, peer.command.join(" ")),
            (Kind::Floor, "/opt/floor --port {port} --cpu {cpus}".to_owned())
        );
        for bad in ["", "x", "=redis-server", "x=", "x=/opt/unknown", "x=/opt/mine --listen 7"] {
            assert_eq!(bad.parse::<Peer>(), Err(BadPeer), "{bad}");
        }
    }

    #[test]
    fn the_line_up_starts_with_whimbrel_and_names_are_unique() {
        let named: Vec<Peer> =
            ["redis-server=/opt/redis-server --port {port}", "whimbrel=/opt/whimbrel", "a=/opt/a {port}"]
                .map(|text| text.parse().unwrap())
                .to_vec();
        let chosen: Vec<String> = ["a", "whimbrel", "redis-server"].map(str::to_owned).to_vec();
        let peers = line_up(Path::new("/nowhere"), &named, &chosen);
        let names: Vec<&str> = peers.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["whimbrel", "redis-server", "a"]);
    }
}
