//! The command line: parses, wires, prints, exits; holds no rule.

fn main() {}
