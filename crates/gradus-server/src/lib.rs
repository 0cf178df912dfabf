//! Serves webhooks, the HTTP API and the metrics.
