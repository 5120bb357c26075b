use super::Flatten;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[track_caller]
fn flattens(before: &str, named: &str, lines: &str) {
    let after = format!("{named}\nFROM scratch\n{}", lines.replace("{PATH}", PATH));
    needs_unsafe(&Flatten, before, &after, "all files are in one layer");
}

// With backticks as the escape character nothing is done, which `needs_unsafe` would try.
const KEEP: &str = "# `\n";

#[test]
fn all_of_the_configuration_is_spelled_out() {
    flattens(
        &format!("{KEEP}FROM debian:12\nRUN a\n"),
        &format!("{KEEP}FROM debian:12 AS build\nRUN a\n"),
        "COPY --from=build / /\nENV PATH={PATH}\nCMD [\"bash\"]\n",
    );
    let stage =
        "RUN a\nENV X=\"a b\" Y='$x\\y\"z' EMPTY=\nSHELL [\"/bin/bash\", \"-c\"]\nLABEL a.b=c \"d e\n";
    let stage = stage.replace(" \"d e", "");
    let more = "WORKDIR /srv\nUSER app:app\nEXPOSE 80 53/udp\nVOLUME /a /b\nSTOPSIGNAL SIGINT\n\
        HEALTHCHECK --interval=5s CMD curl -f \"http://localhost\" || exit 1\nONBUILD RUN x $Y && y\n\
        ENTRYPOINT [\"tini\", \"--\"]\nCMD run \"it\" $X\n";
    flattens(
        &format!("{KEEP}FROM node:20-slim AS app\n{stage}{more}"),
        &format!("{KEEP}FROM node:20-slim AS app\n{stage}{more}"),
        "COPY --from=app / /\nSHELL [\"/bin/bash\", \"-c\"]\nENV PATH={PATH}\nENV X=\"a b\"\nENV Y=\"\\$x\\\\y\\\"z\"\nENV EMPTY=\"\"\n\
        LABEL a.b=c\nEXPOSE 53/udp\nEXPOSE 80\nVOLUME [\"/a\", \"/b\"]\nWORKDIR /srv\nUSER app:app\nSTOPSIGNAL SIGINT\n\
        HEALTHCHECK --interval=5s CMD curl -f \"http://localhost\" || exit 1\nONBUILD RUN x $Y && y\n\
        ENTRYPOINT [\"tini\", \"--\"]\nCMD [\"/bin/bash\", \"-c\", \"run \\\"it\\\" $X\"]\n",
    );
}

#[test]
fn stages_below_count() {
    let before = format!(
        "{KEEP}FROM python:3.12-slim AS build\nENV A=1\nFROM build\nRUN x\nCOPY --from=build /a /b\n"
    );
    let named = before.replace("FROM build\n", "FROM build AS build2\n");
    let lines = format!(
        "COPY --from=build2 / /\nENV PATH=/usr/local/bin:{PATH}\nENV LANG=C.UTF-8\nENV A=1\nCMD [\"python3\"]\n"
    );
    flattens(&before, &named, &lines);
}

#[test]
fn callers_keep_what_they_name() {
    use dockeropt_facts::project::Caller;
    let mut project = dockeropt_facts::Project::default();
    project.callers.push(Caller { path: "compose.yaml".to_owned(), target: "App".to_owned() });
    let before = format!("{KEEP}FROM alpine:3.20 AS app\nRUN x\n");
    let after = format!("{before}\nFROM scratch\nCOPY --from=app / /\nENV PATH={PATH}\nCMD [\"/bin/sh\"]\n");
    needs_unsafe_in(&Flatten, &Around::project(project), &before, &after, "one layer");
}

#[test]
fn what_is_flat_is_left_alone() {
    ignores(
        &Flatten,
        &["FROM scratch\nCOPY a /a\n", "FROM debian:12 AS a\nRUN x\nFROM scratch\nCOPY --from=a / /\n"],
    );
}

#[test]
fn what_is_not_known_is_left_alone() {
    let decided = "is decided when the image is built";
    declines(
        &Flatten,
        &[
            (
                "FROM example.com/team/base:1\nRUN x\n",
                "what example.com/team/base:1 is configured to do is not known",
            ),
            ("FROM debian:7\nRUN x\n", "is not known"),
            ("FROM debian\n", "it adds no files to its base"),
            ("FROM debian:12\nENV A=1\nCMD x\n", "it adds no files to its base"),
            ("FROM python:3\nRUN x\n", "what python:3 is configured to do is not known"),
            ("FROM python@sha256:00\nRUN x\n", "is not known"),
            ("FROM python:3.12-windowsservercore-ltsc2022\nRUN x\n", "is not known"),
            ("ARG BASE=debian:12\nFROM $BASE\nRUN x\n", "a build argument decides what it starts from"),
            ("FROM --platform=linux/arm64 debian:12\nRUN x\n", "its base has a platform of its own"),
            (
                "FROM --platform=$BUILDPLATFORM debian:12 AS a\nFROM a\nRUN x\n",
                "its base has a platform of its own",
            ),
            ("FROM debian:12\nARG V\nENV V=$V\nRUN x\n", decided),
            ("FROM debian:12\nARG V\nLABEL version=$V\nRUN x\n", decided),
            ("FROM debian:12\nARG V=1\nLABEL version=\"a-${V}\"\nRUN x\n", decided),
            ("FROM debian:12\nARG U=app\nRUN x\nUSER $U\n", decided),
            ("FROM debian:12\nARG D\nWORKDIR $D\nRUN x\n", decided),
            ("FROM debian:12\nARG P\nEXPOSE $P\nRUN x\n", decided),
            ("FROM debian:12\nARG S\nSTOPSIGNAL $S\nRUN x\n", decided),
            ("FROM debian:12\nARG V\nVOLUME $V\nRUN x\n", decided),
            (
                "FROM debian:12 AS a\nONBUILD RUN y\nFROM a\nRUN x\n",
                "is a trigger that runs in a later stage",
            ),
            (
                "FROM python:3.12\nRUN echo $PYTHON_VERSION\n",
                "line 2 names PYTHON_VERSION, whose value is not known",
            ),
            ("FROM node:20\nRUN x\nCMD node -e \"process.env.NODE_VERSION\"\n", "line 3 names NODE_VERSION"),
            ("FROM debian:12\nRUN setcap cap_net_raw+ep /usr/bin/ping\n", "line 2 sets capabilities"),
            ("# escape=`\nFROM debian:12\nRUN x\n", "the escape character is not the backslash"),
            ("FROM debian:12\nUSER \"a b\"\nRUN x\n", "can't be written on a line"),
        ],
    );
    declines_in(&Flatten, &Around::files(&[]), "FROM debian:7\nRUN x\n", "is not known");
}
