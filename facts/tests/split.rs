//! What a split may change: what the claim names, and nothing else.

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_facts::claim::Claim;
use dockeropt_facts::reshape::Split;
use dockeropt_syntax::parse;

fn compare(before: &str, after: &str) -> Result<(), String> {
    let split = Split {
        builder: "builder".to_owned(),
        carried: vec!["/usr/local/bundle".to_owned()],
        packages: vec!["libpq5".to_owned()],
        ..Split::default()
    };
    let (before, after) = (parse(before), parse(after));
    let licence = Licence { claims: vec![Claim::Split(split)], assumptions: Vec::new() };
    check(&Facts::new(&before), &Facts::new(&after), &licence).map_err(|difference| difference.message)
}

/// A file with steps above the cut and behind it, and the same in two stages.
fn pair(above: &str, twice: &str, behind: &str) -> (String, String) {
    let carried = "COPY --from=builder /usr/local/bundle /usr/local/bundle";
    (
        format!("FROM ruby:3.3-slim\n{above}\n{behind}\n"),
        format!(
            "FROM ruby:3.3-slim AS builder\n{above}\n\nFROM ruby:3.3-slim\n{carried}\n{twice}\n{behind}\n"
        ),
    )
}

#[track_caller]
fn equal(above: &str, twice: &str, behind: &str) {
    let (before, after) = pair(above, twice, behind);
    assert_eq!(compare(&before, &after), Ok(()), "\n{after}");
}

#[track_caller]
fn different(above: &str, twice: &str, behind: &str) {
    let (before, after) = pair(above, twice, behind);
    assert!(compare(&before, &after).is_err(), "taken for equal:\n{after}");
}

#[test]
fn what_the_builder_copies_may_be_in_both() {
    equal("COPY a /a\nRUN gem install x", "COPY a /a", "");
    equal(
        "COPY --from=composer:2 /usr/bin/composer /c\nRUN gem install x",
        "COPY --from=composer:2 /usr/bin/composer /c",
        "",
    );
    different("COPY a /a\nRUN gem install x", "COPY b /a", "");
    different("RUN gem install x", "COPY a /a", "");
    different("COPY --from=composer:2 /c /c\nRUN gem install x", "COPY --from=composer:1 /c /c", "");
    different("RUN gem install x", "COPY --from=builder /etc /etc", "");
    different("RUN gem install x", "RUN gem install x", "");
    different(
        "RUN gem install x",
        "RUN apt-get update && apt-get install -y --no-install-recommends libpq-dev",
        "",
    );
}

#[test]
fn an_image_of_the_builder_s_name_is_another() {
    different("RUN gem install x", "", "COPY --from=builder /x /x");
    different("RUN gem install x", "", "COPY --from=Builder /x /x");
    different("COPY --from=builder /x /x\nRUN gem install x", "COPY --from=builder /x /x", "");
    different("RUN gem install x", "", "RUN --mount=type=bind,from=builder,target=/x cat /x/y");
}

#[test]
fn archives_may_be_removed_in_the_builder() {
    let remove = "RUN gem install x && rm -rf /usr/local/bundle/cache/*";
    equal(remove, "", "RUN true");
    let (before, _) = pair("RUN gem install x", "", "RUN true");
    let (_, after) = pair(remove, "", "RUN true");
    assert_eq!(compare(&before, &after), Ok(()));
    // Here they are used.
    let use_them = "RUN gem install --local /usr/local/bundle/cache/x.gem";
    let (before, _) = pair("RUN gem install x", "", use_them);
    let (_, after) = pair(remove, "", use_them);
    assert!(compare(&before, &after).is_err());
    let used_above = format!("{remove}\n{use_them}");
    let (before, _) = pair(&format!("RUN gem install x\n{use_them}"), "", "");
    let (_, after) = pair(&used_above, "", "");
    assert!(compare(&before, &after).is_err());
    // What is no cache is not removed.
    let (_, after) = pair("RUN gem install x && rm -rf /usr/local/bundle/gems/*", "", "");
    let (before, _) = pair("RUN gem install x", "", "");
    assert!(compare(&before, &after).is_err());
}
