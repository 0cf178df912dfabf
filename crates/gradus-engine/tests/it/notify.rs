//! Telling people what is new, on an engine with doubles and a receiver that holds what it was told.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::names::{Namespace, NotificationName};
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::{Notification, NotificationKey, Receiver};
use gradus_core::observation::Approval;
use gradus_core::pipeline::{Hold, Merge, Pipeline, Strategy};
use gradus_engine::fake::{Fakes, Faults, sketch};
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::port::notify::{Again, MarkState, Memory, Messenger, Receipt, Remember, SendError, Told};
use gradus_engine::port::{Clock, PortError, PortErrorKind};
use gradus_engine::{Engine, Notifier, NotifyOptions};
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What the receiver does to the next messages.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// It is busy, and says how long.
    Busy(Option<u64>),
    /// It will never take this.
    Refuses,
    /// It takes the message, and its answer never comes.
    TakesAndHangs,
    /// It never answers.
    Hangs,
}

/// A receiver with threads.
#[derive(Clone, Default)]
struct Channel(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    messages: Vec<String>,
    tries: Vec<Instant>,
    moods: VecDeque<Mood>,
    threads: usize,
}

impl Channel {
    fn expects(&self, moods: &[Mood]) {
        self.0.lock().expect("a channel").moods.extend(moods);
    }

    fn messages(&self) -> Vec<String> {
        self.0.lock().expect("a channel").messages.clone()
    }

    /// How long after the first each further try came, in seconds.
    fn pauses(&self) -> Vec<u64> {
        let tries = &self.0.lock().expect("a channel").tries;
        tries.windows(2).map(|two| two[1].duration_since(two[0]).as_secs()).collect()
    }
}

#[async_trait]
impl Messenger for Channel {
    async fn send(&self, to: &Notification, news: &News, thread: Option<&str>) -> Result<Receipt, SendError> {
        let mood = {
            let mut taken = self.0.lock().expect("a channel");
            taken.tries.push(Instant::now());
            let mood = taken.moods.pop_front();
            if matches!(mood, None | Some(Mood::TakesAndHangs)) {
                let mut text = format!("{} {}: {}", to.key.name, thread.unwrap_or("new"), news.title);
                for line in &news.details {
                    write!(text, "\n  {line}").expect("a text");
                }
                for line in &news.can {
                    write!(text, "\n  can: {line}").expect("a text");
                }
                taken.messages.push(text);
            }
            mood
        };
        let refused = |again| {
            let error = PortError::because(PortErrorKind::Unreachable, "telling the channel", "no");
            Err(SendError { error, again })
        };
        match mood {
            None => {
                let mut taken = self.0.lock().expect("a channel");
                taken.threads += 1;
                let number = taken.threads;
                let thread = thread.map_or_else(|| format!("thread {number}"), str::to_owned);
                Ok(Receipt { thread: Some(thread.into()), answer: "ok".to_owned() })
            }
            Some(Mood::Busy(seconds)) => refused(Again::After(seconds.map(Duration::from_secs))),
            Some(Mood::Refuses) => refused(Again::Never),
            Some(Mood::Hangs | Mood::TakesAndHangs) => std::future::pending().await,
        }
    }
}

/// A memory that outlives the notifier.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    of: BTreeMap<NotificationKey, Memory>,
    is_closed: bool,
}

impl Book {
    fn close(&self, is_closed: bool) {
        self.0.lock().expect("a book").is_closed = is_closed;
    }

    /// How many marks there are of each state, and why what was not delivered was not.
    fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for mark in self.0.lock().expect("a book").of.values().flat_map(|memory| memory.marks.values()) {
            let word = match &mark.state {
                MarkState::Undelivered(why) => format!("undelivered: {why}"),
                state @ (MarkState::Begun | MarkState::Past | MarkState::Pending(_) | MarkState::Sent) => {
                    state.word().to_owned()
                }
            };
            *states.entry(word).or_default() += 1;
        }
        states
    }
}

#[async_trait]
impl Told for Book {
    async fn memory(&self, of: &NotificationKey) -> Result<Memory, PortError> {
        let pages = self.0.lock().expect("a book");
        if pages.is_closed {
            return Err(PortError::new(PortErrorKind::Unreachable, "opening the book"));
        }
        Ok(pages.of.get(of).cloned().unwrap_or_default())
    }

    async fn remember(&self, of: &NotificationKey, changes: &[Remember]) -> Result<(), PortError> {
        let mut pages = self.0.lock().expect("a book");
        if pages.is_closed {
            return Err(PortError::new(PortErrorKind::Unreachable, "writing into the book"));
        }
        let memory = pages.of.entry(of.clone()).or_default();
        changes.iter().for_each(|change| memory.apply(change));
        Ok(())
    }
}

/// An engine, a notifier and whoever hears it.
struct Stage {
    fakes: Fakes,
    engine: Arc<Engine>,
    pipeline: Arc<Pipeline>,
    channel: Channel,
    book: Book,
    notifier: Arc<Notifier>,
    running: JoinHandle<()>,
}

fn notification(name: &str, on: &[NewsKind]) -> Notification {
    let name = NotificationName::parse(name).expect("a name");
    Notification {
        key: NotificationKey { namespace: Namespace::parse("apps").expect("a namespace"), name },
        pipelines: Default::default(),
        environments: Default::default(),
        on: if on.is_empty() { NewsKind::ALL.into_iter().collect() } else { on.iter().copied().collect() },
        to: Receiver::Teams { secret: "apps/teams".into() },
        suspend: false,
    }
}

/// `dev`, and `prod` behind a proposal that one person has to approve.
fn pipeline() -> Pipeline {
    let mut prod = sketch::environment("prod", &["dev"]);
    prod.strategy = Strategy::PullRequest;
    prod.merge = Merge::Auto;
    prod.gates = vec![sketch::approval(1, false)];
    sketch::pipeline(vec![sketch::environment("dev", &[]), prod])
}

impl Stage {
    async fn new(pipeline: Pipeline) -> Self {
        Self::with(pipeline, vec![notification("team", &[])]).await
    }

    async fn with(pipeline: Pipeline, notifications: Vec<Notification>) -> Self {
        let fakes = Fakes::default();
        for environment in pipeline.environments() {
            let name = environment.name.as_str();
            let (path, file) = (sketch::path(name), sketch::file(name, "1.0.0"));
            fakes.repo.push("main", "ada", "Begin", &[(&path, Some(&file))]);
        }
        let engine = Arc::new(Engine::new(fakes.ports(&Faults::none())));
        let pipeline = Arc::new(pipeline);
        engine.set_pipelines(BTreeMap::from([(pipeline.key.clone(), pipeline.clone())]));
        let (channel, book) = (Channel::default(), Book::default());
        let (notifier, running) = start(&fakes, &engine, &channel, &book, notifications);
        let stage = Self { fakes, engine, pipeline, channel, book, notifier, running };
        stage.healthy("dev", "1.0.0");
        stage.healthy("prod", "1.0.0");
        stage.settle().await;
        stage
    }

    /// The process ends without a word, and another one begins.
    async fn restart(&mut self, notifications: Vec<Notification>) {
        self.running.abort();
        let _aborted = (&mut self.running).await;
        let (notifier, running) = start(&self.fakes, &self.engine, &self.channel, &self.book, notifications);
        (self.notifier, self.running) = (notifier, running);
    }

    fn reports(&self, environment: &str, reported: Reported) {
        let at = self.fakes.clock.now();
        let (environment, target) = (sketch::environment_name(environment), sketch::target_name("main"));
        let entry = Entry::Report { environment, target, reported, by: sketch::person("flux"), at };
        self.fakes.ledger.put(&self.pipeline.key, entry);
    }

    fn healthy(&self, environment: &str, version: &str) {
        self.reports(environment, Reported::Healthy { release: sketch::release(version) });
    }

    fn fails(&self, environment: &str, version: &str) {
        let release = Some(sketch::release(version));
        self.reports(environment, Reported::Failed { release, why: "CrashLoopBackOff".into() });
    }

    fn approves(&self, environment: &str, version: &str) {
        let approval = Approval {
            release: sketch::release(version),
            by: sketch::person("mia"),
            groups: Vec::new(),
            aliases: Vec::new(),
            at: self.fakes.clock.now(),
        };
        let environment = sketch::environment_name(environment);
        self.fakes.ledger.put(&self.pipeline.key, Entry::Approval { environment, approval });
    }

    fn writes(&self, environment: &str, version: &str, title: &str) {
        let (path, file) = (sketch::path(environment), sketch::file(environment, version));
        self.fakes.repo.push("main", "ada", title, &[(&path, Some(&file))]);
    }

    fn later(&self, minutes: i64) {
        self.fakes.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// Looks until nothing is left to do, and lets people be told.
    async fn settle(&self) {
        for _ in 0..10 {
            let done = self.engine.reconcile(&self.pipeline).await;
            self.notifier.offer(&done.looked);
            sleep(Duration::from_secs(1)).await;
            if !done.did_something() {
                return;
            }
        }
        panic!("it never came to rest");
    }

    /// A release comes into dev and is healthy there.
    async fn release(&self, version: &str) {
        self.writes("dev", version, "Release");
        self.healthy("dev", version);
        self.settle().await;
    }

    #[track_caller]
    fn told(&self, expected: &[&str]) {
        let titles: Vec<String> = self
            .channel
            .messages()
            .iter()
            .map(|message| message.lines().next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(titles, expected);
    }
}

fn start(
    fakes: &Fakes,
    engine: &Arc<Engine>,
    channel: &Channel,
    book: &Book,
    notifications: Vec<Notification>,
) -> (Arc<Notifier>, JoinHandle<()>) {
    let (told, clock) = (Arc::new(book.clone()), Arc::new(fakes.clock.clone()));
    let notifier = Notifier::new(Arc::new(channel.clone()), told, clock, NotifyOptions::default());
    let notifier = Arc::new(notifier);
    notifier.set(notifications.into_iter().map(Arc::new));
    let (runs, on) = (notifier.clone(), engine.clone());
    let running = tokio::spawn(async move { runs.run(&on, std::future::pending()).await });
    (notifier, running)
}

const PROPOSED: &str = "team new: web 1.1.0 is proposed for prod (proposal 1)";
const WAITING: &str = "team thread 1: web 1.1.0 waits for approval by an approver for prod";

#[tokio::test(start_paused = true)]
async fn a_promotion_is_told_from_its_proposal_to_its_end_in_one_thread() {
    let stage = Stage::new(pipeline()).await;
    stage.told(&[]);
    stage.release("1.1.0").await;
    stage.later(5);
    stage.approves("prod", "1.1.0");
    stage.settle().await;
    stage.healthy("prod", "1.1.0");
    stage.settle().await;
    stage.later(5);
    stage.fails("prod", "1.1.0");
    stage.settle().await;
    stage.later(5);
    stage.writes("prod", "1.0.0", "Take it back");
    stage.settle().await;
    let text = without_commits(&stage.channel.messages().join("\n\n"));
    let expected = EXPECTED_STORY.trim();
    assert_eq!(text.trim(), expected, "\n{text}");
    stage.healthy("prod", "1.0.0");
    stage.settle().await;
    assert_eq!(
        stage.channel.messages().last().expect("a message"),
        "team new: web 1.0.0 runs in prod\n  healthy since 08:15"
    );
    // However often it is looked at, nothing is said twice.
    let before = stage.channel.messages().len();
    for _ in 0..5 {
        stage.later(60 * 24);
        stage.settle().await;
    }
    assert_eq!(stage.channel.messages().len(), before);
}

const EXPECTED_STORY: &str = "
team new: web 1.1.0 is proposed for prod (proposal 1)
  prod has 1.0.0 now
  0 of 1 approvals of 1.1.0 by an approver
  can: gradus approve web --to prod --version 1.1.0

team thread 1: web 1.1.0 waits for approval by an approver for prod
  0 of 1 approvals of 1.1.0 by an approver
  can: gradus approve web --to prod --version 1.1.0

team thread 1: web was promoted to prod: 1.0.0 → 1.1.0
  commit COMMIT by gradus: Promote web to prod: 1.0.0 → 1.1.0

team thread 1: web 1.1.0 runs in prod
  healthy since 08:05

team thread 1: web 1.1.0 failed in prod
  since 08:10
  1.1.0: CrashLoopBackOff
  can: gradus explain web prod
  can: gradus rollback web --to prod

team thread 1: web was rolled back in prod: 1.1.0 → 1.0.0
  commit COMMIT by ada: Take it back
  can: release a newer version
  can: gradus promote web --to prod --version 1.1.0
";

/// The text, with a word for every commit: its id is a hash of the double's own.
fn without_commits(text: &str) -> String {
    fn plain(word: &str) -> &str {
        let is_commit = word.len() == 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_commit { "COMMIT" } else { word }
    }
    let lines = text.lines().map(|line| line.split(' ').map(plain).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_what_was_so_before() {
    let mut stage = Stage::with(pipeline(), Vec::new()).await;
    stage.release("1.1.0").await;
    stage.fails("dev", "1.1.0");
    stage.settle().await;
    stage.restart(vec![notification("team", &[])]).await;
    stage.settle().await;
    stage.told(&[]);
    // What comes from here on is told.
    stage.later(1);
    stage.approves("prod", "1.1.0");
    stage.healthy("dev", "1.1.0");
    stage.settle().await;
    stage.told(&["team new: web was promoted to prod: 1.0.0 → 1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_tells_nothing_twice_and_goes_on_with_what_was_left() {
    let mut stage = Stage::new(pipeline()).await;
    stage.channel.expects(&[Mood::Hangs]);
    stage.release("1.1.0").await;
    stage.told(&[]);
    stage.restart(vec![notification("team", &[])]).await;
    sleep(Duration::from_secs(1)).await;
    // Nobody looked yet: it was remembered that this is to be told.
    let mut told = stage.channel.messages().len();
    assert_eq!(told, 2, "{:?}", stage.channel.messages());
    for _ in 0..3 {
        stage.restart(vec![notification("team", &[])]).await;
        stage.settle().await;
        assert_eq!(stage.channel.messages().len(), told);
    }
    stage.approves("prod", "1.1.0");
    stage.settle().await;
    told += 1;
    assert_eq!(stage.channel.messages().len(), told);
}

#[tokio::test(start_paused = true)]
async fn only_a_crash_between_sending_and_remembering_tells_it_twice() {
    let mut stage = Stage::with(pipeline(), vec![notification("team", &[NewsKind::Proposed])]).await;
    stage.channel.expects(&[Mood::TakesAndHangs]);
    stage.release("1.1.0").await;
    stage.told(&[PROPOSED]);
    stage.restart(vec![notification("team", &[NewsKind::Proposed])]).await;
    stage.settle().await;
    stage.told(&[PROPOSED, PROPOSED]);
    stage.restart(vec![notification("team", &[NewsKind::Proposed])]).await;
    stage.settle().await;
    stage.told(&[PROPOSED, PROPOSED]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_receiver_is_asked_again_and_left_alone_as_long_as_it_says() {
    let stage = Stage::with(pipeline(), vec![notification("team", &[NewsKind::Proposed])]).await;
    stage.channel.expects(&[Mood::Busy(None), Mood::Busy(None), Mood::Busy(Some(90)), Mood::Hangs]);
    stage.release("1.1.0").await;
    sleep(Duration::from_secs(300)).await;
    stage.told(&[PROPOSED]);
    assert_eq!(stage.channel.pauses(), [1, 2, 90, 38], "the last one hung for half a minute");
    assert_eq!(stage.book.states().get("sent"), Some(&1), "{:?}", stage.book.states());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_is_given_up_and_said_so() {
    let stage = Stage::with(pipeline(), vec![notification("team", &[NewsKind::Proposed])]).await;
    stage.channel.expects(&[Mood::Busy(None); 10]);
    stage.release("1.1.0").await;
    sleep(Duration::from_secs(3600)).await;
    stage.told(&[]);
    assert_eq!(stage.channel.pauses().len(), 9);
    let undelivered = "undelivered: telling the channel: no".to_owned();
    assert_eq!(stage.book.states().get(&undelivered), Some(&1), "{:?}", stage.book.states());
    // What is refused for good is not tried again, and what comes next is told.
    stage.channel.expects(&[Mood::Refuses]);
    stage.release("1.2.0").await;
    stage.release("1.3.0").await;
    assert_eq!(stage.book.states().get(&undelivered), Some(&2), "{:?}", stage.book.states());
    stage.told(&["team new: web 1.3.0 is proposed for prod (proposal 1)"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_keeps_nobody_waiting() {
    let slow = notification("slow", &[NewsKind::Proposed, NewsKind::Promoted]);
    let stage = Stage::with(pipeline(), vec![slow, notification("team", &[NewsKind::Promoted])]).await;
    stage.channel.expects(&[Mood::Hangs]);
    let begun = Instant::now();
    stage.release("1.1.0").await;
    stage.approves("prod", "1.1.0");
    stage.settle().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "looks had to wait: {:?}", begun.elapsed());
    stage.told(&["team new: web was promoted to prod: 1.0.0 → 1.1.0"]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.channel.messages().len(), 3, "{:?}", stage.channel.messages());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_while_it_is_not_known_what_was() {
    let mut stage = Stage::new(pipeline()).await;
    stage.book.close(true);
    stage.restart(vec![notification("team", &[])]).await;
    stage.release("1.1.0").await;
    stage.told(&[]);
    stage.book.close(false);
    sleep(Duration::from_secs(60)).await;
    stage.told(&[PROPOSED, WAITING]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_comes_and_goes_is_told_once_an_hour() {
    let stage = Stage::with(pipeline(), vec![notification("team", &[NewsKind::Failed])]).await;
    let failed = "team new: web 1.0.0 failed in prod";
    for _ in 0..5 {
        stage.later(5);
        stage.fails("prod", "1.0.0");
        stage.settle().await;
        stage.later(5);
        stage.healthy("prod", "1.0.0");
        stage.settle().await;
    }
    stage.told(&[failed]);
    stage.later(61);
    stage.settle().await;
    stage.fails("prod", "1.0.0");
    stage.settle().await;
    assert_eq!(stage.channel.messages().len(), 2, "{:?}", stage.channel.messages());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_ends_soon_is_told_once() {
    let mut pipeline = pipeline();
    let now = Fakes::default().clock.now();
    pipeline.holds.push(Hold {
        name: "black-friday".into(),
        environment: Some(sketch::environment_name("prod")),
        pin: None,
        reason: "too much at stake".into(),
        owner: sketch::person("mia"),
        since: None,
        until: Some(now + SignedDuration::from_mins(90)),
    });
    let stage = Stage::new(pipeline).await;
    sleep(Duration::from_secs(60)).await;
    stage.told(&[]);
    stage.later(45);
    sleep(Duration::from_secs(60)).await;
    let expected = "team new: hold black-friday on web in prod ends at 09:30 UTC\n  in 45m\n  mia set it: too much at \
                    stake\n  can: set another `until` in its manifest, to hold on";
    assert_eq!(stage.channel.messages(), [expected]);
    stage.later(30);
    sleep(Duration::from_secs(120)).await;
    assert_eq!(stage.channel.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_it_is_suspended_is_not_told_afterwards() {
    let quiet = Notification { suspend: true, ..notification("team", &[]) };
    let stage = Stage::with(pipeline(), vec![quiet]).await;
    stage.release("1.1.0").await;
    stage.notifier.set([Arc::new(notification("team", &[]))]);
    stage.settle().await;
    stage.told(&[]);
    stage.approves("prod", "1.1.0");
    stage.settle().await;
    stage.told(&["team new: web was promoted to prod: 1.0.0 → 1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_chosen_is_told() {
    let mut only_dev = notification("dev", &[]);
    only_dev.environments.insert(sketch::environment_name("dev"));
    let mut elsewhere = notification("elsewhere", &[]);
    elsewhere.pipelines.insert(gradus_core::names::PipelineName::parse("api").expect("a name"));
    let mut foreign = notification("foreign", &[]);
    foreign.key.namespace = Namespace::parse("other").expect("a namespace");
    let stage = Stage::with(pipeline(), vec![only_dev, elsewhere, foreign]).await;
    stage.release("1.1.0").await;
    stage.fails("dev", "1.1.0");
    stage.settle().await;
    stage.told(&["dev new: web 1.1.0 failed in dev"]);
}
