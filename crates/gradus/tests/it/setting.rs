//! `gradus set` and `gradus markers`: values in files, by path and by marker.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::world::World;

const RELEASE: &str = "\
# the shop
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart:
    spec:
      version: '1.4.0' # {\"$promotion\": \"shop:web:prod\"}
  values:
    replicas: 3
    image:
      tag: v1 # {\"$imagepolicy\": \"flux-system:web:tag\"}
";

/// A folder with markers in three files, one file that does not parse, and one that only looks like it.
fn fleet() -> World {
    let world = World::empty();
    world.write("deploy/prod/release.yaml", RELEASE);
    world.write(
        "deploy/prod/kustomization.yaml",
        "images:\r\n- name: web\r\n  newName: old/web # {\"$imagepolicy\": \"flux-system:web:name\"}\r\n  newTag: v1 # {\"$imagepolicy\": \"flux-system:web:tag\"}\r\n",
    );
    world.write("deploy/dev/values.yml", "tag: 1.5.0 # {\"$promotion\": \"shop:web:dev\"}\n");
    world.write(
        "deploy/chart/templates/web.yaml",
        "{{- if .Values.web }}\nimage: web # {\"$promotion\": \"shop:web:prod\"}\n{{- end }}\n",
    );
    world.write("deploy/README.md", "version: 1 # {\"$promotion\": \"shop:web:prod\"}\n");
    world.write("deploy/.git/x.yaml", "version: 1 # {\"$promotion\": \"shop:web:prod\"}\n");
    world
}

#[test]
fn a_value_by_its_path() {
    let mut world = fleet();
    let file = "deploy/prod/release.yaml";
    world.run(&["set", file, "spec.chart.spec.version", "1.5.0", "--dry-run"]);
    world.run(&["set", file, "spec.chart.spec.version", "1.5.0", "--check"]);
    world.run(&["set", file, "spec.chart.spec.version", "1.5.0"]);
    world.run(&["set", file, "spec.chart.spec.version", "1.5.0", "--check"]);
    world.run(&["set", file, "/spec/values/replicas", "4", "--select", "HelmRelease/web.shop"]);
    world.run(&["set", file, "spec.values.image.tag", "1.10", "--expect", "v1"]);
    world.run(&["set", file, "spec.values.image.digest", "sha256:ab", "--create"]);
    world.show(file);
    world.check("set_path");
}

#[test]
fn whatever_markers_name() {
    let mut world = fleet();
    world.run(&["set", "deploy", "--promotion", "shop:web:prod=1.5.0", "--check"]);
    world.run(&["set", "deploy", "--promotion", "shop:web:prod=1.5.0"]);
    world.run(&["set", "deploy", "--promotion", "shop:web:prod=1.5.0"]);
    world.run(&["set", "deploy", "--imagepolicy", "flux-system:web=ghcr.io/acme/web:v2", "--dry-run"]);
    world.run(&["set", "deploy", "--imagepolicy", "flux-system:web=ghcr.io/acme/web:v2"]);
    world.run(&["set", "deploy/dev", "--promotion", "shop:web:prod=1.5.0"]);
    world.run(&["set", ".", "--promotion", "shop:web:dev=1.6.0", "--promotion", "shop:web:prod=1.6.0"]);
    world.show("deploy/prod/release.yaml");
    let written = std::fs::read(world.path("deploy/prod/kustomization.yaml")).unwrap();
    assert_eq!(written.iter().filter(|byte| **byte == b'\r').count(), 4);
    world.check("set_markers");
}

#[test]
fn formats_by_the_name_of_the_file() {
    let mut world = World::empty();
    world.write("app.toml", "[app]\nversion = '1.0' # here\n");
    world.write(".env", "# of web\nexport TAG=v1 # here\n");
    world.write("app.json", "{\"app\": {\"replicas\": 2, \"tag\": \"v1\"}}\n");
    world.run(&["set", "app.toml", "app.version", "1.1", "--dry-run"]);
    world.run(&["set", ".env", "TAG", "v2", "--dry-run"]);
    world.run(&["set", "app.json", "app.replicas", "3", "--dry-run"]);
    world.run(&["set", "app.json", "app.tag", "-1", "--dry-run", "--color", "always"]);
    world.check("set_formats");
}

#[test]
fn images_wherever_they_are_named() {
    let mut world = World::empty();
    world.write(
        "base/web.yaml",
        "kind: Deployment\nspec:\n  containers:\n  - {name: a, image: \"nginx:1.22.0\"} # front\n",
    );
    world.write("prod/kustomization.yaml", "images:\n- name: nginx\n  newTag: \"1.21.6\"\n");
    world.write("prod/values.yaml", "image:\n  repository: nginx\n  tag: 1.21.6\n");
    world.write("broken.yaml", "image: nginx:1.2\nx: [\n");
    world.run(&["set", ".", "--image", "nginx=1.23.1", "--dry-run"]);
    world.run(&["set", "prod", "--image", "nginx=1.23.1"]);
    world.run(&["set", "prod", "--image", "nginx=1.23.1"]);
    world.run(&["set", ".", "--image", "nginx=ghcr.io/acme/nginx:1.24.0@sha256:ab", "--check"]);
    world.run(&["set", ".", "--image", "nginx"]);
    world.check("set_images");
}

#[test]
fn mistakes_write_nothing() {
    let mut world = fleet();
    world.write("two.yaml", "kind: A\nx: 1\n---\nkind: B\nx: 2\n");
    world.write("anchored/a.yaml", "tag: 1.0.0 # {\"$promotion\": \"shop:api:prod\"}\n");
    world.write("anchored/b.yaml", "tag: | # {\"$promotion\": \"shop:api:prod\"}\n  1.0.0\n");
    let release = "deploy/prod/release.yaml";
    world.run(&["set", release, "spec.chart.version", "1.5.0"]);
    world.run(&["set", release, "spec.chart.spec.version", "1.5.0", "--expect", "1.3.0"]);
    world.run(&["set", "two.yaml", "x", "3"]);
    world.run(&["set", "two.yaml", "x", "3", "--select", "C"]);
    world.run(&["set", "nowhere.yaml", "x", "3"]);
    world.run(&["set", "deploy", "x", "3"]);
    world.run(&["set", "deploy/chart/templates/web.yaml", "image", "3"]);
    world.run(&["set", "anchored", "--promotion", "shop:api:prod=1.1.0"]);
    world.run(&["set", "deploy", "--promotion", "shop:web=1.1.0"]);
    world.run(&["set", "deploy", "--imagepolicy", "flux-system:web=ghcr.io/acme/web"]);
    world.run(&["set", "deploy", "--imagepolicy", "flux-system:web:tag=v2"]);
    world.run(&["set", "deploy"]);
    world.run(&["set", release, "spec"]);
    world.run(&["set", release, "x", "1", "--promotion", "shop:web:prod=1"]);
    world.run(&["set", release, "a[", "1"]);
    world.show("anchored/a.yaml");
    world.check("set_mistakes");
}

#[test]
fn modes_stay_and_links_lead_to_what_is_written() {
    let mut world = fleet();
    let release = world.path("deploy/prod/release.yaml");
    std::fs::set_permissions(&release, PermissionsExt::from_mode(0o750)).unwrap();
    world.write("outside/other.yaml", "tag: 1.4.0 # {\"$promotion\": \"shop:web:prod\"}\n");
    symlink("../../outside/other.yaml", world.path("deploy/prod/link.yaml")).unwrap();
    symlink("../outside", world.path("deploy/folder")).unwrap();
    symlink("nowhere.yaml", world.path("deploy/dangling.yaml")).unwrap();
    world.run(&["set", "deploy", "--promotion", "shop:web:prod=1.5.0"]);
    assert_eq!(std::fs::metadata(&release).unwrap().permissions().mode() & 0o777, 0o750);
    world.show("outside/other.yaml");
    world.run(&["set", "deploy/prod/link.yaml", "tag", "1.5.0"]);
    assert!(std::fs::symlink_metadata(world.path("deploy/prod/link.yaml")).unwrap().is_symlink());
    world.show("outside/other.yaml");
    let left: Vec<_> =
        std::fs::read_dir(world.path("deploy/prod")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with(".gradus")), "{left:?}");
    world.check("set_links");
}

#[test]
fn in_a_repository_that_is_not_cloned() {
    let mut world = World::web();
    let staging = "apps/staging/web/kustomization.yaml";
    world.run(&["set", "apps", "--repo", "fleet.git", "--promotion", "apps:web:staging=1.2.0", "--dry-run"]);
    world.run(&["set", "apps", "--repo", "fleet.git", "--promotion", "apps:web:staging=1.2.0"]);
    world.run(&["set", ".", "--repo", "fleet.git", "--promotion", "apps:web:staging=1.2.0"]);
    let path = "images[name=ghcr.io/acme/web].newTag";
    world.run(&[
        "set",
        staging,
        path,
        "1.3.0",
        "--repo",
        "fleet.git",
        "--branch",
        "main",
        "--message",
        "By hand",
    ]);
    world.run(&["set", staging, path, "1.4.0", "--repo", "fleet.git", "--branch", "next"]);
    world.run(&["set", "nowhere", "--promotion", "apps:web:staging=1.2.0", "--repo", "fleet.git"]);
    world.run(&["set", "apps", path, "1.2.0", "--repo", "fleet.git"]);
    let log = world.git(&world.path("fleet.git"), &["log", "--format=%an: %s", "-p", "-U0", "main"]);
    let log: Vec<&str> = log.lines().filter(|line| !line.starts_with("index ")).take(20).collect();
    world.record(&format!("{}\n\n", log.join("\n")));
    world.run(&["markers", "--repo", "fleet.git"]);
    world.git(&world.path("fleet.git"), &["fsck", "--strict"]);
    world.check("set_repository");
}

#[test]
fn markers_are_listed() {
    let mut world = fleet();
    world.write(
        "deploy/odd.yaml",
        "# {\"$imagepolicy\": \"a:b\"}\nx: 1\nm: {a: 1} # {\"$promotion\": \"a:b:c\"}\ny: 2 # {\"$promotion\": \"a:b:c\"} {\"$promotion\": \"a:b:d\"}\n",
    );
    world.run(&["markers"]);
    world.run(&["markers", "deploy/prod", "-o", "json"]);
    world.run(&["markers", "home"]);
    world.run(&["markers", "nowhere"]);
    world.check("markers");
}
