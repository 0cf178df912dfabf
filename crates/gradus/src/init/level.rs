//! Which environment a name means, and which comes first.

/// The words that people use, from the first environment to the last.
const LEVELS: [&[&str]; 8] = [
    &["dev", "develop", "development", "sandbox", "local"],
    &["int", "integration", "ci"],
    &["test", "testing", "tst"],
    &["qa", "quality"],
    &["uat", "acceptance", "acc"],
    &["stage", "staging", "stg"],
    &["preprod", "preproduction", "pre"],
    &["prod", "production", "prd", "live"],
];

/// How far from the first environment a name is, if it is the name of one:
/// `staging`, `prod-eu`, `us_prod` and `production1` are.
pub(crate) fn level(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase().replace("pre-prod", "preprod").replace("pre_prod", "preprod");
    let mut words =
        name.split(['-', '_', '.']).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let of_word = |word: &str| LEVELS.iter().position(|level| level.contains(&word));
    // What stands first or last says what it is; `eu-dev-tools` is no environment.
    let first = words.next()?;
    of_word(first).or_else(|| of_word(words.next_back()?))
}

/// The environment that a path is in: the deepest part of it that names one.
pub(crate) fn of_path(path: &str) -> Option<String> {
    let stem =
        |part: &str| part.strip_suffix(".yaml").or(part.strip_suffix(".yml")).unwrap_or(part).to_owned();
    path.rsplit('/').map(stem).find(|part| level(part).is_some()).map(|part| named(&part))
}

/// The name as a pipeline takes it.
pub(crate) fn named(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{level, of_path};

    #[test]
    fn a_name_is_an_environment_by_its_first_or_last_word() {
        let check = |name: &str, expected: Option<usize>| assert_eq!(level(name), expected, "{name}");
        for name in ["dev", "Development", "dev2", "dev-eu", "eu-dev"] {
            check(name, Some(0));
        }
        for name in ["pre-prod", "preprod", "pre_prod-eu"] {
            check(name, Some(6));
        }
        for name in ["prod", "prod-eu", "us_prod", "production1", "live"] {
            check(name, Some(7));
        }
        for name in ["base", "apps", "product", "developer-portal", "eu-dev-tools", ""] {
            check(name, None);
        }
    }

    #[test]
    fn a_path_is_in_the_deepest_environment_that_it_names() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(of_path(path).as_deref(), expected, "{path}");
        };
        check("apps/staging/web/kustomization.yaml", Some("staging"));
        check("clusters/dev/apps/prod_EU/web.yaml", Some("prod-eu"));
        check("apps/web/values-staging.yaml", Some("values-staging"));
        check("apps/web/prod.yaml", Some("prod"));
        check("apps/base/web.yaml", None);
    }
}
