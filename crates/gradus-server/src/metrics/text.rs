//! The text format of Prometheus, as far as it is used here.

use std::fmt::Write;
use std::time::Duration;

/// Lines of the text format.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Begins a family of series.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    pub(super) fn plain(&mut self, name: &str, value: u64) {
        self.line(format_args!("{name} {value}"));
    }

    pub(super) fn labelled(&mut self, name: &str, label: &str, label_value: &str, value: u64) {
        let escaped = label_value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        self.line(format_args!("{name}{{{label}=\"{escaped}\"}} {value}"));
    }

    /// A histogram, from how many fell into each bucket; the last is for what is above all bounds.
    pub(super) fn histogram(&mut self, name: &str, bounds: &[f64], buckets: &[u64], sum: Duration) {
        let mut total = 0;
        for (at, bucket) in buckets.iter().enumerate() {
            total += bucket;
            match bounds.get(at) {
                Some(bound) => self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {total}")),
                None => self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {total}")),
            }
        }
        self.line(format_args!("{name}_sum {}", sum.as_secs_f64()));
        self.line(format_args!("{name}_count {total}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = writeln!(self.0, "{line}");
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}
