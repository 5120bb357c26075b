//! How the result looks, and Dockerfiles in which the order may not change.

use super::super::CopyManifestFirst;
use super::{assumes, declines, rewrites, with};
use crate::testing::{self, Around, declines_in};
use dockeropt_facts::Project;

const FILES: &[(&str, &str)] = &[
    ("api/requirements.txt", "flask==3.0.3\n"),
    ("api/app.py", ""),
    ("requirements.txt", "flask==3.0.3\n"),
    ("package.json", "{}"),
    ("package-lock.json", r#"{"lockfileVersion": 3, "packages": {"": {}}}"#),
];

#[test]
fn comments_stay_with_their_instruction() {
    rewrites(
        FILES,
        "
        FROM python:3.12
        WORKDIR /app

        # The sources
        # and all
        COPY . .

        # hadolint ignore=DL3042
        RUN pip install -r requirements.txt

        # Starts
        CMD [\"run\"]
        ",
        "
        FROM python:3.12
        WORKDIR /app

        COPY requirements.txt ./

        # hadolint ignore=DL3042
        RUN pip install -r requirements.txt

        # The sources
        # and all
        COPY . .

        # Starts
        CMD [\"run\"]
        ",
    );
}

#[test]
fn flags_forms_and_letter_case_are_carried_over() {
    rewrites(
        FILES,
        "
        FROM python:3.12
        WORKDIR /app
        COPY --chown=1000:1000 --link . ./
        RUN pip install -r requirements.txt
        ",
        "
        FROM python:3.12
        WORKDIR /app
        COPY --chown=1000:1000 --link requirements.txt ./
        RUN pip install -r requirements.txt
        COPY --chown=1000:1000 --link . ./
        ",
    );
    rewrites(
        FILES,
        "
        FROM node:20
        workdir /app
        add [\".\", \"/app\"]
        run npm ci
        ",
        "
        FROM node:20
        workdir /app
        copy [\"package.json\", \"package-lock.json\", \"/app/\"]
        run npm ci
        add [\".\", \"/app\"]
        ",
    );
    rewrites(
        FILES,
        "
        FROM python:3.12
        ENV HOME_OF_APP=/srv/api
        WORKDIR $HOME_OF_APP
        COPY api $HOME_OF_APP
        RUN pip install -r requirements.txt
        ",
        "
        FROM python:3.12
        ENV HOME_OF_APP=/srv/api
        WORKDIR $HOME_OF_APP
        COPY api/requirements.txt $HOME_OF_APP/
        RUN pip install -r requirements.txt
        COPY api $HOME_OF_APP
        ",
    );
}

#[test]
fn folders_are_kept_where_the_builder_can() {
    let files =
        &[("requirements.txt", "-r requirements/base.txt\n"), ("requirements/base.txt", "flask==3.0.3\n")];
    let before = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n";
    let after = |copies: &str| {
        format!("FROM python:3.12\nWORKDIR /app\n{copies}RUN pip install -r requirements.txt\nCOPY . .\n")
    };
    let one = after("COPY --parents requirements.txt requirements/base.txt ./\n");
    let two = after("COPY requirements.txt ./\nCOPY requirements/base.txt ./requirements/\n");
    for (syntax, after) in [
        ("docker/dockerfile:1.20", &one),
        ("docker/dockerfile:1.21.3", &one),
        ("docker/dockerfile:1-labs", &one),
        ("docker/dockerfile:1", &two),
        ("docker/dockerfile:1.19", &two),
        ("docker/dockerfile:1.7-labs", &two),
        ("example.com/dockerfile:1.20", &two),
    ] {
        let with = |text: &str| format!("# syntax={syntax}\n{text}");
        let around = Around::files(files);
        let (before, after) = (with(before), with(after));
        testing::rewrites_as_written(&CopyManifestFirst, &around, &before, &after);
    }
}

#[test]
fn what_stands_between_is_passed() {
    rewrites(
        FILES,
        "
        FROM python:3.12
        WORKDIR /app
        # all of it
        COPY . /app

        ENV LANG=C.UTF-8
        EXPOSE 80
        USER nobody
        WORKDIR /app/api
        RUN npm install -g pm2@5 && npm cache clean --force
        # installs
        RUN pip install -r requirements.txt
        CMD [\"run\"]
        ",
        "
        FROM python:3.12
        WORKDIR /app
        ENV LANG=C.UTF-8
        EXPOSE 80
        USER nobody
        WORKDIR /app/api
        RUN npm install -g pm2@5 && npm cache clean --force
        COPY api/requirements.txt /app/api/
        # installs
        RUN pip install -r requirements.txt

        # all of it
        COPY . /app
        CMD [\"run\"]
        ",
    );
}

#[test]
fn a_run_is_split() {
    rewrites(
        FILES,
        "
        FROM node:20
        WORKDIR /app
        COPY . .
        RUN npm ci && npm run build
        ",
        "
        FROM node:20
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        RUN npm run build
        ",
    );
    rewrites(
        FILES,
        "
        FROM node:20
        WORKDIR /app

        # all of it
        COPY . .

        RUN apt-get update \\
            && npm ci \\
            && npm run build \\
            # what npm keeps
            && npm cache clean --force
        CMD [\"run\"]
        ",
        "
        FROM node:20
        WORKDIR /app

        COPY package.json package-lock.json ./

        RUN apt-get update \\
            && npm ci && npm cache clean --force

        # all of it
        COPY . .

        RUN npm run build \\
            # what npm keeps
            && npm cache clean --force
        CMD [\"run\"]
        ",
    );
}

#[test]
fn the_order_may_not_change() {
    for (before, reason) in [
        ("COPY . .\nVOLUME /app\nRUN npm ci", "the VOLUME at line 4 may hold its destination"),
        (
            "COPY . .\nWORKDIR /app/api\nRUN pip install -r requirements.txt",
            "relative to the folder that the WORKDIR",
        ),
        ("COPY . .\nCOPY other /app/other\nRUN npm ci", "line 4 copies to the same place"),
        ("COPY . .\nRUN ./configure\nRUN npm ci", "the RUN at line 4 may read or write /app"),
        ("COPY . .\nRUN chmod -R a+rX /app\nRUN npm ci", "the RUN at line 4 may read or write /app"),
        ("ARG WHERE\nCOPY . $WHERE\nRUN npm ci", "its destination is decided when the image is built"),
        ("ARG WHAT\nCOPY $WHAT .\nRUN npm ci", "what it copies is decided when the image is built"),
        ("COPY --exclude=*.md . .\nRUN npm ci", "its flag --exclude decides what is copied"),
        ("COPY --parents . .\nRUN npm ci", "its flag --parents decides what is copied"),
        ("COPY . .\nRUN <<EOF\nnpm ci\nEOF", "the install is in a heredoc"),
        ("COPY . .\nRUN npm ci && (cd x && make) && rm -r x", "`rm` removes later"),
        (
            "COPY . .\nRUN npm ci \\\n  # now\n  && npm run build",
            "a comment stands where the RUN would be split",
        ),
        (
            "COPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci && npm run build",
            "which hold for all of it",
        ),
        ("COPY . .\nRUN cd /app && npm ci && npm run build", "it changes the working folder"),
        ("ENV NODE_PATH=/app\nCOPY . .\nRUN npm ci", "NODE_PATH names a file of the project"),
        ("RUN echo /app/x > /etc/x\nCOPY . .\nRUN npm ci", "names its destination"),
    ] {
        declines(FILES, &format!("FROM node:20\nWORKDIR /app\n{before}\n"), reason);
    }
    for folder in ["/", "/etc", "/usr/local", "/root", "/home/node", "/opt", "/tmp", "/go"] {
        let before = format!("FROM node:20\nWORKDIR {folder}\nCOPY . {folder}\nRUN npm ci\n");
        declines(FILES, &before, &format!("an install may read or write {folder}"));
    }
    declines(FILES, "FROM node:20\nCOPY . .\nRUN npm ci\n", "decided when the image is built");
}

#[test]
fn what_copies_the_manifests_already_is_left_alone() {
    let copied = [
        "COPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build",
        "COPY package.json package-lock.json ./\nCOPY . .\nRUN npm ci",
        "COPY *.json ./\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev",
        "RUN --mount=type=bind,source=package.json,target=package.json npm ci\nCOPY . .",
        "COPY . .\nRUN --mount=type=bind,target=/src npm ci",
        "COPY . .\nRUN npm run build",
        "COPY . .\nRUN npm install -g typescript",
        "COPY . .\nRUN npm --version && pip --version",
        "COPY --from=build /app .\nRUN npm ci",
        "COPY server.js .\nRUN npm ci",
        "COPY . .\nRUN pip install flask",
        "COPY . .\nRUN pip freeze",
        "RUN npm ci",
        "COPY --from=build /src/package.json ./\nRUN npm ci\nCOPY . .\nRUN npm ci",
        "COPY requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\nCOPY . .",
    ];
    let copied =
        copied.map(|it| format!("FROM node:20 AS build\nWORKDIR /app\nFROM node:20\nWORKDIR /app\n{it}\n"));
    let copied: Vec<&str> = copied.iter().map(String::as_str).collect();
    testing::ignores(&CopyManifestFirst, &copied);
    testing::ignores(
        &CopyManifestFirst,
        &["FROM node:20 AS base\nWORKDIR /app\nCOPY package.json .\nFROM base\nCOPY . .\nRUN npm ci\n"],
    );
}

#[test]
fn the_context_must_be_known() {
    let before = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n";
    testing::declines(&CopyManifestFirst, &[(before, "the build context is not known")]);
    let texts = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let mut project = Project::from_texts(texts.collect());
    project.is_partial = true;
    declines_in(&CopyManifestFirst, &Around::project(project), before, "was not read to its end");
}

#[test]
fn stages_are_looked_at_one_by_one() {
    rewrites(
        FILES,
        "
        FROM node:20 AS build
        WORKDIR /app
        COPY . .
        RUN npm ci
        RUN npm run build

        FROM node:20 AS run
        WORKDIR /app
        COPY . .
        RUN npm ci --omit=dev
        COPY --from=build /app/dist dist
        ",
        "
        FROM node:20 AS build
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        RUN npm run build

        FROM node:20 AS run
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci --omit=dev
        COPY . .
        COPY --from=build /app/dist dist
        ",
    );
}

#[test]
fn a_folder_that_is_only_copied_has_the_mode_of_the_context() {
    assumes(
        &with(FILES, &[]),
        "
        FROM node:20
        COPY . /srv/site
        WORKDIR /srv/site
        RUN npm ci
        ",
        "
        FROM node:20
        WORKDIR /srv/site
        COPY package.json package-lock.json /srv/site/
        RUN npm ci
        COPY . /srv/site
        ",
        "the usual mode",
    );
}
