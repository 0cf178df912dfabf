//! One connection, and what was said on it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout},
    task::JoinHandle,
    time::timeout,
};

use super::{KeyFiles, fault, idle::Idle};
use crate::git::{
    GitErrorKind,
    error::Outcome,
    process::{broken_pipe, listen},
    transport::Service,
};

/// How a service of protocol version 2 begins.
const VERSION_2: &[u8] = b"000eversion 2";
/// How long the other side may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(2);

pub(in crate::git) struct Talk {
    child: Child,
    mouth: Mouth,
    stdout: ChildStdout,
    complaints: Option<JoinHandle<Vec<u8>>>,
    /// They are needed until the host has answered.
    files: Option<KeyFiles>,
    service: Service,
    /// The first bytes, which say which version is spoken.
    start: Vec<u8>,
    /// What was read before anybody asked for it.
    ahead: Option<Bytes>,
    /// How many requests were made.
    asked: u32,
    /// Whether a request cut the history.
    cut: bool,
    home: Weak<Idle>,
}

enum Mouth {
    Free(ChildStdin),
    /// A request is being written.
    Busy(JoinHandle<Option<ChildStdin>>),
    Closed,
}

impl Talk {
    pub(super) fn new(
        mut child: Child,
        files: KeyFiles,
        service: Service,
        home: &Arc<Idle>,
    ) -> Outcome<Self> {
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(GitErrorKind::Local("the pipes to ssh are missing".to_owned()).into());
        };
        Ok(Self {
            child,
            mouth: Mouth::Free(stdin),
            stdout,
            complaints: Some(listen(stderr)),
            files: Some(files),
            service,
            start: Vec::new(),
            ahead: None,
            asked: 0,
            cut: false,
            home: Arc::downgrade(home),
        })
    }

    /// Which version the service speaks, once it has announced itself.
    pub(in crate::git) fn v2(&self) -> bool {
        self.start.starts_with(VERSION_2)
    }

    /// Whether this can be asked on it now.
    ///
    /// A service remembers, as long as it is spoken to, where branches were when it was first asked, and where the
    /// history was cut; both are asked for only where they were not asked before.
    pub(super) fn may_be_asked(&self, service: Service, v2: bool, body: &[u8]) -> bool {
        if self.service != service || self.v2() != v2 {
            return false;
        }
        let is_first = self.asked == 0;
        is_first || (self.takes_more() && !asks_for_branches(body) && !(self.cut && cuts(body)))
    }

    fn takes_more(&self) -> bool {
        self.service == Service::UploadPack && self.v2()
    }

    /// Whether the other one was told of branches earlier, and gives only what they were then.
    pub(super) fn outdates(&self, other: &Self) -> bool {
        self.service == other.service && !self.takes_more() && !other.takes_more()
    }

    /// Whether the other side is still there, as far as one can see.
    pub(super) fn goes_on(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Makes a request. It is written while the answer is read: neither side may wait for the other.
    pub(in crate::git) fn say(&mut self, body: Bytes) {
        self.asked += 1;
        self.cut |= cuts(&body);
        self.mouth = match std::mem::replace(&mut self.mouth, Mouth::Closed) {
            Mouth::Free(mut stdin) => Mouth::Busy(tokio::spawn(async move {
                // A side that ends before it has read everything says why on its own.
                stdin.write_all(&body).await.ok()?;
                stdin.flush().await.ok()?;
                Some(stdin)
            })),
            other @ (Mouth::Busy(_) | Mouth::Closed) => other,
        };
    }

    /// Whether an answer begins, read ahead. On a connection that waited this shows that it still is one.
    pub(in crate::git) async fn answers(&mut self) -> bool {
        self.ahead = self.chunk().await.ok().flatten();
        self.ahead.is_some()
    }

    pub(in crate::git) async fn chunk(&mut self) -> Outcome<Option<Bytes>> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let mut buffer = BytesMut::with_capacity(64 * 1024);
        let read = self.stdout.read_buf(&mut buffer).await.map_err(broken_pipe)?;
        if read > 0 {
            self.files = None;
            let missing = VERSION_2.len().saturating_sub(self.start.len()).min(read);
            self.start.extend_from_slice(&buffer[..missing]);
        }
        Ok((read > 0).then(|| buffer.freeze()))
    }

    /// After the end: why.
    pub(in crate::git) async fn verdict(&mut self) -> Outcome<()> {
        self.mouth = Mouth::Closed;
        let status = self.child.wait().await.map_err(broken_pipe)?;
        let said = match self.complaints.take() {
            Some(task) => task.await.unwrap_or_default(),
            None => Vec::new(),
        };
        fault::verdict(status, &said)
    }

    /// The answer was read to its end. Where more can be asked it waits for that.
    pub(in crate::git) async fn rest(mut self: Box<Self>) {
        self.mouth = match std::mem::replace(&mut self.mouth, Mouth::Closed) {
            Mouth::Busy(task) => match timeout(FAREWELL, task).await {
                Ok(Ok(Some(stdin))) => Mouth::Free(stdin),
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            },
            other @ (Mouth::Free(_) | Mouth::Closed) => other,
        };
        let home = self.home.upgrade().filter(|_| self.asked == 0 || self.takes_more());
        match home {
            Some(home) => home.put(self),
            None => drop(tokio::spawn(self.end())),
        }
    }

    /// Ends it as the protocol has it; one that does not end is killed.
    pub(super) async fn end(mut self: Box<Self>) {
        if let Mouth::Free(mut stdin) = std::mem::replace(&mut self.mouth, Mouth::Closed) {
            // Whoever was asked nothing, or may be asked more, is told that nothing follows.
            if self.asked == 0 || self.takes_more() {
                let _ = timeout(FAREWELL, stdin.write_all(b"0000")).await;
            }
            drop(stdin);
        }
        let _ = timeout(FAREWELL, self.child.wait()).await;
    }
}

fn asks_for_branches(body: &[u8]) -> bool {
    body.get(4..).is_some_and(|body| body.starts_with(b"command=ls-refs"))
}

fn cuts(body: &[u8]) -> bool {
    // A pack may hold the word, and is sent only where nothing more is asked.
    body.windows(7).any(|window| window == b"deepen ")
}
