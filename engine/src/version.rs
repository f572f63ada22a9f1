//! What clients are told about the server's name and version.
//!
//! Client libraries choose features by Redis' name and version, and some refuse a name that they do not know, so the
//! compatible ones are told; INFO says beside them what really runs.

/// The name in HELLO.
pub const SERVER_NAME: &str = "redis";

/// The Redis version whose commands and replies clients may expect.
pub const REDIS_VERSION: &str = "7.4.0";

/// What really runs.
pub const WHIMBREL_VERSION: &str = env!("CARGO_PKG_VERSION");
