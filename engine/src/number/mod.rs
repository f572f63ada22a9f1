//! Numbers as text, read and written the way Redis does.

mod decimal;
mod float;
mod integer;
mod shortest;

pub use decimal::Decimal;
pub use float::parse_f64;
pub use integer::parse_i64;
pub use shortest::Shortest;
