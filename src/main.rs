//! The command line of Hearken.

fn main() {}
