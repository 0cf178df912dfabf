//! Says, from what was seen, what should happen next and why.
