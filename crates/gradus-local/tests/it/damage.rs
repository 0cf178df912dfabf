//! Files that cannot be used, and how that is said.

use std::path::Path;

use gradus_engine::port::ledger::HistoryQuery;
use gradus_engine::port::{Ledger, PortError, PortErrorKind};
use gradus_local::{DataDirLock, Settings, SqliteLedger};

use crate::sample::{all, approval, folder, run, web};

/// Opens what must not open, in every way there is.
fn refused(file: &Path) -> PortError {
    assert!(SqliteLedger::open_existing(file).is_err());
    assert!(SqliteLedger::open_read_only(file).is_err());
    SqliteLedger::open(file).err().unwrap()
}

fn check(error: &PortError, kind: PortErrorKind, file: &Path, words: &str, hint: &str) {
    assert_eq!(error.kind, kind, "{}", error.in_full());
    let text = error.in_full();
    assert!(text.contains(words) && text.contains(&file.display().to_string()), "{text}");
    assert!(error.hint.as_deref().unwrap().contains(hint), "{:?}", error.hint);
}

fn written(file: &Path, entries: usize) {
    run(async {
        let ledger = SqliteLedger::open(file).unwrap();
        for n in 0..entries {
            ledger.record(&web(), &[approval(&n.to_string(), "ann")]).await.unwrap();
        }
    });
}

#[test]
fn garbage() {
    let (_folder, file) = folder();
    std::fs::write(&file, "this is no ledger, and longer than a header of one hundred bytes".repeat(9))
        .unwrap();
    check(&refused(&file), PortErrorKind::Unusable, &file, "not a database", "copy the newest backup to");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("this is no ledger"));
}

#[test]
fn cut_short() {
    let (_folder, file) = folder();
    written(&file, 200);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    check(&refused(&file), PortErrorKind::Unusable, &file, "malformed", "loses the record of approvals");
    assert_eq!(std::fs::read(&file).unwrap().len(), whole.len() / 2);
}

#[test]
fn overwritten_in_the_middle() {
    let (_folder, file) = folder();
    written(&file, 200);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&file, &bytes).unwrap();
    check(&refused(&file), PortErrorKind::Unusable, &file, "damaged", "move ");
}

#[test]
fn of_a_newer_gradus() {
    let (_folder, file) = folder();
    written(&file, 1);
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let words = "has the format 7, and this gradus knows formats up to 3";
    check(&refused(&file), PortErrorKind::Unusable, &file, words, "newer gradus");
}

/// A file of the first format, which had no notifications, is used with all that it holds.
#[test]
fn of_an_older_gradus() {
    let (_folder, file) = folder();
    written(&file, 3);
    let older = "DROP TABLE dispatched; DROP TABLE told; DROP TABLE threads; PRAGMA user_version = 1";
    rusqlite::Connection::open(&file).unwrap().execute_batch(older).unwrap();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), 3);
    });
    let version = |link: &rusqlite::Connection| link.query_row("PRAGMA user_version", [], |row| row.get(0));
    let found: i64 = version(&rusqlite::Connection::open(&file).unwrap()).unwrap();
    assert_eq!(found, 3);
}

#[test]
fn brought_to_a_newer_format_while_in_use() {
    let (_folder, file) = folder();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 7).unwrap();
        let error = ledger.record(&web(), &[approval("1", "ann")]).await.unwrap_err();
        check(&error, PortErrorKind::Unusable, &file, "has the format 7", "newer gradus");
        assert!(ledger.view(&web()).await.is_err());
    });
}

#[test]
fn of_another_program() {
    let (_folder, file) = folder();
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    check(&refused(&file), PortErrorKind::Unusable, &file, "of another program", "another data directory");
}

#[test]
fn an_entry_that_somebody_edited() {
    let (_folder, file) = folder();
    written(&file, 2);
    let edit = rusqlite::Connection::open(&file).unwrap();
    edit.execute("UPDATE entries SET body = replace(body, '\"ann\"', '\"\"') WHERE id = 2", []).unwrap();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        let query = HistoryQuery { limit: 9, ..HistoryQuery::default() };
        let error = ledger.history(&web(), &query).await.unwrap_err();
        check(
            &error,
            PortErrorKind::Unusable,
            &file,
            "entry 2 cannot be read: person \"\" is empty",
            "backup",
        );
    });
}

#[test]
fn missing_or_in_no_folder() {
    let (folder, file) = folder();
    let error = SqliteLedger::open_existing(&file).err().unwrap();
    check(&error, PortErrorKind::Missing, &file, "there is no such file", "check the data directory");
    assert!(SqliteLedger::open_read_only(&file).is_err());
    assert!(!file.exists());

    std::fs::write(folder.path().join("plain"), "").unwrap();
    let below = folder.path().join("plain/ledger.sqlite");
    let error = SqliteLedger::open(&below).err().unwrap();
    check(&error, PortErrorKind::Local, &below, "opening", "is a folder that this user may write to");
    assert!(DataDirLock::take(&folder.path().join("plain")).is_err());
}

#[test]
fn nothing_is_half_written_when_there_is_no_room() {
    let (_folder, file) = folder();
    let settings = Settings { max_bytes: Some(200 << 10), ..Settings::default() };
    let said = run(async {
        let ledger = SqliteLedger::open_with(&file, &settings).unwrap();
        let mut said = 0;
        loop {
            let two = [approval(&format!("{said}-a"), "ann"), approval(&format!("{said}-b"), "ann")];
            match ledger.record(&web(), &two).await {
                Ok(()) => said += 2,
                Err(error) => {
                    check(&error, PortErrorKind::Local, &file, "full", "nothing of this was written");
                    break;
                }
            }
        }
        assert_eq!(all(&ledger, &web()).await.len(), said);
        said
    });
    assert!(said > 20, "{said}");
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        ledger
            .record(&web(), &[approval("there is room again".replace(' ', "-").as_str(), "ann")])
            .await
            .unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), said + 1);
    });
}

#[test]
fn one_that_fails_does_not_hurt_those_beside_it() {
    let (_folder, file) = folder();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        // A damaged state makes each report on its target fail, in the thread that writes.
        let report = crate::sample::report(gradus_engine::port::ledger::Reported::NotDeployed, 1);
        ledger.record(&web(), std::slice::from_ref(&report)).await.unwrap();
        rusqlite::Connection::open(&file).unwrap().execute("UPDATE targets SET state = '{}'", []).unwrap();
        let bad = crate::sample::report(gradus_engine::port::ledger::Reported::NotDeployed, 2);
        let mut tasks = Vec::new();
        for n in 0..40 {
            let (ledger, bad) = (ledger.clone(), bad.clone());
            tasks.push(tokio::spawn(async move {
                let entry = if n % 4 == 0 { bad } else { approval(&n.to_string(), "ann") };
                ledger.record(&web(), &[entry]).await.is_ok()
            }));
        }
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), n % 4 != 0, "{n}");
        }
        assert_eq!(all(&ledger, &web()).await.len(), 1 + 30);
    });
}
