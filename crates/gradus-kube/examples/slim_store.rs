//! How much memory many HelmReleases take once they are watched: writes each
//! as an API server would send it, keeps what is kept of it, and says what the
//! process takes. `cargo run --release -p gradus-kube --example slim_store -- 50000`.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use gradus_kube::watch::ObjectName;
use serde_json::{Value, json};

/// An object as a watch keeps it: its text, its version, its labels if somebody wants all.
type Kept = (Arc<[u8]>, Option<u64>, Option<Box<()>>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(50_000), |count| count.parse())?;
    let mut out = std::io::stdout();
    let who = Arc::new(());
    let before = resident()?;
    let mut objects: HashMap<ObjectName, Kept> = HashMap::new();
    let mut wanted: HashMap<ObjectName, Vec<Arc<()>>> = HashMap::new();
    let (mut sent, mut kept) = (0, 0);
    for number in 0..count {
        let text = release(number).to_string();
        sent += text.len();
        let object: Value = serde_json::from_str(&text)?;
        let name = ObjectName::new(&format!("team-{}", number % 500), &format!("app-{number}"));
        let bytes: Arc<[u8]> = gradus_evidence::slim(object).to_string().into_bytes().into();
        kept += bytes.len();
        wanted.insert(name.clone(), vec![who.clone()]);
        objects.insert(name, (bytes, Some(number as u64), None));
    }
    let after = resident()?;
    writeln!(
        out,
        "{} objects, {} bytes each as sent, {} as kept",
        objects.len(),
        sent / count,
        kept / count
    )?;
    let each = (after - before) / count;
    writeln!(out, "{} MiB before, {} MiB after: {each} bytes an object", before >> 20, after >> 20)?;
    Ok(())
}

/// What the process takes.
fn resident() -> Result<usize, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? << 10)
}

/// A HelmRelease as one that was upgraded some times looks, with values and managed fields.
fn release(number: usize) -> Value {
    let history = |revision: usize| {
        json!({
            "chartName": "podinfo", "chartVersion": format!("6.{revision}.0"), "appVersion": format!("6.{revision}.0"),
            "configDigest": format!("sha256:{revision:064}"), "digest": format!("sha256:{number:064}"),
            "firstDeployed": "2026-01-01T10:00:00Z", "lastDeployed": "2026-01-02T10:00:00Z",
            "deleted": null, "name": format!("app-{number}"), "namespace": format!("team-{}", number % 500),
            "status": "deployed", "version": revision, "testHooks": {},
        })
    };
    let field = |name: String| (name, json!({"f:a": {}, "f:b": {}}));
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": format!("app-{number}"), "namespace": format!("team-{}", number % 500),
            "uid": format!("{number:032}"), "resourceVersion": format!("{}", 100_000 + number), "generation": 7,
            "creationTimestamp": "2026-01-01T10:00:00Z", "finalizers": ["finalizers.fluxcd.io"],
            "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x".repeat(2000)},
            "managedFields": [{"manager": "helm-controller", "operation": "Update",
                "fieldsV1": (0..40).map(|n| field(format!("f:field-{n}"))).collect::<serde_json::Map<_, _>>()}],
        },
        "spec": {
            "interval": "10m", "chart": {"spec": {"chart": "podinfo", "version": "6.5.0",
                "sourceRef": {"kind": "HelmRepository", "name": "podinfo", "namespace": "flux-system"}}},
            "install": {"remediation": {"retries": 3}}, "upgrade": {"remediation": {"retries": 3}},
            "values": (0..60).map(|n| (format!("key{n}"), json!({"value": "some text of a chart", "n": n})))
                .collect::<serde_json::Map<_, _>>(),
        },
        "status": {
            "observedGeneration": 7, "lastAttemptedGeneration": 7, "lastAttemptedRevision": "6.5.0",
            "lastAttemptedReleaseAction": "upgrade", "lastAttemptedConfigDigest": format!("sha256:{number:064}"),
            "helmChart": format!("flux-system/team-app-{number}"), "storageNamespace": format!("team-{}", number % 500),
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "UpgradeSucceeded", "observedGeneration": 7,
                 "lastTransitionTime": "2026-01-02T10:00:00Z",
                 "message": format!("Helm upgrade succeeded for release team/app-{number}.v5 with chart podinfo@6.5.0")},
                {"type": "Released", "status": "True", "reason": "UpgradeSucceeded", "observedGeneration": 7,
                 "lastTransitionTime": "2026-01-02T10:00:00Z",
                 "message": format!("Helm upgrade succeeded for release team/app-{number}.v5 with chart podinfo@6.5.0")},
            ],
            "history": (1..=5).rev().map(history).collect::<Vec<_>>(),
        },
    })
}
