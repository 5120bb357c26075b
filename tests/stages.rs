//! What the transforms that add stages make of a file together with all others.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use dockeropt::pipeline::{Options, optimize, optimize_in};
use dockeropt_facts::Project;
use dockeropt_facts::project::Caller;
use dockeropt_transforms::Surroundings;

fn options(enabled: &[&str]) -> Options {
    let enable = enabled.iter().map(|&id| id.to_owned()).collect();
    Options { enable, allow_unsafe: true, ..Options::default() }
}

const BEFORE: &str = "\
FROM python:3.10-slim
WORKDIR /app
COPY . /app
RUN apt-get update
RUN apt-get install -y default-libmysqlclient-dev gcc
RUN pip install -r requirements.txt
RUN pip install -r requirements-dev.txt
CMD [\"python\", \"app.py\"]
";

const PRODUCTION: &str = "\
FROM python:3.10-slim AS production
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends default-libmysqlclient-dev gcc \\
    && rm -rf /var/lib/apt/lists/*
COPY . /app
RUN pip install --no-cache-dir -r requirements.txt
CMD [\"python\", \"app.py\"]

FROM production AS development
RUN pip install --no-cache-dir -r requirements-dev.txt
";

const FLAT: &str = "
FROM scratch
COPY --from=development / /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LANG=C.UTF-8
WORKDIR /app
CMD [\"python\", \"app.py\"]
";

#[track_caller]
fn becomes(enabled: &[&str], before: &str, after: &str) {
    let options = options(enabled);
    let outcome = optimize(before, &options);
    assert_eq!(outcome.bugs, []);
    assert_eq!(outcome.after, after);
    let again = optimize(&outcome.after, &options);
    assert_eq!((again.after.as_str(), again.fixes.len(), again.bugs.len()), (after, 0, 0));
}

#[test]
fn the_article_with_stages() {
    becomes(&["development-stage"], BEFORE, PRODUCTION);
    becomes(&["development-stage", "flatten"], BEFORE, &format!("{PRODUCTION}{FLAT}"));
}

#[test]
fn they_run_only_if_they_are_named() {
    let outcome = optimize(BEFORE, &options(&[]));
    assert!(!outcome.after.contains("production") && !outcome.after.contains("scratch"), "{}", outcome.after);
    let ids: Vec<_> = outcome.fixes.iter().chain(&outcome.held_back).map(|fix| fix.transform).collect();
    assert!(!ids.contains(&"flatten") && !ids.contains(&"development-stage"), "{ids:?}");
}

#[test]
fn a_plain_build_is_the_same_so_that_the_fix_is_safe_where_callers_are_known() {
    let project = || {
        let mut project = Project::default();
        project.callers.push(Caller { path: "compose.yaml".to_owned(), target: "web".to_owned() });
        Surroundings::of(project)
    };
    let safe = Options { enable: ["development-stage".to_owned()].into(), ..Options::default() };
    let outcome = optimize_in(BEFORE, &safe, &project());
    assert!(outcome.after.ends_with(
        "FROM production AS development\nRUN pip install --no-cache-dir -r requirements-dev.txt\n"
    ));
    let named = BEFORE.replace("python:3.10-slim\n", "python:3.10-slim AS web\n");
    let outcome = optimize_in(&named, &safe, &project());
    assert!(outcome.after.contains("FROM python:3.10-slim AS production\n"), "{}", outcome.after);
    assert!(outcome.after.contains("FROM production AS web\n"), "{}", outcome.after);
    let fix = outcome.fixes.iter().find(|fix| fix.transform == "development-stage").unwrap();
    assert_eq!((fix.claims.len(), fix.assumes.len()), (0, 0));
}
