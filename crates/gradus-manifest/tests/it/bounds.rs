//! Whatever comes in, something sensible comes out.

use gradus_manifest::{MAX_FILE_BYTES, Parsed, SourceFile, assemble, read};
use proptest::prelude::*;

use crate::telling::tell;

const HEAD: &str = "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: web}\n";

fn parse(text: &[u8]) -> Parsed {
    read(&SourceFile { name: "web.yaml", text })
}

fn told(text: &[u8]) -> String {
    let parsed = parse(text);
    assert!(parsed.manifests.is_empty());
    tell("", &parsed.errors, &parsed.notes)
}

#[test]
fn a_large_file_is_refused() {
    let text = vec![b'#'; 5 * MAX_FILE_BYTES];
    insta::assert_snapshot!(told(&text));
    let mut comment = vec![b'#'; MAX_FILE_BYTES];
    assert!(parse(&comment).errors.is_empty());
    comment.push(b'\n');
    assert_eq!(parse(&comment).errors.len(), 1);
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_the_byte() {
    insta::assert_snapshot!(told(b"kind: Pipeline\nname: caf\xe9\n"));
}

#[test]
fn aliases_that_multiply_are_counted() {
    let mut text = format!("{HEAD}spec:\n  repository: {{url: fleet.git}}\n  environments:\n");
    text += "  - &e\n    name: dev\n    targets: [&t {report: {}}";
    text += &", *t".repeat(999);
    text += "]\n";
    text += &"  - *e\n".repeat(999);
    insta::assert_snapshot!(told(text.as_bytes()));
}

#[test]
fn a_bomb_of_aliases_costs_nothing() {
    let mut text = format!("{HEAD}spec:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let inner = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("  a{level}: &a{level} [{inner}]\n");
    }
    text += "  environments: *a29\n";
    let parsed = parse(text.as_bytes());
    assert_eq!(parsed.errors.len(), 41, "{}", tell("", &parsed.errors, &[]));
}

#[test]
fn deep_nesting_is_refused() {
    insta::assert_snapshot!(told(format!("{HEAD}spec: {}", "[".repeat(100_000)).as_bytes()));
    let blocks: String = (0..500).map(|depth| format!("{:depth$}a:\n", "")).collect();
    insta::assert_snapshot!(told(blocks.as_bytes()));
}

#[test]
fn too_many_values_are_refused() {
    insta::assert_snapshot!(told(format!("[{}]", "1,".repeat(300_000)).as_bytes()));
}

#[test]
fn a_multitude_of_mistakes_is_cut_off() {
    let mut text = format!("{HEAD}spec:\n");
    for at in 0..50_000 {
        text += &format!("  field{at}: 1\n");
    }
    assert_eq!(parse(text.as_bytes()).errors.len(), 50);
}

#[test]
fn too_many_environments_or_targets_are_refused() {
    let mut many = format!("{HEAD}spec:\n  repository: {{url: fleet.git}}\n  environments:\n");
    for at in 0..201 {
        many += &format!("  - {{name: e{at}, targets: [{{report: {{}}}}]}}\n");
    }
    insta::assert_snapshot!(told(many.as_bytes()));
    let wide = many.replacen("[{report: {}}", &format!("[{}", ["{report: {}}"; 501].join(",")), 1);
    let wide: String = wide.lines().take(7).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(told(wide.as_bytes()));
}

#[test]
fn nothing_is_a_file_too() {
    for text in
        ["", "\n", "# nothing\n", "---\n", "---\n---\n", "~", "null", "\u{feff}", "...\n", "1", "[]", "{}"]
    {
        let parsed = parse(text.as_bytes());
        assert!(parsed.errors.is_empty() && parsed.manifests.is_empty(), "{text:?}: {parsed:?}");
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let words = [
        HEAD,
        "spec:\n",
        "  repository: {url: fleet.git}\n",
        "  environments:\n",
        "  - name: dev\n",
        "    targets: [{report: {}}]\n",
        "    after: ",
        "    gates:\n",
        "    - approval: {min: 1}\n",
        "    - soak: 10m\n",
        "&a ",
        "*a ",
        "<<: ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "\n",
        "---\n",
        "...\n",
        "\t",
        "'",
        "\"",
        "|\n",
        "? ",
        "!!str ",
        "1.10",
        "~",
        "\u{feff}",
        "ü",
        "\r\n",
        "# x\n",
        "%YAML 1.2\n",
        "kind: Hold\n",
        "    window: {deny: Fri}\n",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40)
        .prop_map(|words| words.concat())
}

fn sound(text: &[u8]) {
    let parsed = parse(text);
    let shown = String::from_utf8_lossy(text);
    let lines = shown.replace("\r\n", "\n").replace('\r', "\n").lines().count() + 1;
    for error in &parsed.errors {
        assert!((1..=lines).contains(&error.place.line), "{error}");
        assert!(!error.message.contains('\n') && !error.message.ends_with('.'), "{error}");
        assert!(error.excerpt(&shown).is_some(), "{error}");
    }
    assemble(std::iter::once(parsed));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        sound(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        sound(format!("{HEAD}spec: {text}").as_bytes());
    }

    #[test]
    fn any_mixture_of_fragments_is_read_or_refused(text in fragments()) {
        sound(text.as_bytes());
    }

    #[test]
    fn any_change_of_a_good_manifest_is_read_or_refused(at in 0usize..4000, with in ".{0,4}") {
        let mut text = include_str!("good/full.yaml").to_owned();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        text.insert_str(at, &with);
        sound(text.as_bytes());
    }
}
