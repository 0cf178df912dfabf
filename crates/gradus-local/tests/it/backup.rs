//! Copies of a ledger in use.

use gradus_engine::port::{Ledger, PortErrorKind};
use gradus_local::SqliteLedger;

use crate::sample::{all, approval, folder, run, web};

#[test]
fn a_backup_is_one_moment_of_a_ledger_in_use() {
    let (folder, file) = folder();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        for n in 0..50 {
            ledger.record(&web(), &[approval(&n.to_string(), "ann")]).await.unwrap();
        }
        let writer = {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for n in 50..250 {
                    // Two at once: a backup has both or none.
                    let two = [approval(&format!("{n}"), "ann"), approval(&format!("{n}"), "ben")];
                    ledger.record(&web(), &two).await.unwrap();
                }
            })
        };
        for n in 0..5 {
            let to = folder.path().join(format!("backup-{n}.sqlite"));
            ledger.backup(&to).await.unwrap();
            let copy = SqliteLedger::open_read_only(&to).unwrap();
            let (kept, whole) = (all(&copy, &web()).await, all(&ledger, &web()).await);
            assert!(kept.len() >= 50 && kept.len() % 2 == 0, "{}", kept.len());
            assert!(whole.ends_with(&kept));
        }
        writer.await.unwrap();
    });
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut backups: Vec<String> = names.filter(|name| name.starts_with("backup")).collect();
    backups.sort();
    assert_eq!(backups, ["0", "1", "2", "3", "4"].map(|n| format!("backup-{n}.sqlite")));
}

#[test]
fn a_restored_backup_goes_on() {
    let (folder, file) = folder();
    let to = folder.path().join("backup.sqlite");
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        ledger.record(&web(), &[approval("1", "ann")]).await.unwrap();
        // A process that only reads can make one too.
        SqliteLedger::open_read_only(&file).unwrap().backup(&to).await.unwrap();
        ledger.record(&web(), &[approval("2", "ann")]).await.unwrap();
    });
    std::fs::copy(&to, &file).unwrap();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        ledger.record(&web(), &[approval("3", "ann")]).await.unwrap();
        let kept = all(&ledger, &web()).await.into_iter().map(|recorded| recorded.entry);
        assert_eq!(kept.collect::<Vec<_>>(), [approval("3", "ann"), approval("1", "ann")]);
    });
}

#[test]
fn a_backup_overwrites_nothing() {
    let (folder, file) = folder();
    let to = folder.path().join("there");
    std::fs::write(&to, "precious").unwrap();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        let error = ledger.backup(&to).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unusable);
        assert!(error.in_full().contains("there is a file of that name already"), "{}", error.in_full());
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "precious");

        let nowhere = folder.path().join("nowhere/backup");
        let error = ledger.backup(&nowhere).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Local);
        assert!(error.hint.unwrap().contains("nowhere is a folder"));

        let memory = SqliteLedger::open_in_memory().unwrap();
        assert_eq!(memory.backup(&folder.path().join("m")).await.unwrap_err().kind, PortErrorKind::Unusable);
    });
}
