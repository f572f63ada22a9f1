//! The process: joins the engine and the reactor into `whimbrel`.

fn main() {}
