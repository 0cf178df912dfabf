//! Spans of the week and of the calendar in which promotions may or may not go.
