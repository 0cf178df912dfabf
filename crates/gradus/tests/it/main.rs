//! The binary as people run it, against repositories made for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod by_hand_on_gitea;
mod ci_parts;
mod cluster;
mod collector;
mod crds;
mod demo_gitea;
mod dispatching;
mod doctor_forge;
mod finding;
mod front;
mod gitops;
mod in_cluster;
mod init;
mod lint;
mod looking;
mod looking_after;
mod migrate;
mod mistakes;
mod notifying;
mod on_gitea;
mod pipes;
mod places;
mod recording;
mod reference;
mod repositories;
mod said_on_gitea;
mod serving;
mod setting;
mod traces;
mod world;
