//! What each forge proves with that it is the one that has the key.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use gradus_core::pipeline::ForgeKind;

use super::super::base64;
use super::{LONGEST, Signature, signature, unhex};
use crate::api::ApiError;

/// So many signatures of one event are looked at.
const MOST: usize = 8;

/// What is sent with an event of a forge; any one of them has to be good. Empty where it is not signed.
pub(super) fn read(forge: ForgeKind, headers: &HeaderMap) -> Result<Vec<Signature>, ApiError> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let hub = |name| header(name).map(signature).transpose().map(Option::flatten);
    let found = match forge {
        ForgeKind::GitHub => hub("x-hub-signature-256")?,
        ForgeKind::Bitbucket | ForgeKind::BitbucketServer => hub("x-hub-signature")?,
        ForgeKind::Gitea => match hub("x-hub-signature-256")? {
            Some(signature) => Some(signature),
            None => {
                let digits = header("x-gitea-signature").or_else(|| header("x-forgejo-signature"));
                digits.filter(|digits| digits.len() <= LONGEST).and_then(unhex).map(Signature::Sha256)
            }
        },
        // A hook may have both kinds of token, of which only one may be known here.
        ForgeKind::GitLab => return Ok(standard(&header).into_iter().chain(token(headers)).collect()),
        ForgeKind::AzureDevOps => headers.get(AUTHORIZATION).and_then(|value| password(value.as_bytes())),
    };
    Ok(found.into_iter().collect())
}

/// `v1,BASE64` over id, time and body, several with spaces between them. The time is not compared with the
/// clock: what is sent again makes gradus look again, and nothing else.
fn standard<'a>(header: &dyn Fn(&str) -> Option<&'a str>) -> Option<Signature> {
    let (id, time) = (header("webhook-id")?, header("webhook-timestamp")?);
    let tags = header("webhook-signature")?.split_whitespace().take(MOST);
    let tags =
        tags.filter_map(|tag| tag.strip_prefix("v1,")).filter_map(|tag| base64::decoded(tag.as_bytes()));
    Some(Signature::Standard { before: format!("{id}.{time}.").into_bytes(), tags: tags.collect() })
}

fn token(headers: &HeaderMap) -> Option<Signature> {
    let token = headers.get("x-gitlab-token")?.as_bytes();
    (!token.is_empty()).then(|| Signature::Token(token.to_vec()))
}

/// The password of `Basic`; whoever sends it may call itself what it wants.
fn password(value: &[u8]) -> Option<Signature> {
    let (scheme, both) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let both = base64::decoded(both.trim_ascii())?;
    let colon = both.iter().position(|byte| *byte == b':')?;
    let password = both.get(colon + 1..).filter(|password| !password.is_empty())?;
    Some(Signature::Token(password.to_vec()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use gradus_core::pipeline::ForgeKind;
    use proptest::prelude::*;

    use super::super::super::keys::{HookKey, HookKeys, Owner};
    use super::read;

    const BODY: &[u8] = br#"{"test":true}"#;

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        let one = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        };
        all.iter().map(one).collect()
    }

    fn check(forge: ForgeKind, key: &str, sent: &[(&str, &str)], good: bool) {
        let keys = HookKeys::none().with_global(HookKey::new(key.as_bytes()).unwrap());
        let verified = |body: &[u8]| {
            let signatures = read(forge, &headers(sent)).unwrap_or_default();
            signatures.iter().any(|one| keys.verify(Some(&Owner::Forge(forge)), one, body))
        };
        assert_eq!(verified(BODY), good, "{forge} {sent:?}");
        let carries_the_key = sent.iter().any(|(name, _)| ["x-gitlab-token", "authorization"].contains(name));
        assert!(carries_the_key || !verified(b"{}"), "{forge} {sent:?}: of another body");
    }

    #[test]
    fn each_forge_is_believed_by_what_it_sends() {
        use ForgeKind::{AzureDevOps, Bitbucket, BitbucketServer, GitHub, GitLab, Gitea};
        // openssl dgst -sha256 -hmac s3cret
        let tag = "015b4b97d9e6e8f21ed1f42d1c18986414ec0fe830ab8fd2b610807573b9a2b4";
        let hub = format!("sha256={tag}");
        check(GitHub, "s3cret", &[("x-hub-signature-256", &hub)], true);
        check(GitHub, "other", &[("x-hub-signature-256", &hub)], false);
        check(GitHub, "s3cret", &[("x-hub-signature", &hub)], false);
        check(GitHub, "s3cret", &[("x-hub-signature-256", tag)], false);
        check(Gitea, "s3cret", &[("x-hub-signature-256", &hub)], true);
        check(Gitea, "s3cret", &[("x-gitea-signature", tag)], true);
        check(Gitea, "s3cret", &[("x-forgejo-signature", tag)], true);
        check(Gitea, "s3cret", &[("x-gitea-signature", &hub)], false);
        check(Bitbucket, "s3cret", &[("x-hub-signature", &hub)], true);
        check(BitbucketServer, "s3cret", &[("x-hub-signature", &hub)], true);
        check(
            BitbucketServer,
            "s3cret",
            &[("x-hub-signature", "sha1=0a23fffb3dd66539440cf881ae6fdfbc8ccae4a9")],
            false,
        );
        check(GitLab, "s3cret", &[("x-gitlab-token", "s3cret")], true);
        check(GitLab, "s3cret", &[("x-gitlab-token", "s3cre")], false);
        check(GitLab, "s3cret", &[("x-gitlab-token", "")], false);
        // s3cret:s3cret, as anybody:s3cret, and the key as the name.
        check(AzureDevOps, "s3cret", &[("authorization", "Basic YW55Ym9keTpzM2NyZXQ=")], true);
        check(AzureDevOps, "s3cret", &[("authorization", "basic OnMzY3JldA==")], true);
        check(AzureDevOps, "s3cret", &[("authorization", "Basic czNjcmV0Og==")], false);
        check(AzureDevOps, "s3cret", &[("authorization", "Bearer s3cret")], false);
    }

    #[test]
    fn gitlab_signs_as_standard_webhooks_do() {
        use ForgeKind::GitLab;
        // The key is `only for tests`; signed is `msg_1.1700000000.{"test":true}`.
        let key = "whsec_b25seSBmb3IgdGVzdHM=";
        let sent = |signature, time| {
            [("webhook-id", "msg_1"), ("webhook-timestamp", time), ("webhook-signature", signature)]
        };
        let good = "v1,mEs6RgbXIxd66iw6l2kxNxI1LNm+aNWUJxAAAJiTSck=";
        let both = format!("v1,AAAA v2,BBBB {good}");
        check(GitLab, key, &sent(good, "1700000000"), true);
        check(GitLab, key, &sent(&both, "1700000000"), true);
        check(GitLab, key, &sent(good, "1700000001"), false);
        check(GitLab, "whsec_b25seQ==", &sent(good, "1700000000"), false);
        check(GitLab, "only for tests", &sent(good, "1700000000"), false);
        // Of two tokens one may be known.
        let token = [&sent(good, "1700000000")[..], &[("x-gitlab-token", "s3cret")]].concat();
        check(GitLab, "s3cret", &token, true);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            let names = [
                "x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-gitlab-token", "authorization",
                "webhook-signature", "webhook-id", "webhook-timestamp",
            ];
            let headers: HeaderMap = names.iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
            let keys = HookKeys::none().with_global(HookKey::new(b"a key that nobody guesses").unwrap());
            for forge in [
                ForgeKind::GitHub, ForgeKind::GitLab, ForgeKind::Gitea, ForgeKind::Bitbucket, ForgeKind::BitbucketServer,
                ForgeKind::AzureDevOps,
            ] {
                let signatures = read(forge, &headers).unwrap_or_default();
                prop_assert!(!signatures.iter().any(|one| keys.verify(None, one, BODY)));
            }
        }
    }
}
