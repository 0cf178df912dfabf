//! Reads what people write into the planner's types, with the place of every mistake.
