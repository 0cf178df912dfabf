//! Judges the objects of a cluster: says, from what they hold, which version runs
//! and whether it works. Reads nothing, waits for nobody and knows no clock.
