//! Values in TOML and `.env` files.

use gradus_edit::{Edit, Format, Locator, Outcome, edit_file, find_markers, read_file};

use crate::at;

/// What the value at the path becomes; `«old»` in the file marks the bytes that `new` takes the place of.
fn check(format: Format, file: &str, path: &str, set: &str, new: &str) {
    let (before, rest) = file.split_once('«').expect("a mark");
    let (old, after) = rest.split_once('»').expect("a mark");
    let file = format!("{before}{old}{after}");
    let edits = [Edit::new(at(path), set)];
    let Outcome::Edited(edited) =
        edit_file(format, file.as_bytes(), &edits).unwrap_or_else(|error| panic!("{file}: {error}"))
    else {
        panic!("{file}: not edited")
    };
    let edited = String::from_utf8(edited.bytes).expect("UTF-8");
    assert_eq!(edited, format!("{before}{new}{after}"));
    let read = read_file(format, edited.as_bytes(), &at(path)).expect("still there");
    assert_eq!(read.first().map(|found| found.value.as_str()), Some(set), "{edited}");
    let again = edit_file(format, edited.as_bytes(), &edits);
    assert_eq!(again, Ok(Outcome::Unchanged), "{edited}");
}

fn refused(format: Format, file: &str, path: &str, set: &str) -> String {
    edit_file(format, file.as_bytes(), &[Edit::new(at(path), set)]).expect_err(file).to_string()
}

#[test]
fn a_format_is_told_by_the_name_of_the_file() {
    let check = |name: &str, format: Format| assert_eq!(Format::of(name), format, "{name}");
    check("a/b/values.yaml", Format::Yaml);
    check("package.json", Format::Yaml);
    check("Kustomization", Format::Yaml);
    check("a.env/x", Format::Yaml);
    check("Cargo.toml", Format::Toml);
    check(".env", Format::Env);
    check("deploy/prod.env", Format::Env);
    check(".env.prod", Format::Env);
}

#[test]
fn toml_values_are_changed_where_they_stand() {
    let toml = |file: &str, path: &str, set: &str, new: &str| check(Format::Toml, file, path, set, new);
    toml("a = «\"v1\"» # c\nb = 1\n", "a", "v2", "\"v2\"");
    toml("a = «'v1'»\r\nb = 1\r\n", "a", "v2", "'v2'");
    toml("a = «'v1'»", "a", "it's", "\"it's\"");
    toml("a = «\"v1\"»\n", "a", "say \"x\\\"", "\"say \\\"x\\\\\\\"\"");
    toml("\u{feff}# é\nü = «\"v1\"»\n".replace('ü', "u").as_str(), "u", "é", "\"é\"");
    toml(
        "[tool.app]\n  version =   «\"1\"»   # c\n[tool.other]\nversion = \"1\"\n",
        "tool.app.version",
        "2",
        "\"2\"",
    );
    toml("a.b.\"c.d\" = «\"v1\"»\na.x = 1\n", "a.b.\"c.d\"", "v2", "\"v2\"");
    toml("p = {name = \"x\", tag = «\"v1\"»}\n", "p.tag", "v2", "\"v2\"");
    toml(
        "[[p]]\nname = \"x\"\ntag = \"v1\"\n[[p]]\nname = \"y\"\ntag = «\"v1\"»\n",
        "p[1].tag",
        "v2",
        "\"v2\"",
    );
    toml("[[p]]\nname = \"x\"\n[[p]]\nname = \"y\"\ntag = «\"v1\"»\n", "p[name=y].tag", "v2", "\"v2\"");
    toml("[[p]]\ntag = \"v0\"\n[[p]]\ntag = «\"v1\"»\n", "/p/1/tag", "v2", "\"v2\"");
    toml("l = [\n  'a', # one\n  «'b'», # two\n]\n", "l[1]", "c", "'c'");
    toml("a = «\"\"\"\nv1\nv2\"\"\"» # c\nb = 1\n", "a", "v3", "\"v3\"");
}

#[test]
fn toml_types_stay_where_the_new_value_is_of_them() {
    let toml = |old: &str, set: &str, new: &str| {
        check(Format::Toml, &format!("a = «{old}» # c\nb = 2\n"), "a", set, new);
    };
    toml("1", "2", "2");
    toml("1", "1.10", "\"1.10\"");
    toml("1", "0x1F", "\"0x1F\"");
    toml("1_000", "2_000", "\"2_000\"");
    toml("1.5", "2.5", "2.5");
    toml("1.5", "2", "\"2\"");
    toml("true", "false", "false");
    toml("true", "yes", "\"yes\"");
    toml("2026-01-31", "2026-02-01", "\"2026-02-01\"");
    toml("\"1\"", "2", "\"2\"");
}

#[test]
fn lines_of_an_env_file_are_changed_where_they_stand() {
    let env = |file: &str, path: &str, set: &str, new: &str| check(Format::Env, file, path, set, new);
    env("A=«v1»\nB=x\n", "A", "v2", "v2");
    env("# A=x\nexport A=«v1» # c\n", "A", "v2", "v2");
    env("A=«'v1'»\r\nB=x\r\n", "A", "v2", "'v2'");
    env("A=«\"v1\"»  # c", "A", "it's", "\"it's\"");
    env("A=«v1»", "A", "two words", "\"two words\"");
    env("A=«v1»\n", "A", "$HOME", "'$HOME'");
    env("A=«'v1'»\n", "A", "it's", "\"it's\"");
    env("A=«»\nB=x\n", "A", "v2", "v2");
    env("A=«» # c\n", "A", "v2", "v2");
    env("A=«#v1» # c\n", "A", "v2", "v2");
    env("A = «v1»\n", "A", "v2", "v2");
    env("  export  A=«http://x/#y»\n", "A", "http://x/z", "http://x/z");
    env("A=\"two\nlines=3\"\nnot a line\nB.c=«x»\n", "B.c", "y", "y");
    env("A=«\"two\nlines\"»\nB=x\n", "A", "y", "\"y\"");
    env("IMAGE=«web:1.0»\n", "IMAGE", "registry:5000/web:1.1@sha256:ab", "registry:5000/web:1.1@sha256:ab");
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let toml = |file: &str, path: &str| refused(Format::Toml, file, path, "v2");
    let env = |file: &str, path: &str, set: &str| refused(Format::Env, file, path, set);
    let mut all = vec![
        toml("a = \n", "a"),
        toml("a = 1\na = 2\n", "a"),
        toml("[tool]\nverison = \"1\"\n", "tool.version"),
        toml("[tool]\nversion = \"1\"\n", "tool"),
        toml("l = [1]\n", "l[1]"),
        toml("l = [1]\n", "l.x"),
        toml("[[p]]\nname = \"x\"\n[[p]]\nname = \"x\"\n", "p[name=x].name"),
        toml("[[p]]\nname = \"x\"\n", "p[name=y].name"),
        env("A=1\nB=2\nexport A=3\n", "A", "v2"),
        env("A='x\n", "A", "v2"),
        env("A=\"x\"y\n", "A", "v2"),
        env("A=1\n", "A", "it's $5"),
        env("A=1\n", "A", "a\nb"),
        env("TAG_WEB=1\n", "TAG_WBE", "v2"),
    ];
    let kind = gradus_edit::Select::path(gradus_edit::FieldPath::parse("a").expect("a path")).kind("X");
    let edit = [Edit::new(Locator::Path(kind), "v2")];
    all.push(edit_file(Format::Toml, b"a = 1\n", &edit).expect_err("a condition").to_string());
    all.push(edit_file(Format::Env, b"\xff=1\n", &edit).expect_err("not UTF-8").to_string());
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn edits_are_made_together_or_not_at_all() {
    let file = b"a = \"1\"\nb = \"2\"\n";
    let edits = [Edit::new(at("b"), "4"), Edit::new(at("a"), "3").expecting("1")];
    let Ok(Outcome::Edited(edited)) = edit_file(Format::Toml, file, &edits) else { panic!("not edited") };
    assert_eq!(edited.bytes, b"a = \"3\"\nb = \"4\"\n");
    let lines: Vec<_> =
        edited.changes.iter().map(|change| (change.line.number, &*change.line.after)).collect();
    assert_eq!(lines, [(1, "a = \"3\""), (2, "b = \"4\"")]);
    let stale = [Edit::new(at("b"), "4"), Edit::new(at("a"), "3").expecting("2")];
    assert!(matches!(edit_file(Format::Toml, file, &stale), Ok(Outcome::Stale(stale)) if stale.found == "1"));
    let both = [Edit::new(at("a"), "3"), Edit::new(at("a"), "4")];
    let error = edit_file(Format::Toml, file, &both).expect_err("a conflict");
    assert_eq!(error.to_string(), "line 1, column 5: two edits give a different values");
}

#[test]
fn only_yaml_has_markers() {
    let marked = b"a = \"v1\" # {\"$set\": \"x\"}\n";
    let edits = [Edit::new(Locator::marker("$set", "x"), "v2")];
    assert_eq!(edit_file(Format::Toml, marked, &edits), Ok(Outcome::Unchanged));
    assert_eq!(read_file(Format::Env, marked, &Locator::marker("$set", "x")), Ok(Vec::new()));
    let yaml = b"a: v1 # {\"$set\": \"x\"}\n";
    assert!(matches!(edit_file(Format::Yaml, yaml, &edits), Ok(Outcome::Edited(_))));
    assert_eq!(find_markers(yaml, "$set").map(|found| found.len()), Ok(1));
}
