//! Writes records.

use super::hash::{FieldExpiryForm, HashParts};
use super::head::{Head, append_head};
use super::lzf::Compressor;
use super::string::append_string;
use super::{Form, payload};

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderOptions {
    /// Whether strings of more than 20 bytes are compressed where that makes them smaller.
    pub compression: bool,
    /// Whose form hashes with expiring fields take.
    pub field_expiry: FieldExpiryForm,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { compression: true, field_expiry: FieldExpiryForm::default() }
    }
}

/// Appends records to buffers that its caller owns. Made once and kept: it holds the tables of the compression.
///
/// A record begins with a [`Head`] on links and in checkpoints, and with nothing but its type byte in DUMP.
pub struct Encoder {
    compressor: Option<Compressor>,
    field_expiry: FieldExpiryForm,
}

impl Encoder {
    /// An encoder with these options.
    #[must_use]
    pub fn new(options: EncoderOptions) -> Self {
        let compressor = options.compression.then(Compressor::new);
        Self { compressor, field_expiry: options.field_expiry }
    }

    /// Appends a string.
    pub fn string(&mut self, out: &mut Vec<u8>, head: Option<&Head<'_>>, value: &[u8]) {
        append_head(out, head, Form::String, self.compressor());
        self.append_text(out, value);
    }

    /// Begins a hash of `count` fields, which the returned [`HashParts`] then appends one by one.
    ///
    /// `earliest_expiry_ms` is None if no field expires, else a time that no field expires before: 0 is always right and
    /// the true earliest gives the smallest record.
    #[must_use]
    pub fn hash(
        &mut self,
        out: &mut Vec<u8>,
        head: Option<&Head<'_>>,
        count: u64,
        earliest_expiry_ms: Option<u64>,
    ) -> HashParts {
        HashParts::begin(out, self, head, count, earliest_expiry_ms)
    }

    /// Appends what DUMP gives for a string.
    pub fn string_payload(&mut self, out: &mut Vec<u8>, value: &[u8]) {
        let start = out.len();
        self.string(out, None, value);
        payload::seal(out, start, Form::String);
    }

    /// Appends what DUMP gives for a hash, whose fields are name, value, and when it expires.
    pub fn hash_payload<'a>(
        &mut self,
        out: &mut Vec<u8>,
        fields: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8], Option<u64>)>,
        earliest_expiry_ms: Option<u64>,
    ) {
        let start = out.len();
        let mut parts = self.hash(out, None, fields.len() as u64, earliest_expiry_ms);
        for (name, value, expires_at_ms) in fields {
            parts.append(self, out, name, value, expires_at_ms);
        }
        assert_eq!(parts.left(), 0);
        payload::seal(out, start, parts.form());
    }

    pub(super) fn append_text(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        append_string(out, bytes, self.compressor());
    }

    pub(super) fn compressor(&mut self) -> Option<&mut Compressor> {
        self.compressor.as_mut()
    }

    pub(super) fn field_expiry(&self) -> FieldExpiryForm {
        self.field_expiry
    }
}
