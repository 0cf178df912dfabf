//! A disk that takes no more: real writes that fail, in a process whose files the system keeps from growing.

use std::path::Path;
use std::process::{Command, Output};

use gradus_engine::port::{Ledger, PortError, PortErrorKind};
use gradus_local::{DataDirLock, SqliteLedger};

use crate::processes::{FILE, NAME, is_whole, told};
use crate::sample::{all, approval, folder, run, web};

/// Runs the named test of this binary once more, as a process whose files have this many blocks of 512 bytes at most.
fn confined(test: &str, blocks: u32, file: &Path) -> Output {
    // Without the trap the system would end the process instead of refusing the write.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("full::{test}"), "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .env(NAME, "")
        .output()
        .unwrap()
}

fn said(output: &Output, word: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let start = format!("{word} ");
    text.lines().filter_map(|line| Some(line.split_once(&start)?.1.to_owned())).collect()
}

fn shown(error: &PortError) -> String {
    assert_eq!(error.kind, PortErrorKind::Local);
    format!("{} ({})", error.in_full(), error.hint.as_deref().unwrap())
}

/// Writes two entries at once until that fails, and looks at what is there then.
async fn fill(file: &Path) {
    let ledger = SqliteLedger::open(file).unwrap();
    for n in 0.. {
        let two = [approval(&format!("{n}-a"), "ann"), approval(&format!("{n}-b"), "ann")];
        if let Err(error) = ledger.record(&web(), &two).await {
            println!("wrote {}\nrefused {}", 2 * n, shown(&error));
            break;
        }
    }
    println!("reads {}", all(&ledger, &web()).await.len());
}

#[test]
fn the_ledger_keeps_what_it_has_and_goes_on_when_there_is_room() {
    if let Some((file, _name)) = told() {
        return run(fill(&file));
    }
    let (folder, file) = folder();
    // Made before, so that it is not the making that fails.
    run(async { SqliteLedger::open(&file).unwrap().record(&web(), &[approval("0", "ann")]).await.unwrap() });
    let test = "the_ledger_keeps_what_it_has_and_goes_on_when_there_is_room";
    let made = u32::try_from(std::fs::metadata(&file).unwrap().len() / 512).unwrap();
    let output = confined(test, made, &file);
    let [wrote] = said(&output, "wrote").try_into().unwrap();
    let wrote: usize = wrote.parse().unwrap();
    let [refused] = said(&output, "refused").try_into().unwrap();
    assert!(
        refused.starts_with("recording 2 entries of apps/web in the ledger ") && refused.contains("disk"),
        "{refused}"
    );
    assert!(refused.contains(&format!("the disk that {} is on", folder.path().display())), "{refused}");
    assert_eq!(said(&output, "reads"), [(1 + wrote).to_string()]);

    is_whole(&file);
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), 1 + wrote);
        ledger.record(&web(), &[approval("more", "ann")]).await.unwrap();
        assert_eq!(all(&ledger, &web()).await.len(), 2 + wrote);
    });
}

#[test]
fn a_new_ledger_is_not_half_made() {
    if let Some((file, _name)) = told() {
        println!("refused {}", shown(&SqliteLedger::open(&file).err().unwrap()));
        println!("locked {}", shown(&DataDirLock::take(file.parent().unwrap()).unwrap_err()));
        return;
    }
    let (folder, file) = folder();
    let output = confined("a_new_ledger_is_not_half_made", 0, &file);
    let [refused] = said(&output, "refused").try_into().unwrap();
    assert!(refused.starts_with(&format!("opening the ledger {}", file.display())), "{refused}");
    let [locked] = said(&output, "locked").try_into().unwrap();
    let hint = format!("the folder {} is full; nothing of this was written", folder.path().display());
    assert!(locked.starts_with("taking the lock ") && locked.contains(&hint), "{locked}");
    // What is there, if anything, is no obstacle later.
    drop(DataDirLock::take(folder.path()).unwrap());
    run(async { SqliteLedger::open(&file).unwrap().record(&web(), &[approval("1", "ann")]).await.unwrap() });
}

#[test]
fn a_backup_is_there_as_a_whole_or_not_at_all() {
    if let Some((file, _name)) = told() {
        return run(async {
            let ledger = SqliteLedger::open_read_only(&file).unwrap();
            let error = ledger.backup(&file.with_file_name("backup")).await.unwrap_err();
            println!("refused {}", shown(&error));
        });
    }
    let (folder, file) = folder();
    run(async {
        let ledger = SqliteLedger::open(&file).unwrap();
        let many: Vec<_> = (0..500).map(|n| approval(&n.to_string(), "ann")).collect();
        ledger.record(&web(), &many).await.unwrap();
    });
    let output = confined("a_backup_is_there_as_a_whole_or_not_at_all", 128, &file);
    let [refused] = said(&output, "refused").try_into().unwrap();
    assert!(refused.starts_with("writing a backup to ") && refused.contains("disk I/O error"), "{refused}");
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("backup")).collect();
    assert!(left.is_empty(), "{left:?}");
    is_whole(&file);
}
