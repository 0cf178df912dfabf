//! What is signed with what.

use gradus_weave::ObjectName;
use gradus_weave::kind::Pipeline;
use gradus_weave::signature::{Key, Signed, key, verify};
use serde_json::json;

const BODY: &[u8] = br#"{"action":"push"}"#;

fn check(header: &str, signed: Signed) {
    assert_eq!(verify(b"token", Some(header), BODY), signed, "{header}");
}

#[test]
fn signatures_are_of_the_bytes_in_lower_case_digits() {
    let sha224 = "sha224=5fe3c51d0e1b8e1a19cd3dee5e34fcd9c1e4c4ca6ffb0d56f0f3c5ed";
    let sha256 = "sha256=83eee066cf716dd10bc327e341a581ae657bf26d8815c9334434f470c12d3079";
    let sha512 = "sha512=ba49015231e38c2779666c90692d82917c88a814b1c1ae23e94d9544b321011aa9c10824df4d5ac1c5bbb397d1947d4eda37014bbd33d4acb1b11a6f71039f59";
    check(sha256, Signed::Good);
    check(sha512, Signed::Good);
    check(sha224, Signed::Bad);
    for algorithm in ["sha224", "sha384"] {
        let made = made(algorithm);
        check(&format!("{algorithm}={made}"), Signed::Good);
        check(&format!("sha256={made}"), Signed::Bad);
    }
    check("sha1=0a23fffb3dd66539440cf881ae6fdfbc8ccae4a9", Signed::Bad);
    check(&sha256.to_uppercase().replace("SHA", "sha"), Signed::Bad);
    for odd in ["", "sha256", "sha256=", "=", "sha256=8", "sha256=zz", &sha256["sha256=".len()..]] {
        check(odd, Signed::Bad);
    }
    check(&format!("{sha256}="), Signed::Bad);
    check(&format!("sha256= {}", &sha256["sha256=".len()..]), Signed::Bad);
    check(&format!("sha256={}", "0".repeat(1_000_000)), Signed::Bad);
    assert_eq!(verify(b"token", None, BODY), Signed::Bad);
    assert_eq!(verify(b"", Some(sha256), BODY), Signed::Bad, "an empty key protects nothing");
}

fn made(algorithm: &str) -> String {
    use aws_lc_rs::hmac;
    let algorithm = if algorithm == "sha224" { hmac::HMAC_SHA224 } else { hmac::HMAC_SHA384 };
    let tag = hmac::sign(&hmac::Key::new(algorithm, b"token"), BODY);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// B13: a key that only an environment has is asked for.
#[test]
fn b13_the_key_is_that_of_the_environment_that_is_promoted_to() {
    let with = |name: &str| json!({"strategy": {"notification": {}, "secretRef": {"name": name}}});
    let pipeline = |all: Option<&str>, prod: Option<&str>| -> Pipeline {
        serde_json::from_value(json!({"spec": {
            "environments": [{"name": "dev"}, {"name": "prod", "promotion": prod.map(with)}],
            "promotion": all.map(with),
        }}))
        .unwrap()
    };
    let secret = |name: &str| Key::Secret(ObjectName::parse(name).unwrap());
    assert_eq!(key(&pipeline(None, None), Some("prod")), Key::Open);
    assert_eq!(key(&pipeline(Some("all"), None), Some("prod")), secret("all"));
    assert_eq!(key(&pipeline(Some("all"), Some("own")), Some("prod")), secret("own"));
    assert_eq!(key(&pipeline(None, Some("own")), Some("prod")), secret("own"));
    assert_eq!(key(&pipeline(None, Some("own")), Some("dev")), Key::Open);
    assert_eq!(key(&pipeline(None, Some("own")), None), Key::None, "nobody can sign for nowhere");
    assert_eq!(key(&pipeline(None, Some("own")), Some("nowhere")), Key::None);
    assert_eq!(key(&pipeline(Some("all"), Some("own")), None), secret("all"));
    assert_eq!(key(&pipeline(Some("../x"), None), Some("prod")), Key::None, "what is no name is no Secret");
    let mut own_without = pipeline(Some("all"), Some("own"));
    own_without.spec.environments[1].promotion.as_mut().unwrap().strategy.secret_ref = None;
    assert_eq!(key(&own_without, Some("prod")), secret("all"), "an override does not open what was closed");
}
