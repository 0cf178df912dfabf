//! The shared HTTP client: what it sends, what it takes, and what it refuses.

use std::{error::Error, time::Duration};

use gradus_remote::{
    Secret,
    http::{Ask, HttpClient, HttpErrorKind, Tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// Answers one request with these bytes, again and again if asked to, and gives what was asked.
async fn host(answer: &'static str, endless: bool) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/version?token=hunter2", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        while stream.write_all(answer.as_bytes()).await.is_ok() && endless {}
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        String::from_utf8(request[..read].to_vec()).unwrap()
    });
    (url, task)
}

fn client() -> HttpClient {
    HttpClient::new(&Tls::default()).unwrap()
}

#[tokio::test]
async fn an_answer_is_taken_as_it_is() {
    for (status, text) in
        [("200 OK", "fine"), ("302 Found", ""), ("404 Not Found", "gone"), ("500 Error", "oh")]
    {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:1/\r\nETag: \"a\"\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let (url, task) = host(answer.leak(), false).await;
        let ask = Ask {
            headers: vec![("If-None-Match".to_owned(), "\"b\"".to_owned())],
            authorization: Some(Secret::new("Bearer hunter2")),
            ..Ask::default()
        };
        let answer = client().get(&url, &ask).await.unwrap();
        assert_eq!(answer.status.to_string(), status[..3]);
        assert_eq!((answer.header("etag"), &answer.bytes[..]), (Some("\"a\""), text.as_bytes()));
        let asked = task.await.unwrap().to_lowercase();
        assert!(asked.starts_with("get /v1/version?token=hunter2 http/1.1\r\n"), "{asked}");
        for header in ["authorization: bearer hunter2\r\n", "if-none-match: \"b\"\r\n", "user-agent: gradus/"]
        {
            assert!(asked.contains(header), "{header} in {asked}");
        }
    }
}

#[tokio::test]
async fn json_is_sent() {
    let (url, task) = host("HTTP/1.1 204 No Content\r\n\r\n", false).await;
    let answer = client().post_json(&url, "{\"a\":1}", &Ask::default()).await.unwrap();
    assert_eq!((answer.status, answer.bytes.len()), (204, 0));
    let asked = task.await.unwrap();
    assert!(asked.starts_with("POST /v1/version"), "{asked}");
    assert!(
        asked.contains("content-type: application/json\r\n") && asked.ends_with("\r\n\r\n{\"a\":1}"),
        "{asked}"
    );
}

#[tokio::test]
async fn an_answer_without_bounds_is_refused() {
    let limit = HttpErrorKind::TooLarge { limit: 10 };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n";
    for (answer, endless, kind) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", false, limit.clone()),
        (chunked, false, limit.clone()),
        ("HTTP/1.1 200 OK\r\n\r\nwithout a length ", true, limit),
        ("HTTP/1.1 200 OK\r\nX: yz\r\n", true, HttpErrorKind::Interrupted),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", false, HttpErrorKind::Interrupted),
        ("no http", false, HttpErrorKind::Interrupted),
        ("", false, HttpErrorKind::Timeout),
    ] {
        let (url, task) = host(answer, endless).await;
        let ask = Ask {
            limit: 10,
            timeout: Duration::from_millis(if answer.is_empty() { 100 } else { 60_000 }),
            authorization: Some(Secret::new("hunter2")),
            ..Ask::default()
        };
        let error = client().get(&url, &ask).await.unwrap_err();
        assert_eq!(*error.kind(), kind, "{answer}");
        let shown = format!("{error} {error:?} {:?} {ask:?}", error.source());
        assert!(!shown.contains("hunter2"), "{shown}");
        task.abort();
    }
}

#[tokio::test]
async fn what_cannot_be_sent() {
    let ask = |headers: &[(&str, &str)]| Ask {
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        ..Ask::default()
    };
    for (url, ask, text) in [
        ("nothing", ask(&[]), "cannot take the address: it is not an address such as https://host/path"),
        ("https://a:hunter2@b/", ask(&[]), "cannot take the address: it holds credentials"),
        ("file:///etc/passwd", ask(&[]), "cannot take the address: it is neither http:// nor https://"),
        ("http://h/p?q", ask(&[("a b", "c")]), "cannot get http://h/p: \"a b\" cannot be sent as a header"),
        ("http://h/p", ask(&[("a", "b\nc")]), "cannot get http://h/p: \"a\" cannot be sent as a header"),
    ] {
        let error = client().get(url, &ask).await.unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let ask = Ask { authorization: Some(Secret::new("a\nb")), ..Ask::default() };
    let error = client().get("http://h/p", &ask).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot get http://h/p: the credentials cannot be sent as a header");
    assert!(HttpClient::new(&Tls { ca_pem: Some(b"x".to_vec()) }).is_err());
}
