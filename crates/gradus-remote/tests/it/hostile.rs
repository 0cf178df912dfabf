//! A host that means harm, or is broken: every answer ends in a clear error, within the limits.

use std::{
    collections::BTreeMap,
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flate2::{Compression, write::ZlibEncoder};
use gradus_remote::git::{
    Change, GitErrorKind, Limits, ObjectId, Preparation, Remote, RemoteOptions, RemoteUrl, RepoPath,
};
use sha1_checked::{Digest, Sha1};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::place::{branch, meta, path};

/// What comes after the head of an answer.
#[derive(Clone)]
enum Body {
    /// These bytes, and an end.
    Bytes(Vec<u8>),
    /// These bytes, then these again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, then nothing, and no end.
    Stall(Vec<u8>),
    /// These bytes, then another one now and then, and no end.
    Drip(Vec<u8>),
    /// Not even a head.
    Silence,
    /// A head without end.
    Headers,
}

/// The answers to the requests for an announcement, for references, for objects and for a push.
#[derive(Clone)]
struct Script {
    announcement: Body,
    content_type: &'static str,
    refs: Body,
    objects: Vec<Body>,
    push: Body,
}

fn line(text: &str) -> Vec<u8> {
    bytes_line(text.as_bytes())
}

fn bytes_line(bytes: &[u8]) -> Vec<u8> {
    [format!("{:04x}", bytes.len() + 4).as_bytes(), bytes].concat()
}

fn band(number: u8, bytes: &[u8]) -> Vec<u8> {
    bytes_line(&[&[number], bytes].concat())
}

fn v2() -> Vec<u8> {
    [line("version 2\n"), line("ls-refs\n"), line("fetch=shallow filter\n"), b"0000".to_vec()].concat()
}

impl Default for Script {
    fn default() -> Self {
        Self {
            announcement: Body::Bytes(v2()),
            content_type: "application/x-git-upload-pack-advertisement",
            refs: Body::Bytes(b"0000".to_vec()),
            objects: Vec::new(),
            push: Body::Bytes(b"0000".to_vec()),
        }
    }
}

/// Bytes the kernel may take on both sides although nobody reads them.
const IN_FLIGHT: usize = 8 * 1024 * 1024;

struct Host {
    address: SocketAddr,
    sent: Arc<AtomicUsize>,
}

impl Host {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, fetched) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // The client goes away in most cases; that is no failure here.
                tokio::spawn(serve(stream, script.clone(), Arc::clone(&counter), Arc::clone(&fetched)));
            }
        });
        Self { address, sent }
    }

    fn remote(&self, limits: Limits) -> Remote {
        let url = RemoteUrl::new(&format!("http://{}/x.git", self.address)).unwrap();
        Remote::open(url, RemoteOptions { limits, ..RemoteOptions::default() }).unwrap()
    }
}

async fn serve(
    stream: TcpStream,
    script: Script,
    sent: Arc<AtomicUsize>,
    fetched: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await?;
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).await? <= 2 {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut request = vec![0; length];
    stream.read_exact(&mut request).await?;
    let push = first.contains("git-receive-pack");
    let (kind, body) = if first.contains("info/refs") && push {
        let words = "\0report-status side-band-64k delete-refs";
        let first = format!("{} capabilities^{{}}{words}", "0".repeat(40));
        (
            "application/x-git-receive-pack-advertisement",
            Body::Bytes([line(&first), b"0000".to_vec()].concat()),
        )
    } else if first.contains("info/refs") {
        (script.content_type, script.announcement.clone())
    } else if push {
        ("application/x-git-receive-pack-result", script.push.clone())
    } else if request.windows(7).any(|part| part == b"ls-refs") {
        ("application/x-git-upload-pack-result", script.refs.clone())
    } else {
        let n = fetched.fetch_add(1, Ordering::Relaxed).min(script.objects.len() - 1);
        ("application/x-git-upload-pack-result", script.objects[n].clone())
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n");
    answer(&mut stream, head, body, &sent).await?;
    stream.get_mut().shutdown().await
}

async fn answer(
    stream: &mut BufReader<TcpStream>,
    head: String,
    body: Body,
    sent: &AtomicUsize,
) -> std::io::Result<()> {
    let mut write = async |bytes: &[u8]| {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        sent.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(())
    };
    if matches!(body, Body::Silence) {
        std::future::pending::<()>().await;
    }
    write(head.as_bytes()).await?;
    if matches!(body, Body::Headers) {
        loop {
            write(b"X-More: and more and more and more\r\n").await?;
        }
    }
    write(b"\r\n").await?;
    match body {
        Body::Bytes(bytes) => write(&bytes).await,
        Body::Endless(start, again) => {
            write(&start).await?;
            let again = again.repeat(1 + 60_000 / again.len());
            loop {
                write(&again).await?;
            }
        }
        Body::Stall(bytes) => {
            write(&bytes).await?;
            std::future::pending().await
        }
        Body::Drip(bytes) => {
            write(&bytes).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                write(b"0").await?;
            }
        }
        Body::Silence | Body::Headers => Ok(()),
    }
}

/// Limits that are met soon; the times only where a test is about them.
fn small() -> Limits {
    Limits {
        pack_bytes: 200_000,
        objects: 1000,
        object_bytes: 100_000,
        inflated_bytes: 1_000_000,
        refs: 1000,
        refs_bytes: 200_000,
        text_bytes: 50_000,
        listed: 5000,
        ..Limits::default()
    }
}

fn hurried() -> Limits {
    let soon = Duration::from_millis(150);
    Limits { stall: soon, response: soon, ..small() }
}

fn protocol(why: &str) -> GitErrorKind {
    GitErrorKind::Protocol(why.to_owned())
}

fn too_large(what: &'static str, limit: u64) -> GitErrorKind {
    GitErrorKind::TooLarge { what, limit }
}

async fn check_refs(script: Script, limits: Limits, expected: GitErrorKind) {
    let host = Host::start(script).await;
    let error = host.remote(limits).tips(&[branch("main")]).await.unwrap_err();
    assert_eq!(*error.kind(), expected);
    assert!(host.sent.load(Ordering::Relaxed) < IN_FLIGHT + 400_000);
}

fn announcing(announcement: Body) -> Script {
    Script { announcement, ..Script::default() }
}

fn referring(refs: Body) -> Script {
    Script { refs, ..Script::default() }
}

#[tokio::test]
async fn announcements() {
    let v0 = line(&format!("{} HEAD\0side-band-64k", "1".repeat(40)));
    let more = line(&format!("{} refs/heads/x", "1".repeat(40)));
    let bytes = |bytes: &[u8]| announcing(Body::Bytes(bytes.to_vec()));
    for (script, expected) in [
        (bytes(b"<html>"), protocol("\"<htm\" is not the length of a packet line")),
        (bytes(b""), protocol("the list of references is cut off")),
        (bytes(b"0003"), protocol("a packet line of 3 bytes")),
        (bytes(b"fff9xxxx"), protocol("a packet line of 65529 bytes")),
        (bytes(b"00"), protocol("it ends in the middle of a packet line")),
        (bytes(b"0100short"), protocol("it ends in the middle of a packet line")),
        (bytes(b"0009no ref"), protocol("a line that is no reference")),
        (bytes(&bytes_line(b"\xff\xfe")), protocol("a line that is not UTF-8")),
        (bytes(&line("ERR who are you?")), GitErrorKind::Refused("who are you?".to_owned())),
        (announcing(Body::Endless(v0.clone(), more)), too_large("the number of branches and tags", 1000)),
        (
            announcing(Body::Endless(line("version 2\n"), line("word"))),
            too_large("the list of branches and tags", 200_000),
        ),
        (announcing(Body::Headers), GitErrorKind::Interrupted),
    ] {
        check_refs(script, small(), expected).await;
    }
    let kind = "application/x-git-upload-pack-advertisement";
    let script = Script { content_type: "text/html", ..Script::default() };
    check_refs(script, small(), protocol(&format!("it is text/html, not {kind}"))).await;
}

#[tokio::test]
async fn lists_of_references() {
    let id = "1".repeat(40);
    let one = line(&format!("{id} refs/heads/main\n"));
    for (refs, expected) in [
        (Body::Bytes(one.clone()), protocol("the list of references is cut off")),
        (Body::Bytes(line("xyz refs/heads/main")), protocol("a line that is no reference")),
        (Body::Bytes(line(&id)), protocol("a line that is no reference")),
        (Body::Endless(Vec::new(), one), too_large("the number of branches and tags", 1000)),
        (
            Body::Endless(Vec::new(), line(&format!("{id} {}", "x".repeat(60_000)))),
            too_large("the list of branches and tags", 200_000),
        ),
    ] {
        check_refs(referring(refs), small(), expected).await;
    }
}

#[tokio::test]
async fn silence() {
    for body in [
        Body::Stall(Vec::new()),
        Body::Stall(b"00".to_vec()),
        Body::Stall(line(&format!("{} refs/heads/x", "1".repeat(40)))),
    ] {
        check_refs(referring(body.clone()), hurried(), GitErrorKind::Timeout("waiting for the next bytes"))
            .await;
        check_refs(announcing(body), hurried(), GitErrorKind::Timeout("waiting for the next bytes")).await;
    }
    check_refs(referring(Body::Silence), hurried(), GitErrorKind::Timeout("waiting for an answer")).await;
    // Never silent for long, and never done.
    let limits = Limits { operation: Duration::from_millis(300), ..small() };
    let drip = Body::Drip(b"ffef".to_vec());
    check_refs(referring(drip), limits, GitErrorKind::Timeout("the whole operation")).await;
}

/// A pack of whole objects, with a count of its own choosing.
fn pack(objects: &[(u8, &[u8])], count: usize) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&u32::try_from(count).unwrap().to_be_bytes());
    for (kind, content) in objects {
        let mut byte = kind << 4 | (content.len() & 15) as u8;
        let mut rest = content.len() >> 4;
        while rest > 0 {
            pack.push(byte | 0x80);
            byte = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        pack.push(byte);
        let mut zlib = ZlibEncoder::new(&mut pack, Compression::best());
        zlib.write_all(content).unwrap();
        zlib.finish().unwrap();
    }
    let checksum = Sha1::digest(&pack);
    pack.extend_from_slice(&checksum);
    pack
}

fn sending(pack: &[u8]) -> Body {
    let mut body = line("packfile\n");
    for part in pack.chunks(60_000) {
        body.extend(band(1, part));
    }
    body.extend(b"0000");
    Body::Bytes(body)
}

fn id(kind: &str, content: &[u8]) -> ObjectId {
    let digest = Sha1::digest([format!("{kind} {}\0", content.len()).as_bytes(), content].concat());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().parse().unwrap()
}

fn commit(tree: ObjectId) -> Vec<u8> {
    format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n").into_bytes()
}

fn tree(entries: &[(&str, &str, ObjectId)]) -> Vec<u8> {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        tree.extend_from_slice(id.as_bytes());
    }
    tree
}

async fn check_objects(objects: Vec<Body>, wanted: ObjectId, limits: Limits, expected: GitErrorKind) {
    let host = Host::start(Script { objects, ..Script::default() }).await;
    let error = host.remote(limits).read(wanted, &[path("a/b")]).await.unwrap_err();
    assert_eq!(*error.kind(), expected);
    assert!(host.sent.load(Ordering::Relaxed) < IN_FLIGHT + 400_000);
}

#[tokio::test]
async fn answers_with_objects() {
    let wanted = id("commit", b"x");
    let start = line("packfile\n");
    let endless = |again: Vec<u8>| Body::Endless(start.clone(), again);
    let bytes = |parts: &[&[u8]]| Body::Bytes(parts.concat());
    let lacks = protocol(&format!("it lacks object {wanted}, which was asked for"));
    for (body, expected) in [
        (endless(band(1, &[0; 60_000])), too_large("the size of an answer", 200_000)),
        (endless(band(1, &[0xff; 100])), too_large("the number of objects in one answer", 1000)),
        (endless(band(2, &[b'x'; 60_000])), too_large("the host's messages", 50_000)),
        (endless(band(2, b"working\r")), too_large("the host's messages", 50_000)),
        (endless(line("")), too_large("the size of an answer", 200_000)),
        (Body::Endless(Vec::new(), line("shallow-info\n")), too_large("the size of an answer", 200_000)),
        (bytes(&[&start, &band(3, b"out of disk")]), GitErrorKind::Refused("out of disk".to_owned())),
        (bytes(&[&start, &band(9, b"x"), b"0000"]), protocol("a packet in no band")),
        (bytes(&[&start, &band(1, b"PACK")]), protocol("the pack is cut off")),
        (bytes(&[&start, b"00ff\x01PACK"]), protocol("it ends in the middle of a packet line")),
        (bytes(&[&start, b"0000"]), protocol("the pack is malformed: it is too short")),
        (bytes(&[b"0000"]), protocol("it holds no pack")),
        (bytes(&[]), protocol("it holds no pack")),
        (sending(&pack(&[], 0)), lacks.clone()),
        (sending(&pack(&[(1, b"y"), (3, b"x")], 2)), lacks),
        (sending(&pack(&[(3, b"y")], 7)), protocol("the pack is malformed: it is cut off")),
        (sending(&pack(&[(3, &[0; 100_001])], 1)), too_large("the size of an object", 100_000)),
        (
            sending(&pack(&[(3, [0; 99_999].as_slice()); 11], 11)),
            too_large("the number of bytes to inflate", 1_000_000),
        ),
        (sending(&pack(&[(1, b"x")], 1)), protocol("a commit is malformed")),
    ] {
        check_objects(vec![body], wanted, small(), expected).await;
    }
    let stalls = vec![Body::Stall(start.clone())];
    check_objects(stalls, wanted, hurried(), GitErrorKind::Timeout("waiting for the next bytes")).await;
    let wanted = id("blob", b"x");
    let kind = protocol(&format!("object {wanted} is a blob, not a commit"));
    check_objects(vec![sending(&pack(&[(3, b"x")], 1))], wanted, small(), kind).await;
}

#[tokio::test]
async fn trees_that_cannot_be() {
    let blob = id("blob", b"x");
    for (content, expected) in [
        (b"40000 a".to_vec(), protocol("a tree is malformed")),
        (b"40000 a\0short".to_vec(), protocol("a tree is malformed")),
        (tree(&[("40000", "", blob)]), protocol("a tree is malformed")),
        (tree(&[("12345", "a", blob)]), protocol("a tree is malformed")),
        (tree(&[("40000", "a", blob)]), protocol(&format!("object {blob} is a blob, not a tree"))),
    ] {
        let commit = commit(id("tree", &content));
        let objects = pack(&[(1, &commit), (2, &content), (3, b"x")], 3);
        check_objects(vec![sending(&objects)], id("commit", &commit), small(), expected).await;
    }
}

/// Ten trees that describe ten thousand million folders.
#[tokio::test]
async fn a_bomb_of_folders() {
    let mut below = tree(&[("100644", "leaf.yaml", id("blob", b"x"))]);
    let mut trees = vec![below.clone()];
    for _ in 0..10 {
        let id = id("tree", &below);
        let names: Vec<_> = (0..10).map(|n| format!("d{n}")).collect();
        below = tree(&names.iter().map(|name| ("40000", name.as_str(), id)).collect::<Vec<_>>());
        trees.push(below.clone());
    }
    let commit = commit(id("tree", &below));
    let mut objects: Vec<(u8, &[u8])> = vec![(1, &commit)];
    objects.extend(trees.iter().map(|tree| (2, tree.as_slice())));
    let pack = pack(&objects, objects.len());
    let host = Host::start(Script { objects: vec![sending(&pack)], ..Script::default() }).await;
    let error = host.remote(small()).list(id("commit", &commit), &[], |_| true, 100).await.unwrap_err();
    assert_eq!(*error.kind(), too_large("the number of files and folders looked at", 5000));
}

/// Names that would leave the repository are not there.
#[tokio::test]
async fn names_that_lead_out() {
    let blob = id("blob", b"x");
    let names = ["..", ".git", "a/b", "ok.yaml", "\u{202e}.git"];
    let content = tree(&names.map(|name| ("100644", name, blob)));
    let commit = commit(id("tree", &content));
    let objects = pack(&[(1, &commit), (2, &content)], 2);
    let host = Host::start(Script { objects: vec![sending(&objects)], ..Script::default() }).await;
    let listed = host.remote(small()).list(id("commit", &commit), &[], |_| true, 100).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|file| file.path).collect();
    assert_eq!(listed, [path("ok.yaml")]);
}

/// Once a push was sent, whatever else comes leaves its outcome open.
#[tokio::test]
async fn reports_of_a_push() {
    let content = tree(&[("100644", "a", id("blob", b"x"))]);
    let commit = commit(id("tree", &content));
    let base = id("commit", &commit);
    let objects = sending(&pack(&[(1, &commit), (2, &content), (3, b"x")], 3));
    let report = |lines: &[&str]| {
        let lines: Vec<u8> = lines.iter().flat_map(|text| line(text)).chain(*b"0000").collect();
        Body::Bytes([band(1, &lines), b"0000".to_vec()].concat())
    };
    for (push, limits, cause) in [
        (Body::Bytes(Vec::new()), small(), "the report is cut off"),
        (Body::Bytes(b"0000".to_vec()), small(), "it does not report what became of the branch"),
        (report(&["unpack ok\n"]), small(), "it does not report what became of the branch"),
        (
            report(&["unpack ok\n", "ok refs/heads/other\n"]),
            small(),
            "it does not report what became of the branch",
        ),
        (Body::Bytes([band(1, b"0fff"), b"0000".to_vec()].concat()), small(), "the report is malformed"),
        (Body::Bytes([band(1, b"0001"), b"0000".to_vec()].concat()), small(), "the report is malformed"),
        (Body::Bytes(b"<html>".to_vec()), small(), "\"<htm\" is not the length of a packet line"),
        (Body::Endless(Vec::new(), band(2, &[b'x'; 1000])), small(), "the host's messages exceeds"),
        (Body::Endless(Vec::new(), band(1, &[b'0'; 1000])), small(), "the answer to a push exceeds"),
        (Body::Stall(Vec::new()), hurried(), "waiting for the next bytes took too long"),
        (Body::Silence, hurried(), "waiting for an answer took too long"),
    ] {
        let host = Host::start(Script { objects: vec![objects.clone()], push, ..Script::default() }).await;
        let remote = host.remote(limits);
        let change = Change::Write { expect: Some(id("blob", b"x")), bytes: "y".into() };
        let changes: BTreeMap<RepoPath, _> = BTreeMap::from([(path("a"), change)]);
        let prepared = remote.prepare(base, &changes, &meta("m", &[base])).await.unwrap();
        let Preparation::Ready(prepared) = prepared else { panic!("{prepared:?}") };
        let error = remote.push(&branch("main"), Some(base), &prepared).await.unwrap_err();
        assert_eq!(*error.kind(), GitErrorKind::OutcomeUnknown);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(cause), "{source}");
        assert!(host.sent.load(Ordering::Relaxed) < IN_FLIGHT + 400_000);
    }
}
