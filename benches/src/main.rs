//! Load generator and scenarios: measures Whimbrel beside its peers.

fn main() {}
