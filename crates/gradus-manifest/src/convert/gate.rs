//! Gates.

use std::num::NonZeroU32;
use std::sync::Arc;

use gradus_core::gate::Gate;
use gradus_core::gate::approval::ApprovalGate;
use gradus_core::gate::check::CheckGate;
use gradus_core::gate::freeze::FreezeGate;
use gradus_core::gate::soak::SoakGate;
use gradus_core::names::{CheckName, Group, Person};
use gradus_core::window::{Span, Window};

use super::Reader;
use super::time::{Edge, duration, instant, time_zone};
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Reads a list of gates.
pub(super) fn list(reader: &mut Reader<'_, '_>, path: &Path<'_>, gates: &[wire::Gate]) -> Option<Vec<Gate>> {
    reader.each(path, gates, one)
}

fn one(reader: &mut Reader<'_, '_>, path: &Path<'_>, gate: &wire::Gate) -> Option<Gate> {
    match gate {
        wire::Gate::Approval(gate) => approval(reader, &path.field("approval"), gate),
        wire::Gate::Soak(text) => {
            let time = reader.take(&path.field("soak"), duration(&text.0))?;
            Some(Gate::Soak(SoakGate { time }))
        }
        wire::Gate::Window(gate) => window(reader, &path.field("window"), gate),
        wire::Gate::Freeze(gate) => freeze(reader, &path.field("freeze"), gate),
        wire::Gate::Check(gate) => {
            let path = path.field("check");
            let name = reader.take(&path.field("name"), CheckName::parse(&gate.name));
            let reporter = reader.take(&path.field("reporter"), Person::parse(&gate.reporter));
            Some(Gate::Check(CheckGate { name: name?, reporter: reporter? }))
        }
        wire::Gate::Manual(wire::Empty {}) => Some(Gate::Manual),
    }
}

fn approval(reader: &mut Reader<'_, '_>, path: &Path<'_>, gate: &wire::Approval) -> Option<Gate> {
    let min = NonZeroU32::new(gate.min.unwrap_or(1)).ok_or_else(|| {
        Trouble::value("an approval needs at least one person")
            .help("leave the gate out if nobody has to agree")
    });
    let min = reader.take(&path.field("min"), min);
    let users = reader
        .each(&path.field("users"), &gate.users, |reader, path, name| reader.take(path, Person::parse(name)));
    let groups = reader.each(&path.field("groups"), &gate.groups, |reader, path, name| {
        reader.take(path, Group::parse(name))
    });
    Some(Gate::Approval(ApprovalGate {
        min: min?,
        users: users?,
        groups: groups?,
        not_author: gate.not_author,
    }))
}

fn window(reader: &mut Reader<'_, '_>, path: &Path<'_>, gate: &wire::Window) -> Option<Gate> {
    let allow = spans(reader, &path.field("allow"), gate.allow.as_ref());
    let deny = spans(reader, &path.field("deny"), gate.deny.as_ref());
    let name = gate.time_zone.as_deref().unwrap_or("UTC");
    let zone = reader.take(&path.field("timeZone"), time_zone(name));
    let (allow, deny) = (allow?, deny?);
    if allow.is_empty() && deny.is_empty() {
        let trouble = Trouble::value("a window needs `allow` or `deny`")
            .help("such as `allow: Mon-Thu 08:00-16:00` or `deny: Fri 16:00-Mon 08:00`");
        reader.fail(path, trouble);
        return None;
    }
    Some(Gate::Window(Window { allow, deny, zone: zone?, zone_name: Arc::from(name) }))
}

fn spans(reader: &mut Reader<'_, '_>, path: &Path<'_>, texts: Option<&wire::OneOrMany>) -> Option<Vec<Span>> {
    match texts {
        None => Some(Vec::new()),
        Some(wire::OneOrMany::One(text)) => reader.take(path, Span::parse(text)).map(|span| vec![span]),
        Some(wire::OneOrMany::Many(texts)) => {
            reader.each(path, texts, |reader, path, text| reader.take(path, Span::parse(text)))
        }
    }
}

fn freeze(reader: &mut Reader<'_, '_>, path: &Path<'_>, gate: &wire::Freeze) -> Option<Gate> {
    let from = gate.from.as_deref().map(|text| instant(text, Edge::Begin));
    let from = reader.take_some(&path.field("from"), from);
    let until = gate.until.as_deref().map(|text| instant(text, Edge::End));
    let until = reader.take_some(&path.field("until"), until);
    let (from, until) = (from?, until?);
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        reader.fail(&path.field("until"), Trouble::value("the freeze ends before it begins"));
        return None;
    }
    Some(Gate::Freeze(FreezeGate { from, until, reason: gate.reason.as_deref().map(Arc::from) }))
}
