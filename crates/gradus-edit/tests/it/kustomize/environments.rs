//! Which folders stand for themselves.

use gradus_edit::kustomize::{PatchFile, Repository};

use super::{files, told};

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: web, image: web:1}\n";

#[test]
fn overlays_components_and_what_flux_applies() {
    let flux = |name: &str, path: &str, more: &str| {
        format!(
            "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  path: {path}\n{more}"
        )
    };
    let files = files(&[
        ("apps/base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("apps/base/pod.yaml", POD),
        (
            "apps/dev/kustomization.yaml",
            "resources: [../base]\ncomponents: [../../components/pinned]\nnamespace: dev\n",
        ),
        ("apps/prod/kustomization.yaml", "bases: [../base]\nnameSuffix: -prod\nnamespace: prod\n"),
        ("components/pinned/kustomization.yaml", "kind: Component\nimages: [{name: web, newTag: \"1.1\"}]\n"),
        ("plain/a.yaml", POD),
        (
            "plain/below/kustomization.yaml",
            "resources: [pod.yaml]\nimages: [{name: web, newTag: \"3\"}]\nnamespace: below\n",
        ),
        ("plain/below/pod.yaml", POD),
        ("plain/notes.txt", "no manifest"),
        (
            "clusters/dev/apps.yaml",
            &(flux("apps", "./apps/dev", "") + &flux("plain", "./plain/", "") + &flux("gone", "./gone", "")),
        ),
        (
            "clusters/prod/apps.yaml",
            &(flux("one", "apps/prod", "  images:\n  - {name: web, newTag: \"4\"}\n")
                + &flux(
                    "two",
                    "apps/prod",
                    "  targetNamespace: two\n  patches:\n  - patch: |\n      - {op: replace, path: /spec/containers/0/image, value: \"web:5\"}\n    target: {kind: Pod}\n",
                )),
        ),
    ]);
    let mut repository = Repository::new(&files);
    let mut text = String::new();
    for environment in repository.environments() {
        let by = environment
            .applied_by
            .as_ref()
            .map(|by| format!(" by {} ({}:{})", by.object, by.said.file(), by.said.line()));
        let built = repository.build_environment(&environment);
        text.push_str(&format!(
            "{}{}:\n{}",
            environment.folder,
            by.unwrap_or_default(),
            told(&files, &built)
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn d16_files_beside_a_kustomization_that_does_not_take_them_in() {
    let files = files(&[
        (
            "apps/kustomization.yaml",
            "resources: [web.yaml, more/deep.yaml]\nconfigMapGenerator:\n- name: a\n  files: [key=values.yaml]\npatches: [{path: patch.yaml}, {path: ops.yaml, target: {kind: Pod}}]\n# - policies.yaml\n",
        ),
        ("apps/web.yaml", POD),
        ("apps/policies.yaml", "---\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\n"),
        ("apps/values.yaml", POD),
        ("apps/patch.yaml", POD),
        ("apps/ops.yaml", "[]"),
        ("apps/broken.yaml", "{{ .Values.x }}"),
        ("apps/data.yaml", "a: b\n"),
        ("apps/more/deep.yaml", POD),
        ("elsewhere/pod.yaml", POD),
        (
            "apps/sync.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ./apps}\n",
        ),
    ]);
    let mut repository = Repository::new(&files);
    let found: Vec<String> = repository
        .unreached()
        .iter()
        .map(|one| format!("{}:{} {} {}", one.file, one.line, one.object, one.kustomization))
        .collect();
    assert_eq!(found, ["apps/policies.yaml:2 ClusterPolicy/p apps/kustomization.yaml"]);
    let patches: Vec<_> = repository.patch_files().into_iter().collect();
    assert_eq!(
        patches,
        [
            ("apps/ops.yaml".to_owned(), PatchFile::Json6902),
            ("apps/patch.yaml".to_owned(), PatchFile::StrategicMerge)
        ]
    );
}
