//! Records: one key as bytes, the same on a link, in a checkpoint and in DUMP.
//!
//! The bytes are those of RDB, which Redis and Valkey write and read. Payloads carry an old format version that has their
//! form, so every server from Redis 5 on takes what DUMP gives for strings and for hashes without field expiry.
//!
//! | type byte | value                                         | format version  | read | written |
//! |-----------|-----------------------------------------------|-----------------|------|---------|
//! | 0         | string                                        | any             | yes  | yes     |
//! | 4         | hash, field by field                          | any             | yes  | yes     |
//! | 9         | hash as zipmap (Redis before 2.6)             | any             | yes  | no      |
//! | 13        | hash as ziplist (Redis before 7.0)            | any             | yes  | no      |
//! | 16        | hash as listpack                              | 10 and later    | yes  | no      |
//! | 22        | hash with field expiry, Valkey 9              | 80 and later    | yes  | yes     |
//! | 22, 23    | hash with field expiry, Redis 7.4 candidates  | 12 to 79        | yes  | no      |
//! | 24        | hash with field expiry, Redis 7.4             | 12 to 79        | yes  | option  |
//! | 25        | the same as listpack                          | 12 to 79        | yes  | no      |
//!
//! Redis does not read Valkey's form of field expiry and Valkey does not read Redis': each refuses the other's format
//! version. [`FieldExpiryForm`] says which is written. Valkey's is the default, and the form on links: its times are
//! absolute, so a fork can be walked into it without looking at every field first. Small hashes are not packed: field by
//! field they take fewer bytes than as a listpack, and every server reads that.
//!
//! Bytes that come from outside are hostile until a decoder has passed them. A decoder never panics, never allocates
//! more than what the bytes at hand can fill, and keeps to [`Limits`].

pub mod crc64;
mod decode;
mod element;
mod encoder;
mod error;
mod form;
mod hash;
mod head;
mod length;
mod limits;
mod listpack;
pub mod lzf;
pub mod payload;
mod reader;
mod string;
mod ziplist;
mod zipmap;

pub use decode::{Decoded, decode, decode_entry, decode_head};
pub use encoder::{Encoder, EncoderOptions};
pub use error::RecordError;
pub use form::Form;
pub use hash::{Field, FieldExpiryForm, Fields, Hash, HashParts};
pub use head::{Access, Head};
pub use limits::Limits;
pub use payload::TRAILER_SIZE as PAYLOAD_TRAILER_SIZE;
