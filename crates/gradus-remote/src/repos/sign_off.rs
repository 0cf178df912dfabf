//! `Signed-off-by`, as a Developer Certificate of Origin wants it.

use super::Committer;

/// The message with the committer's trailer, once, among the other trailers.
pub(super) fn signed_off(message: &str, committer: &Committer) -> String {
    let trailer = format!("Signed-off-by: {} <{}>", committer.name, committer.email);
    let message = message.trim_end();
    if message.lines().any(|line| line == trailer) {
        return format!("{message}\n");
    }
    let last = message.rsplit("\n\n").next().unwrap_or_default();
    // The title alone is no trailer, however it looks.
    let among_others = message.contains("\n\n") && last.lines().all(is_trailer);
    let between = if among_others { "\n" } else { "\n\n" };
    format!("{message}{between}{trailer}\n")
}

/// `Key: value`, or a further line of one.
fn is_trailer(line: &str) -> bool {
    let key = line.split_once(": ").map(|(key, _)| key);
    line.starts_with(' ')
        || key
            .is_some_and(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::{Committer, signed_off};

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let ada = Committer { name: "Ada".to_owned(), email: "ada@acme.test".to_owned() };
        let signed = signed_off(message, &ada);
        assert_eq!(signed, expected);
        assert_eq!(signed_off(&signed, &ada), expected, "once is enough");
    }

    #[test]
    fn it_is_the_last_trailer() {
        let trailer = "Signed-off-by: Ada <ada@acme.test>\n";
        check("promote web", &format!("promote web\n\n{trailer}"));
        check("web: promote\n", &format!("web: promote\n\n{trailer}"));
        check("promote\n\nwhy it is: so\n", &format!("promote\n\nwhy it is: so\n\n{trailer}"));
        check(
            "promote\n\ntext\n\nGradus-Version: 2\n",
            &format!("promote\n\ntext\n\nGradus-Version: 2\n{trailer}"),
        );
    }
}
