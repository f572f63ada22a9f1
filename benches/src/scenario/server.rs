//! A server process: started on its CPUs, watched until it answers, killed when it is dropped.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::plan;
use crate::machine::cpus::pin_thread;
use crate::machine::memory::{ProcessMemory, used_memory};
use crate::machine::schedstat::CpuTime;
use crate::scenario::peer::{Kind, Peer};
use crate::wire::control::{Control, Credentials};
use crate::wire::socket::Address;

/// The address of this machine to itself.
const LOOPBACK: &str = "127.0.0.1";
/// Longest wait for a server's first answer.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for one answer while a server starts.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Lines of a server's output that are shown when it does not start.
const LOG_LINES_SHOWN: usize = 8;

/// Where a server runs, listens and writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Address that it listens on.
    pub host: String,
    /// First of its ports.
    pub port: u16,
    /// CPUs that it may use.
    pub cpus: Vec<usize>,
    /// Network namespace that it runs in, when it has one of its own.
    pub namespace: Option<String>,
    /// Its files go there.
    pub dir: PathBuf,
}

impl Place {
    /// On the loopback interface.
    pub fn local(port: u16, cpus: &[usize], dir: &Path) -> Self {
        Self { host: LOOPBACK.to_owned(), port, cpus: cpus.to_vec(), namespace: None, dir: dir.to_owned() }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Who it is.
    pub peer: Peer,
    child: Child,
    address: Address,
    dir: PathBuf,
    /// What it says of its version.
    pub version: String,
}

impl Server {
    /// Starts `peer` at a place and waits until it answers. The calling thread returns to `own_cpus`.
    pub fn start(peer: &Peer, place: &Place, own_cpus: &[usize]) -> io::Result<Self> {
        fs::create_dir_all(&place.dir)?;
        let mut place = place.clone();
        if let Some(cpus) = &peer.cpus {
            place.cpus.clone_from(cpus);
        }
        let words = filled_in(&peer.command, &place);
        let log = File::create(place.dir.join("output.log"))?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // A child inherits affinity and priority of the thread that starts it.
        pin_thread(&place.cpus)?;
        let spawned = command.spawn();
        pin_thread(own_cpus)?;
        let child =
            spawned.map_err(|e| io::Error::new(e.kind(), format!("cannot start {}: {e}", words[0])))?;
        let at_core_port = peer.command.iter().any(|word| word.contains("{core_port}"));
        let mut server = Self {
            peer: peer.clone(),
            child,
            address: Address::Tcp(place.host.clone(), place.port + u16::from(at_core_port)),
            dir: place.dir,
            version: String::new(),
        };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads so far.
    pub fn cpu_time(&self) -> io::Result<CpuTime> {
        CpuTime::of_process(self.pid())
    }

    /// Its memory, and what it says of it.
    pub fn memory(&self) -> io::Result<(ProcessMemory, Option<u64>)> {
        let said = match self.peer.kind {
            // Each node of a cluster speaks for itself.
            _ if self.peer.cluster => None,
            Kind::Whimbrel | Kind::Resp => {
                self.control()?.ask(&["INFO", "memory"])?.text().and_then(used_memory)
            }
            Kind::Memcached | Kind::Floor => None,
        };
        Ok((ProcessMemory::of_process(self.pid())?, said))
    }

    /// A connection for commands outside the load.
    pub fn control(&self) -> io::Result<Control> {
        Control::connect(&self.address, &Credentials::default())
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How the load reaches it.
    pub fn target(&self) -> plan::Server {
        plan::Server {
            address: self.address.clone(),
            credentials: Credentials::default(),
            protocol: self.peer.protocol(),
            cluster: self.peer.cluster,
        }
    }

    fn wait_until_it_answers(&mut self) -> io::Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                let reason = format!("{} ended with {status}: {}", self.peer.name, self.last_output());
                return Err(io::Error::other(reason));
            }
            match self.first_answer() {
                Ok(version) => {
                    self.version = version;
                    return Ok(());
                }
                Err(error) if started.elapsed() > START_TIMEOUT => {
                    let reason =
                        format!("{} does not answer ({error}): {}", self.peer.name, self.last_output());
                    return Err(io::Error::new(ErrorKind::TimedOut, reason));
                }
                Err(_) => thread::sleep(RETRY_INTERVAL),
            }
        }
    }

    fn first_answer(&self) -> io::Result<String> {
        let mut control = self.control()?;
        control.set_timeout(ANSWER_TIMEOUT)?;
        match self.peer.kind {
            Kind::Floor => Ok(String::new()),
            Kind::Memcached => {
                Ok(control.ask_line("version\r\n")?.trim().trim_start_matches("VERSION ").to_owned())
            }
            Kind::Whimbrel | Kind::Resp => {
                control.ask_well(&["PING"])?;
                let info = control.ask(&["INFO", "server"])?;
                Ok(info.text().and_then(version).unwrap_or_default())
            }
        }
    }

    fn last_output(&self) -> String {
        let log = fs::read(self.dir.join("output.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join(" / ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended already needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn filled_in(command: &[String], place: &Place) -> Vec<String> {
    let cpus: Vec<String> = place.cpus.iter().map(usize::to_string).collect();
    let user = if rustix::process::geteuid().is_root() { "root" } else { "nobody" };
    let enter = place.namespace.iter().flat_map(|name| ["ip", "netns", "exec", name].map(str::to_owned));
    let words = command.iter().map(|word| {
        word.replace("{host}", &place.host)
            .replace("{port}", &place.port.to_string())
            .replace("{core_port}", &(place.port + 1).to_string())
            .replace("{cpus}", &cpus.join(","))
            .replace("{dir}", &place.dir.display().to_string())
            .replace("{user}", user)
    });
    enter.chain(words).collect()
}

/// The server's own version in an INFO reply; forks keep `redis_version` for clients and add theirs.
fn version(info: &str) -> Option<String> {
    let field = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|v| v.trim().to_owned())
    };
    ["whimbrel_version", "valkey_version", "dragonfly_version", "redis_version"].into_iter().find_map(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let command: Vec<String> =
            ["prog", "--port", "{port}", "{core_port}", "{cpus}", "{dir}/x"].map(str::to_owned).to_vec();
        let place = Place::local(18_000, &[0, 1], Path::new("/d"));
        let words = filled_in(&command, &place);
        assert_eq!(words, ["prog", "--port", "18000", "18001", "0,1", "/d/x"]);
        let place = Place { namespace: Some("n".into()), ..place };
        assert_eq!(filled_in(&command, &place)[..5], ["ip", "netns", "exec", "n", "prog"]);
    }

    #[test]
    fn the_version_that_is_its_own_wins() {
        assert_eq!(version("redis_version:7.2.4\r\nvalkey_version:9.0.1\r\n"), Some("9.0.1".into()));
        assert_eq!(version("redis_version:7.0.15\r\n"), Some("7.0.15".into()));
        assert_eq!(version("# Server\r\n"), None);
    }

    #[test]
    fn a_program_that_ends_or_is_absent_is_an_error() {
        let dir = std::env::temp_dir().join(format!("whimbrel-bench-test-{}", std::process::id()));
        let ends: Peer = "x=false {port}".parse().unwrap();
        let error = Server::start(&ends, &Place::local(18_990, &[], &dir), &[]).unwrap_err();
        assert!(error.to_string().contains("ended with"), "{error}");
        let absent: Peer = "x=/nowhere/at-all {port}".parse().unwrap();
        let error = Server::start(&absent, &Place::local(18_990, &[], &dir), &[]).unwrap_err();
        assert!(error.to_string().contains("cannot start"), "{error}");
        fs::remove_dir_all(dir).unwrap();
    }
}
