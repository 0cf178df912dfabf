//! Automation that is asked by an event, as `repos/create-dispatch-event` says:
//! `https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event`.

use gradus_core::names::EventType;
use gradus_engine::port::{Forge as _, PortErrorKind};
use gradus_remote::forge::ForgeErrorKind;
use serde_json::{Map, Value};

use super::hub::Hub;
use super::serve::{Call, Fault, Reply};
use super::{Scene, address, api_at};
use crate::forge::dispatch::order;

/// Takes an event whose type has up to 100 characters, with up to 10 members.
pub(super) fn answer(hub: &mut Hub, call: &Call) -> Reply {
    let event = call.text("event_type").unwrap_or_default();
    let payload = call.body["client_payload"].clone();
    let count = payload.as_object().map_or(0, Map::len);
    if event.is_empty() || event.len() > 100 {
        return Reply::says(422, "Invalid request.\n\nevent_type must be 100 characters or fewer.");
    }
    if count > 10 {
        let words = format!("No more than 10 properties are allowed; {count} were supplied.");
        return Reply::says(422, &format!("Invalid request.\n\n{words}"));
    }
    hub.dispatched.push((event, payload));
    Reply::of(204, Value::Null)
}

#[tokio::test]
async fn an_event_is_dispatched_with_all_that_is_known() {
    let scene = Scene::new().await;
    let record = scene.forge.dispatch(&order()).await.unwrap();
    assert_eq!(record.url, None, "GitHub does not say what it begins");
    assert_eq!(scene.server.calls(), ["POST dispatches 204"]);
    let dispatched = std::mem::take(&mut scene.server.hub().dispatched);
    let [(event, payload)] = dispatched.as_slice() else { panic!("{dispatched:?}") };
    assert_eq!(event, "gradus-promotion");
    insta::assert_snapshot!(serde_json::to_string_pretty(payload).unwrap());
}

#[tokio::test]
async fn who_may_not_dispatch_is_told_why() {
    let scene = Scene::new().await;
    let mut told = Vec::new();
    for token in ["ghp_wrong", "ghp_gist", "github_pat_read"] {
        let error = scene.another(token).dispatch(&order()).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Denied, "{token}");
        told.push(format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default()));
    }
    let gone = gradus_remote::forge::RepoAddress { name: "gone".to_owned(), ..address(&scene.server) };
    let error = api_at(gone, "ghp_gradus").dispatch(&order()).await.unwrap_err();
    assert_eq!(*error.kind(), ForgeErrorKind::NotFound);
    // The double takes only what is about its one repository.
    scene.server.hub().wrong.clear();
    told.push(format!("{error}\n  {}", error.hint()));
    scene.server.hub().archived = true;
    let error = scene.forge.dispatch(&order()).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unusable);
    told.push(format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default()));
    scene.server.hub().archived = false;
    scene.server.fault("POST", "/dispatches", Fault::Status(422));
    let error = scene.forge.dispatch(&order()).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unusable);
    told.push(format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default()));
    assert!(scene.server.hub().dispatched.is_empty());
    insta::assert_snapshot!(
        told.join("\n").replace(&scene.server.url(), "").replace(&scene.server.url()[7..], "HOST")
    );
}

/// Whether it was taken is not known: it is not asked again at once, and whoever asks later asks for the same promotion.
#[tokio::test]
async fn a_lost_answer_is_not_asked_again_by_itself() {
    let scene = Scene::new().await;
    scene.server.fault("POST", "/dispatches", Fault::LoseAnswer);
    let error = scene.forge.dispatch(&order()).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown);
    assert_eq!(scene.server.hub().dispatched.len(), 1);
    scene.forge.dispatch(&order()).await.unwrap();
    let promotions: Vec<Value> =
        scene.server.hub().dispatched.iter().map(|(_, payload)| payload["promotion"].clone()).collect();
    assert_eq!(promotions.len(), 2);
    assert_eq!(promotions[0], promotions[1]);
    // What was surely not taken is asked again at once.
    scene.server.fault("POST", "/dispatches", Fault::Secondary);
    let event = EventType::parse("deploy").unwrap();
    let asked = gradus_engine::port::dispatch::DispatchOrder { event, ..order() };
    scene.forge.dispatch(&asked).await.unwrap();
    assert_eq!(scene.server.hub().dispatched.len(), 3);
    scene.server.calls();
}
