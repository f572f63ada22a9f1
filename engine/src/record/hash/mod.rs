//! Hashes: field by field, or packed in one string.

mod field;
mod packed;
mod parts;
mod whole;

pub use field::{Field, FieldExpiryForm};
pub use parts::HashParts;
pub use whole::{Fields, Hash};
