//! What INFO says of the process and the machine. The engine asks neither: the process keeps this up to date.

/// Facts about the process and the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// 40 hexadecimal digits, another for each start.
    pub run_id: String,
    /// System, release and architecture, as `uname -srm` prints them.
    pub os: String,
    /// The path of the program.
    pub executable: String,
    /// The path of the configuration file; empty without one.
    pub config_file: String,
    /// The CPU of each core.
    pub cpus: Vec<u16>,
    /// Memory that it has in RAM.
    pub resident_bytes: u64,
    /// Memory of the machine.
    pub system_bytes: u64,
    /// CPU time in the kernel, in microseconds.
    pub cpu_system_us: u64,
    /// CPU time outside of the kernel, in microseconds.
    pub cpu_user_us: u64,
}
