//! News of every kind, with all there is to know of it.

use gradus_core::names::{
    ArtifactName, CommitId, EnvironmentName, Namespace, NotificationName, PipelineKey, ProposalNumber,
};
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::{Notification, NotificationKey, Receiver};
use gradus_core::release::Release;
use gradus_core::version::Version;

pub(super) fn notification(to: Receiver) -> Notification {
    let name = NotificationName::parse("team").unwrap();
    Notification {
        key: NotificationKey { namespace: Namespace::parse("apps").unwrap(), name },
        pipelines: Default::default(),
        environments: Default::default(),
        on: NewsKind::ALL.into_iter().collect(),
        to,
        suspend: false,
    }
}

fn release(version: &str) -> Option<Release> {
    Some(Release::single(ArtifactName::parse("app").unwrap(), Version::parse(version).unwrap()))
}

pub(super) fn promoted() -> News {
    let thread = "apps/web prod 1.1.0";
    News {
        kind: NewsKind::Promoted,
        key: format!("{thread} promoted abc").into(),
        thread: thread.into(),
        scope: None,
        pipeline: PipelineKey::parse("apps/web").unwrap(),
        environment: EnvironmentName::parse("prod").ok(),
        release: release("1.1.0"),
        from: release("1.0.0"),
        proposal: None,
        url: None,
        commit: CommitId::parse(&"a1".repeat(20)).ok(),
        repository: "https://git.example.com/acme/fleet".into(),
        at: "2026-11-16T14:10:30.5Z".parse().unwrap(),
        title: "web was promoted to prod: 1.0.0 → 1.1.0".to_owned(),
        details: vec!["commit a1a1a1a by gradus: Promote web to prod: 1.0.0 → 1.1.0".to_owned()],
        can: Vec::new(),
    }
}

/// One of every kind.
pub(super) fn news() -> Vec<News> {
    let of = |kind: NewsKind, title: &str, details: &[&str], can: &[&str]| News {
        kind,
        key: format!("apps/web prod 1.1.0 {}", kind.word()).into(),
        title: title.to_owned(),
        details: details.iter().map(ToString::to_string).collect(),
        can: can.iter().map(ToString::to_string).collect(),
        ..promoted()
    };
    let proposed = News {
        proposal: Some(ProposalNumber(12)),
        url: Some("https://git.example.com/acme/fleet/pulls/12".into()),
        commit: None,
        ..of(
            NewsKind::Proposed,
            "web 1.1.0 is proposed for prod (proposal 12)",
            &["prod has 1.0.0 now", "0 of 1 approvals of 1.1.0 by <release-managers> & friends"],
            &["gradus approve web --to prod --version 1.1.0", "merge proposal 12"],
        )
    };
    let waiting = News {
        kind: NewsKind::Waiting,
        key: "apps/web prod 1.1.0 waiting".into(),
        title: "web 1.1.0 waits for approval by release-managers for prod".to_owned(),
        ..proposed.clone()
    };
    let failed = of(
        NewsKind::Failed,
        "web 1.1.0 failed in prod",
        &["since 14:10", "1.1.0: CrashLoopBackOff: back-off 5m0s", "eu runs 1.0.0 instead"],
        &["gradus explain web prod", "gradus rollback web --to prod"],
    );
    let deployed =
        of(NewsKind::Deployed, "web 1.1.0 runs in prod", &["healthy since 14:10, 2 of 2 targets"], &[]);
    let rolled_back = of(
        NewsKind::RolledBack,
        "web was rolled back in prod: 1.1.0 → 1.0.0",
        &["commit a1a1a1a by ada: Take it back"],
        &["release a newer version"],
    );
    let rolled_back = News { release: release("1.0.0"), from: release("1.1.0"), ..rolled_back };
    let hold_ends = News {
        environment: None,
        release: None,
        from: None,
        commit: None,
        ..of(
            NewsKind::HoldEnds,
            "hold black-friday on web ends at 18:00 UTC",
            &["in 45m", "mia set it: too much at stake"],
            &["set another `until` in its manifest, to hold on"],
        )
    };
    vec![proposed, waiting, promoted(), deployed, failed, rolled_back, hold_ends]
}
