//! A folder with a repository and manifests in it, and the transcript of what was run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// A place to run commands in, cut off from the machine's own configuration.
pub(crate) struct World {
    folder: tempfile::TempDir,
    transcript: String,
    hidden: Vec<(String, &'static str)>,
    /// How many seconds ago commits are made.
    ago: u64,
}

/// The pipeline of most tests: dev, staging and prod, with markers.
pub(crate) const WEB: &str = "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {name: web, namespace: apps}
spec:
  repository: {url: ../fleet.git}
  environments:
    - {name: dev, targets: [git: {}]}
    - {name: staging, targets: [git: {}], promote: {strategy: push}}
    - name: prod
      targets: [git: {}]
      gates: [approval: {min: 1, groups: [release-managers]}]
";

impl World {
    /// A world without anything.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        // A little more than three days, so that an age stays three days while the test runs.
        Self { folder, transcript: String::new(), hidden: Vec::new(), ago: 3 * 86_400 + 3_600 }
    }

    /// The same, in which commits are made at the time they are made.
    pub(crate) fn of_today() -> Self {
        Self { ago: 0, ..Self::empty() }
    }

    /// A repository in which dev has a version that the others do not have, and a pipeline for it.
    pub(crate) fn web() -> Self {
        let world = Self::empty();
        world.write("pipelines/web.yaml", WEB);
        world.repository(&[("dev", "1.1.0"), ("staging", "1.0.0"), ("prod", "1.0.0")]);
        world
    }

    /// Makes `fleet.git` with a kustomization and a marker for each environment, three days ago.
    pub(crate) fn repository(&self, environments: &[(&str, &str)]) {
        for (environment, version) in environments {
            let text = format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n  - name: ghcr.io/acme/web\n    \
                 newTag: {version} # {{\"$promotion\": \"apps:web:{environment}\"}}\n"
            );
            self.write(&format!("checkout/apps/{environment}/web/kustomization.yaml"), &text);
        }
        self.commit("Deploy web");
    }

    /// Commits what is in `checkout` and pushes it to `fleet.git`, which is made if it is not there.
    pub(crate) fn commit(&self, message: &str) {
        let checkout = self.path("checkout");
        if !self.path("fleet.git").exists() {
            self.git(self.folder.path(), &["init", "-q", "--bare", "-b", "main", "fleet.git"]);
            self.git(&self.path("fleet.git"), &["config", "uploadpack.allowFilter", "true"]);
            self.git(&self.path("fleet.git"), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
            self.git(&checkout, &["init", "-q", "-b", "main"]);
            self.git(&checkout, &["remote", "add", "origin", "../fleet.git"]);
        }
        self.git(&checkout, &["add", "."]);
        self.git(&checkout, &["commit", "-q", "-m", message]);
        self.git(&checkout, &["push", "-q", "origin", "main"]);
    }

    /// Runs git as Ada, at the time of this world; the output is its standard output.
    pub(crate) fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let date = format!("{} +0000", now - self.ago);
        let output = self
            .command("git")
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where something in the world is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A text that is different each time, and what stands for it in the transcript.
    pub(crate) fn hide(&mut self, text: impl Into<String>, name: &'static str) {
        self.hidden.push((text.into(), name));
    }

    /// A program without any of the machine's environment but where programs are.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// The binary, in this world.
    pub(crate) fn gradus(&self) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_gradus"));
        command.env("GRADUS_USER", "grace");
        if self.path("pipelines").exists() {
            command.env("GRADUS_CONFIG", "pipelines");
        }
        command
    }

    /// Runs gradus and writes down what it said.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// The same, with variables in its environment.
    pub(crate) fn run_with(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let output = self.gradus().args(arguments).envs(variables.iter().copied()).output().unwrap();
        let quoted = |word: &&str| {
            let plain = !word.is_empty() && !word.contains([' ', '"']);
            if plain { (*word).to_owned() } else { format!("{word:?}") }
        };
        let variables: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let words: Vec<String> = arguments.iter().map(quoted).collect();
        self.transcript.push_str(&format!("$ {variables}gradus {}\n", words.join(" ")));
        self.transcript.push_str(&String::from_utf8_lossy(&output.stdout));
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            self.transcript.push_str(&format!("! {line}\n"));
        }
        self.transcript.push_str(&format!("[{}]\n\n", output.status.code().unwrap_or(-1)));
        output
    }

    /// Writes down a file.
    pub(crate) fn show(&mut self, name: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        self.transcript.push_str(&format!("--- {name}\n{text}---\n\n"));
    }

    /// Writes down what something else said.
    pub(crate) fn record(&mut self, text: &str) {
        self.transcript.push_str(text);
    }

    /// Everything that was run must be what the snapshot says.
    #[track_caller]
    pub(crate) fn check(self, name: &str) {
        let mut text = self.transcript;
        for (hidden, name) in &self.hidden {
            text = text.replace(hidden, name);
        }
        for folder in [self.folder.path().canonicalize().unwrap(), self.folder.path().to_owned()] {
            text = text.replace(&folder.display().to_string(), "[DIR]");
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        // YAML quotes an id that begins with a digit.
        settings.add_filter("\"?\\b[0-9a-f]{40}\\b\"?", "[COMMIT]");
        settings.add_filter(r"\b[0-9a-f]{7}\b", "[commit]");
        settings.add_filter(r"\br-[0-9a-f]{16}\b", "[request]");
        settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "[TIME]");
        settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?", "[time]");
        settings.add_filter(r"\b\d\d:\d\d(?::\d\d)?\b", "[time]");
        settings.add_filter(r"\b\d+ ms\b", "[n] ms");
        settings.add_filter(r"\b\d+s ago|just now|\b\d+s\b", "[moment]");
        // A column is as wide as its widest moment.
        settings.add_filter(r"\[moment\] {2,}", "[moment]  ");
        settings.add_filter(r"git/[0-9.]+", "git/[version]");
        settings.add_filter(r"gradus_[0-9a-f]{64}", "gradus_[secret]");
        settings.add_filter(r"process \d+", "process [n]");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}
