//! Several processes and tasks on one file, and processes that are killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gradus_engine::port::ledger::Reported;
use gradus_engine::port::{Ledger, PortErrorKind};
use gradus_local::{DataDirLock, Settings, SqliteLedger};

use crate::sample::{all, approval, folder, report, run, web};

pub(crate) const FILE: &str = "GRADUS_LOCAL_TEST_FILE";
pub(crate) const NAME: &str = "GRADUS_LOCAL_TEST_NAME";

/// Runs the named test of this binary once more, as a process of its own that
/// finds the file in its environment.
fn again(test: &str, file: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{test}"), "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// What a process of its own is to do, when this is one.
pub(crate) fn told() -> Option<(std::path::PathBuf, String)> {
    Some((std::env::var_os(FILE)?.into(), std::env::var(NAME).ok()?))
}

/// Writes without end, two entries at once, and says which are safe.
fn write_without_end(file: &Path, name: &str) {
    run(async {
        let ledger = SqliteLedger::open(file).unwrap();
        let mut out = std::io::stdout();
        for n in 0.. {
            let version = format!("{name}-{n}");
            let healthy = Reported::Healthy { release: crate::sample::release(&version) };
            ledger.record(&web(), &[approval(&version, "ann"), report(healthy, n)]).await.unwrap();
            writeln!(out, "safe {n}").unwrap();
            out.flush().unwrap();
        }
    });
}

pub(crate) fn is_whole(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    let wrong: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(wrong, 0);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    if let Some((file, name)) = told() {
        return write_without_end(&file, &name);
    }
    let (_folder, file) = folder();
    let mut expected = 0;
    // Different lengths, so that the kill meets different moments of a write.
    for (round, lines) in [1, 3, 10, 17, 31, 64, 2, 100].into_iter().enumerate() {
        let name = format!("r{round}");
        let mut child = again("what_was_acknowledged_survives_a_kill", &file, &name);
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut safe = said.by_ref().filter(|line| line.contains("safe ")).take(lines).count();
        assert_eq!(safe, lines);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it could still say before the end counts too; its last line may be cut.
        safe += said.filter(|line| line.starts_with("safe ")).count().saturating_sub(1);
        is_whole(&file);
        run(async {
            let ledger = SqliteLedger::open_read_only(&file).unwrap();
            let history = all(&ledger, &web()).await;
            let kept: Vec<_> = history.iter().map(|recorded| &recorded.entry).collect();
            for n in 0..safe {
                assert!(kept.contains(&&approval(&format!("{name}-{n}"), "ann")), "{name}-{n} is lost");
            }
            // Both entries of a call, or none.
            assert_eq!(history.len() % 2, 0);
            assert!(history.len() >= expected + 2 * safe);
            expected = history.len();
        });
    }
}

#[test]
fn two_processes_write_side_by_side_and_a_third_reads() {
    if let Some((file, name)) = told() {
        return write_without_end(&file, &name);
    }
    let (_folder, file) = folder();
    let test = "two_processes_write_side_by_side_and_a_third_reads";
    // Both find no file and make it.
    let children = ["a", "b"].map(|name| again(test, &file, name));
    let mut readers = Vec::new();
    for mut child in children {
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert_eq!(said.by_ref().filter(|line| line.contains("safe ")).take(40).count(), 40);
        readers.push((child, said));
    }
    run(async {
        let reader = SqliteLedger::open_read_only(&file).unwrap();
        let before = all(&reader, &web()).await.len();
        assert!(before >= 160, "{before}");
        let error = reader.record(&web(), &[approval("1", "ann")]).await.unwrap_err();
        assert!(error.in_full().contains("opened for reading only"), "{}", error.in_full());
        let (child, said) = readers.first_mut().unwrap();
        assert_eq!(said.by_ref().take(20).count(), 20);
        assert!(child.try_wait().unwrap().is_none());
        assert!(all(&reader, &web()).await.len() > before);
    });
    for (mut child, _said) in readers {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    is_whole(&file);
}

#[test]
fn a_data_directory_has_one_long_running_process() {
    if let Some((file, _name)) = told() {
        let _lock = DataDirLock::take(file.parent().unwrap()).unwrap();
        println!("held");
        // Holds it until the other side goes away.
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let (folder, file) = folder();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::a_data_directory_has_one_long_running_process", "--nocapture"])
        .env(FILE, &file)
        .env(NAME, "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("held")));
    let error = DataDirLock::take(folder.path()).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unusable);
    assert_eq!(
        error.to_string(),
        format!(
            "taking the data directory {}, which process {} uses (cannot be used)",
            folder.path().display(),
            child.id()
        )
    );
    // Short commands write all the same.
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        ledger.record(&web(), &[approval("1", "ann")]).await.unwrap();
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let held = DataDirLock::take(folder.path()).unwrap();
    assert!(DataDirLock::take(folder.path()).is_err());
    drop(held);
    assert!(DataDirLock::take(folder.path()).is_ok());
}

#[test]
fn a_file_that_another_process_holds_is_said_to_be_busy() {
    let (_folder, file) = folder();
    let settings = Settings { busy: std::time::Duration::from_millis(50), ..Settings::default() };
    run(async {
        let ledger = SqliteLedger::open_with(&file, &settings).unwrap();
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = ledger.record(&web(), &[approval("1", "ann")]).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unreachable);
        assert!(error.hint.unwrap().contains("another process is writing to it"));
        assert_eq!(all(&ledger, &web()).await, []);
        other.execute_batch("COMMIT").unwrap();
        ledger.record(&web(), &[approval("1", "ann")]).await.unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), 1);
    });
}

/// An administrator's tool, or a copy under way, may hold the whole file: then it cannot even be opened.
#[test]
fn a_file_that_another_process_keeps_to_itself_cannot_be_opened() {
    let (_folder, file) = folder();
    let settings = Settings { busy: std::time::Duration::from_millis(50), ..Settings::default() };
    run(async { SqliteLedger::open(&file).unwrap().record(&web(), &[approval("1", "ann")]).await.unwrap() });
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let error = SqliteLedger::open_with(&file, &settings).err().unwrap();
    assert_eq!(error.kind, PortErrorKind::Unreachable, "{}", error.in_full());
    assert!(error.in_full().starts_with(&format!("opening the ledger {}", file.display())));
    assert!(error.hint.unwrap().contains("another process is writing to it; nothing was written here"));
    drop(other);
    run(async {
        let ledger = SqliteLedger::open_with(&file, &settings).unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), 1);
    });
}

#[test]
fn eight_tasks_write_and_read() {
    let (_folder, file) = folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        let mut tasks = Vec::new();
        for task in 0..8 {
            let ledger = ledger.clone();
            tasks.push(tokio::spawn(async move {
                for n in 0..50 {
                    let mine = approval(&format!("{task}-{n}"), "ann");
                    // What everybody writes is kept once.
                    ledger.record(&web(), &[mine.clone(), approval(&n.to_string(), "ben")]).await.unwrap();
                    let view = ledger.view(&web()).await.unwrap();
                    let seen = view.approvals.values().flatten();
                    assert!(seen.into_iter().any(|seen| approval_of(&mine) == seen));
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(all(&ledger, &web()).await.len(), 8 * 50 + 50);
    });
    is_whole(&file);
}

fn approval_of(entry: &gradus_engine::port::ledger::Entry) -> &gradus_core::observation::Approval {
    let gradus_engine::port::ledger::Entry::Approval { approval, .. } = entry else { panic!("{entry:?}") };
    approval
}
