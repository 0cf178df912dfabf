//! From what forges tell to the pipelines that it may matter to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gradus_core::names::{BranchName, PipelineKey};
use gradus_core::pipeline::{ForgeKind, Pipeline, Repository};
use gradus_engine::observe::proposal_branch;
use gradus_engine::{Engine, Looked};
use gradus_remote::forge::{RepoAddress, host_of};
use gradus_server::port::{About, ForgeEvent, Repositories};

use super::EitherForge;

/// The server's port for what forges tell.
pub(crate) struct Hearing {
    engine: Arc<Engine>,
    forge: Arc<EitherForge>,
    known: Mutex<Option<(Instant, Arc<Known>)>>,
}

/// How old what is known of the pipelines' repositories may be. A thousand events a second must not each go
/// through all pipelines.
const FRESH: Duration = Duration::from_secs(1);

impl Hearing {
    pub(crate) fn new(engine: Arc<Engine>, forge: Arc<EitherForge>) -> Self {
        Self { engine, forge, known: Mutex::default() }
    }

    fn known(&self) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*known
            && at.elapsed() < FRESH
        {
            return known.clone();
        }
        let fresh = Arc::new(Known::of(self.engine.pipelines()));
        *known = Some((Instant::now(), fresh.clone()));
        fresh
    }
}

impl Repositories for Hearing {
    fn heard(&self, event: &ForgeEvent) -> Vec<PipelineKey> {
        let known = self.known();
        let mut keys = Vec::new();
        for pipeline in known.meant(event) {
            let latest = self.engine.latest(&pipeline.key);
            let Some(branches) = matters(pipeline, latest.as_deref(), event) else { continue };
            for branch in branches {
                self.forge.remote().heard_of(&pipeline.repository.url, &branch);
            }
            keys.push(pipeline.key.clone());
        }
        keys
    }
}

/// The pipelines by their repositories.
#[derive(Default)]
struct Known {
    repositories: BTreeMap<Repository, Vec<Arc<Pipeline>>>,
    /// Where each is in a forge, for each kind that it may be asked for as.
    named: HashMap<(ForgeKind, Name), Vec<Repository>>,
}

/// A repository by its host and what it is called there; without the host, as those within and without know
/// a forge by different ones.
type Name = (Option<String>, String);

impl Known {
    fn of(pipelines: Vec<Arc<Pipeline>>) -> Self {
        let mut known = Self::default();
        for pipeline in pipelines {
            known.repositories.entry(pipeline.repository.clone()).or_default().push(pipeline);
        }
        for repository in known.repositories.keys() {
            let kinds = match &repository.forge {
                Some(forge) => vec![forge.kind],
                None => ForgeKind::ALL.to_vec(),
            };
            for kind in kinds {
                let url = repository.forge.as_ref().and_then(|forge| forge.url.as_deref());
                let Some((with, without)) = names(kind, &repository.url, url) else { continue };
                known.named.entry((kind, with)).or_default().push(repository.clone());
                // Where no forge is said, a name alone means nothing.
                if repository.forge.is_some() {
                    known.named.entry((kind, without)).or_default().push(repository.clone());
                }
            }
        }
        known
    }

    /// The pipelines of the repository that an event is about: by its addresses, and if none has them, by its name.
    fn meant(&self, event: &ForgeEvent) -> impl Iterator<Item = &Arc<Pipeline>> {
        let names: Vec<(Name, Name)> =
            event.urls.iter().filter_map(|url| names(event.forge, url, None)).collect();
        let called = |name: Name| self.named.get(&(event.forge, name)).into_iter().flatten();
        let mut found: Vec<&Repository> = names.iter().flat_map(|(with, _)| called(with.clone())).collect();
        if found.is_empty() {
            let told = event.name.as_ref().map(|name| (None, name.to_lowercase()));
            let name = told.or_else(|| names.first().map(|(_, without)| without.clone()));
            found.extend(name.into_iter().flat_map(called));
        }
        found.sort();
        found.dedup();
        found.into_iter().filter_map(|repository| self.repositories.get(repository)).flatten()
    }
}

/// The names of a repository: with its host, without a port, as SSH and HTTP have different ones; and without.
fn names(kind: ForgeKind, url: &str, forge: Option<&str>) -> Option<(Name, Name)> {
    let address = RepoAddress::parse(kind, url, forge).ok()?;
    let name = format!("{}/{}", address.owner(), address.name).to_lowercase();
    let host = host_of(&address.web)?.to_lowercase();
    Some(((Some(host), name.clone()), (None, name)))
}

/// Whether an event may matter to a pipeline of its repository; and the branches whose proposals are not believed
/// any longer to be as they were seen.
fn matters(pipeline: &Pipeline, latest: Option<&Looked>, event: &ForgeEvent) -> Option<Vec<BranchName>> {
    let names = pipeline.environments().iter().map(|environment| &environment.name);
    let branches = names.filter_map(|name| Some((name, proposal_branch(pipeline, name)?)));
    // What is open, as it was seen; everything may be, as long as nothing was.
    let is_open = |name: &_, is_it: &dyn Fn(&gradus_core::observation::ProposalSeen) -> bool| match latest {
        Some(latest) => {
            latest.report.environment(name).and_then(|here| here.proposal.as_ref()).is_some_and(is_it)
        }
        None => true,
    };
    let mut is_base = false;
    let meant: Vec<BranchName> = match &event.about {
        About::Branches(moved) => {
            let base = pipeline.repository.branch.as_ref().map(BranchName::as_str);
            let base = base.or(event.default_branch.as_deref());
            let own = pipeline.environments().iter().filter_map(|here| here.branch.as_ref());
            let deployed = own.map(BranchName::as_str).chain(base).collect::<Vec<_>>();
            is_base = !moved.is_empty()
                && (base.is_none() || moved.iter().any(|moved| deployed.contains(&moved.as_str())));
            branches
                .map(|(_, branch)| branch)
                .filter(|branch| moved.iter().any(|moved| moved == branch.as_str()))
                .collect()
        }
        About::Proposal { branch: Some(from), .. } => {
            branches.map(|(_, branch)| branch).filter(|branch| branch.as_str() == from).collect()
        }
        About::Proposal { number, branch: None } => branches
            .filter(|(name, _)| is_open(name, &|open| Some(open.number.0) == *number))
            .map(|(_, branch)| branch)
            .collect(),
        About::Commit(id) => branches
            .filter(|(name, _)| is_open(name, &|open| open.head.as_str() == id))
            .map(|(_, branch)| branch)
            .collect(),
    };
    (is_base || !meant.is_empty()).then_some(meant)
}

#[cfg(test)]
mod tests {
    use gradus_manifest::{Manifest, SourceFile, read};

    use super::*;

    /// A pipeline `apps/NAME` from `staging` to `prod`, which is proposed.
    fn pipeline(name: &str, repository: &str) -> Arc<Pipeline> {
        let text = format!(
            "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: {name}, namespace: apps}}\n\
             spec:\n  repository: {{{repository}}}\n  environments: [{{name: staging, targets: [git: {{}}]}}, {{name: prod, targets: [git: {{}}]}}]\n"
        );
        let mut parsed = read(&SourceFile { name: "web.yaml", text: text.as_bytes() });
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        match parsed.manifests.remove(0) {
            Manifest::Pipeline(pipeline, _) => Arc::from(pipeline),
            Manifest::Hold(_) | Manifest::Notification(_) => panic!("no pipeline"),
        }
    }

    fn event(forge: ForgeKind, urls: &[&str], name: Option<&str>) -> ForgeEvent {
        ForgeEvent {
            forge,
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            name: name.map(str::to_owned),
            default_branch: Some("main".to_owned()),
            about: About::Branches(vec!["main".to_owned()]),
        }
    }

    fn check(known: &[Arc<Pipeline>], event: &ForgeEvent, expected: &[&str]) {
        let known = Known::of(known.to_vec());
        let mut found: Vec<&str> = known.meant(event).map(|pipeline| pipeline.key.name.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{event:?}");
    }

    #[test]
    fn a_repository_is_found_by_any_of_its_addresses() {
        use ForgeKind::{AzureDevOps, BitbucketServer, GitHub, GitLab, Gitea};
        let all = [
            pipeline("hub", "url: 'https://github.com/Acme/Fleet.git', forge: github"),
            pipeline("same", "url: 'https://github.com/acme/fleet/', forge: github"),
            pipeline("pushes", "url: 'https://github.com/acme/fleet'"),
            pipeline("other", "url: 'https://github.com/acme/other', forge: github"),
            pipeline("ghe", "url: 'https://ghe.acme.io/acme/fleet', forge: github"),
            pipeline("lab", "url: 'https://gitlab.acme.io:8443/acme/apps/fleet.git', forge: gitlab"),
            pipeline("within", "url: 'http://gitea.gitea.svc:3000/acme/fleet.git', forge: gitea"),
            pipeline(
                "below",
                "url: 'https://acme.io/git/acme/shop', forge: gitea, forgeUrl: 'https://acme.io/git'",
            ),
            pipeline("dc", "url: 'https://bb.acme.io/scm/ac/fleet.git', forge: bitbucket-server"),
            pipeline("azure", "url: 'https://dev.azure.com/acme/shop/_git/fleet', forge: azure-devops"),
        ];
        let hub = ["https://github.com/acme/fleet.git", "git@github.com:acme/fleet.git"];
        check(&all, &event(GitHub, &hub, Some("acme/fleet")), &["hub", "pushes", "same"]);
        check(&all, &event(GitHub, &["https://ghe.acme.io/acme/fleet"], Some("acme/fleet")), &["ghe"]);
        check(&all, &event(GitHub, &["https://github.com/eve/fleet"], Some("eve/fleet")), &[]);
        let lab =
            ["https://gitlab.acme.io:8443/acme/apps/fleet.git", "git@gitlab.acme.io:acme/apps/fleet.git"];
        check(&all, &event(GitLab, &lab, Some("acme/apps/fleet")), &["lab"]);
        // Those within the cluster know it by another name.
        check(&all, &event(Gitea, &["https://git.acme.io/acme/fleet.git"], Some("acme/fleet")), &["within"]);
        check(&all, &event(Gitea, &["https://acme.io/git/acme/shop.git"], Some("acme/shop")), &["below"]);
        check(
            &all,
            &event(BitbucketServer, &["https://bb.acme.io/scm/ac/fleet.git"], Some("AC/fleet")),
            &["dc"],
        );
        check(&all, &event(BitbucketServer, &[], Some("AC/fleet")), &["dc"]);
        check(
            &all,
            &event(AzureDevOps, &["https://acme@dev.azure.com/acme/shop/_git/fleet"], None),
            &["azure"],
        );
        check(&all, &event(AzureDevOps, &["nonsense", ""], None), &[]);
    }

    #[test]
    fn only_what_may_matter_wakes() {
        let named = pipeline("web", "url: 'https://github.com/acme/fleet', forge: github, branch: live");
        let unnamed = pipeline("web", "url: 'https://github.com/acme/fleet', forge: github");
        let told = |pipeline: &Pipeline, about: About| {
            let event = ForgeEvent { about, ..event(ForgeKind::GitHub, &[], None) };
            matters(pipeline, None, &event)
                .map(|branches| branches.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let branches =
            |names: &[&str]| About::Branches(names.iter().map(|name| (*name).to_owned()).collect());
        let nothing: Option<Vec<String>> = None;
        assert_eq!(told(&named, branches(&["live"])), Some(vec![]));
        assert_eq!(told(&named, branches(&["main", "feature"])), nothing);
        assert_eq!(told(&named, branches(&[])), nothing);
        assert_eq!(told(&unnamed, branches(&["main"])), Some(vec![]));
        assert_eq!(told(&unnamed, branches(&["live"])), nothing);
        let mut environments = named.environments().to_vec();
        environments[0].branch = Some(BranchName::parse("stage").unwrap());
        let own =
            Pipeline::new(named.key.clone(), named.repository.clone(), named.artifacts.clone(), environments)
                .unwrap();
        assert_eq!(told(&own, branches(&["stage"])), Some(vec![]));
        assert_eq!(told(&own, branches(&["dev"])), nothing);
        let prod = "gradus/apps/web/prod".to_owned();
        assert_eq!(told(&named, branches(&[&prod])), Some(vec![prod.clone()]));
        let of = |branch: &str| About::Proposal { number: Some(7), branch: Some(branch.to_owned()) };
        assert_eq!(told(&named, of(&prod)), Some(vec![prod.clone()]));
        assert_eq!(told(&named, of("gradus/apps/shop/prod")), nothing);
        // Nothing was looked at yet: anything may be open.
        let all = Some(vec!["gradus/apps/web/staging".to_owned(), prod]);
        assert_eq!(told(&named, About::Proposal { number: Some(7), branch: None }), all);
        assert_eq!(told(&named, About::Commit("1".repeat(40))), all);
    }
}
