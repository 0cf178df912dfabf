//! What is kept in a folder that anybody may take away.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use gradus_engine::port::Shelf;
use gradus_local::FileShelf;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

fn aged(path: &Path, hours: u64) {
    let then = SystemTime::now() - Duration::from_secs(3600 * hours);
    fs::OpenOptions::new().append(true).open(path).unwrap().set_modified(then).unwrap();
}

#[tokio::test]
async fn what_is_put_is_there_until_somebody_takes_it_away() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("some/cache");
    let (one, other) = (FileShelf::new(folder.clone()), FileShelf::new(folder.clone()));
    assert_eq!(one.get("x").await, None);
    one.put("x", b"1".to_vec()).await;
    other.put("x", b"2".to_vec()).await;
    assert_eq!(one.get("x").await, Some(b"2".to_vec()));
    assert_eq!(names(&folder), ["x"]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(one.get("x").await, None);
    one.put("x", b"3".to_vec()).await;
    assert_eq!(other.get("x").await, Some(b"3".to_vec()));
    // Where nothing can be kept, nothing is.
    let nowhere = FileShelf::new(folder.join("x/below"));
    nowhere.put("y", b"1".to_vec()).await;
    assert_eq!(nowhere.get("y").await, None);
}

#[tokio::test]
async fn what_was_used_longest_ago_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = FileShelf::new(dir.path().to_owned()).with_room(25);
    for (name, hours) in [("a", 3), ("b", 2)] {
        shelf.put(name, vec![0; 10]).await;
        aged(&dir.path().join(name), hours);
    }
    // What another process is writing stays; what one left behind long ago does not.
    for (name, hours) in [("c.1.2.unfinished", 0), ("d.1.2.unfinished", 2)] {
        fs::write(dir.path().join(name), b"half").unwrap();
        aged(&dir.path().join(name), hours);
    }
    shelf.get("a").await.unwrap();
    shelf.put("e", vec![0; 10]).await;
    assert_eq!(names(dir.path()), ["a", "c.1.2.unfinished", "e"]);
    shelf.put("f", vec![0; 26]).await;
    assert_eq!(names(dir.path()), ["a", "c.1.2.unfinished", "e"], "what is too large is not kept");
}

/// Whoever reads finds what one of the writers wrote, whole.
#[tokio::test(flavor = "multi_thread")]
async fn several_may_write_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = FileShelf::new(dir.path().to_owned());
    let writers = (0..4_u8).map(|n| {
        let shelf = shelf.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                shelf.put("x", vec![n; 10_000]).await;
                let bytes = shelf.get("x").await.unwrap();
                assert_eq!(bytes, vec![bytes[0]; 10_000]);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(names(dir.path()), ["x"]);
}
