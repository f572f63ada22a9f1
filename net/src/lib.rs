//! Bytes: the reactor, its ring and buffers, listeners, connections, mailboxes and pinning.
//!
//! Knows no key, no slot and no command.
