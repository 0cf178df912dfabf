use super::verify;
use crate::Limits;
use crate::parse::parse;
use crate::splice::{Made, Splice};
use crate::table::NodeId;

const FILE: &str = "# head\na: &x v1 # c\nb: [*x, 'y']\n---\n!t c: &z d\n";

/// What the verification says of a file in which `v1` was to become `v2`.
fn check(after: &str) -> Option<String> {
    let limits = Limits::default();
    let before = parse(FILE.as_bytes(), &limits).expect("a file");
    let after = parse(after.as_bytes(), &limits).expect("a file");
    let node =
        before.nodes.iter().position(|node| before.text.get(node.span.clone()) == Some("v1")).expect("v1");
    let old = before.nodes.get(node).expect("v1").span.clone();
    let made = Made::Set { node: NodeId(node), text: "v2".to_owned(), lead: 0 };
    let new = old.clone();
    let splice = Splice { old, text: "v2".to_owned(), made };
    verify(&before, &after, &[(splice, new)]).err().map(|refusal| refusal.to_string())
}

#[test]
fn only_the_intended_change_passes() {
    assert_eq!(check(&FILE.replace("v1", "v2")), None);
}

#[test]
fn every_other_change_is_noticed() {
    let differs = |change: &str, into: &str, what: &str| {
        let said = check(&FILE.replace("v1", "v2").replacen(change, into, 1)).expect(what);
        assert!(
            said.ends_with(&format!("the edited file would differ in {what}; nothing was changed")),
            "{said}"
        );
    };
    differs("v2", "v3", "another value");
    differs("v2", "v1", "another value");
    differs("v2", "v2 ", "another value");
    differs("'y'", "\"y\"", "another value");
    differs("'y'", "'z'", "another value");
    differs("'y'", "'y', 1", "its keys and values");
    differs("---\n", "---\n---\n", "its keys and values");
    differs("# c", "# d", "its comments");
    differs("# c\n", "#\n", "another value");
    differs("# head", "#headx", "its comments");
    differs("[*x, 'y']", "{*x : y}", "another value");
    differs("&z", "&q", "its anchors");
    differs("!t", "!u", "its structure");
    differs("# head\n", "# hea\n\n", "its comments");
}
