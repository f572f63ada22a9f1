//! What a command is allowed and expected to do, in Redis' words.

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*) => {
        /// One property of a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flag {
            $($(#[$doc])* $name = 1 << $bit,)*
        }

        const NAMES: &[(Flag, &str)] = &[$((Flag::$name, $text),)*];
    };
}

flags! {
    /// May change data.
    Write = 0, "write";
    /// Reads data and changes none.
    Readonly = 1, "readonly";
    /// May need memory: refused when the shard is at its limit.
    DenyOom = 2, "denyoom";
    /// For administrators.
    Admin = 3, "admin";
    /// Publish and subscribe.
    PubSub = 4, "pubsub";
    /// Not from scripts.
    NoScript = 5, "noscript";
    /// May block the client.
    Blocking = 6, "blocking";
    /// Runs while data is loaded.
    Loading = 7, "loading";
    /// Runs on a replica that has lost its source.
    Stale = 8, "stale";
    /// Not shown in the slow log.
    SkipSlowlog = 9, "skip_slowlog";
    /// Not shown to MONITOR.
    SkipMonitor = 10, "skip_monitor";
    /// Implies the ASKING state in cluster mode.
    Asking = 11, "asking";
    /// Constant or logarithmic time.
    Fast = 12, "fast";
    /// Runs without a password.
    NoAuth = 13, "no_auth";
    /// May replicate although it does not write.
    MayReplicate = 14, "may_replicate";
    /// The positions of its keys follow from its arguments.
    MovableKeys = 15, "movablekeys";
    /// Not inside a transaction.
    NoMulti = 16, "no_multi";
    /// Runs although clients are paused or a script is busy.
    AllowBusy = 17, "allow_busy";
    /// Answers in every mode of the connection, also after SUBSCRIBE in RESP2.
    NoAsyncLoading = 18, "no_async_loading";
}

/// A set of `Flag`s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// No flags.
    pub const NONE: Self = Self(0);

    /// The flags of `list`.
    pub const fn of(list: &[Flag]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < list.len() {
            bits |= list[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// Whether `flag` is among them.
    #[inline]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag as u32 != 0
    }

    /// The flags as COMMAND names them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}
