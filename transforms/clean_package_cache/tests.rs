use super::CleanPackageCache;
use crate::testing::{declines, ignores, needs_unsafe, rewrites};

/// One RUN in an image becomes another.
#[track_caller]
fn cleans(image: &str, before: &str, after: &str) {
    rewrites(
        &CleanPackageCache,
        &format!("FROM {image}\nRUN {before}\n"),
        &format!("FROM {image}\nRUN {after}\n"),
    );
}

#[test]
fn apt_lists_go_behind_the_last_install() {
    cleans(
        "debian:bookworm",
        "apt-get update && apt-get install -y gcc",
        "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
    );
    cleans(
        "debian:bookworm",
        "apt-get update && apt-get install -y gcc && gcc --version",
        "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/* && gcc --version",
    );
    cleans(
        "debian:bookworm",
        "apt-get update; apt-get install -y gcc; gcc --version",
        "apt-get update; apt-get install -y gcc; gcc --version && rm -rf /var/lib/apt/lists/*",
    );
}

#[test]
fn sudo_cleans_with_sudo() {
    cleans(
        "debian:bookworm",
        "sudo apt update && sudo apt install gcc -y",
        "sudo apt update && sudo apt install gcc -y && sudo rm -rf /var/lib/apt/lists/*",
    );
}

#[test]
fn leading_operators() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update \
         && apt-get install -y \
            # compiler
            gcc \
            make \
         # its version
         && gcc --version
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update \
         && apt-get install -y \
            # compiler
            gcc \
            make \
         && rm -rf /var/lib/apt/lists/* \
         # its version
         && gcc --version
        ",
    );
}

#[test]
fn trailing_operators() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update && \
            apt-get install -y \
              gcc \
              make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && \
            apt-get install -y \
              gcc \
              make && \
            rm -rf /var/lib/apt/lists/*
        ",
    );
}

#[test]
fn tabs_stay_tabs() {
    rewrites(
        &CleanPackageCache,
        "FROM debian:bookworm\nRUN apt-get update \\\n\t&& apt-get install -y \\\n\t\tgcc\n",
        "FROM debian:bookworm\nRUN apt-get update \\\n\t&& apt-get install -y \\\n\t\tgcc \\\n\t&& rm -rf /var/lib/apt/lists/*\n",
    );
}

#[test]
fn a_package_on_each_line_of_a_single_list() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y \
            gcc \
            make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y \
            gcc \
            make \
            && rm -rf /var/lib/apt/lists/*
        ",
    );
}

#[test]
fn the_cleanup_goes_behind_a_compound_command() {
    cleans(
        "debian:bookworm",
        "apt-get update && if true; then apt-get install -y gcc; fi",
        "apt-get update && if true; then apt-get install -y gcc; fi && rm -rf /var/lib/apt/lists/*",
    );
    cleans(
        "debian:bookworm",
        "apt-get update && for p in a b; do apt-get install -y $p; done",
        "apt-get update && for p in a b; do apt-get install -y $p; done && rm -rf /var/lib/apt/lists/*",
    );
    cleans(
        "debian:bookworm",
        "apt-get update && (apt-get install -y gcc)",
        "apt-get update && (apt-get install -y gcc) && rm -rf /var/lib/apt/lists/*",
    );
}

#[test]
fn an_image_that_keeps_archives() {
    cleans(
        "phusion/baseimage:jammy-1.0.4",
        "apt-get update && apt-get install -y gcc",
        "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
    );
}

#[test]
fn managers_with_a_command_of_their_own() {
    for (image, install, cleanup) in [
        ("centos:7", "yum install -y gcc", "yum clean all"),
        ("centos:7", "yum -y update", "yum clean all"),
        ("fedora:40", "dnf install -y gcc", "dnf clean all"),
        ("fedora:40", "dnf -y install gcc", "dnf clean all"),
        ("registry.example.com/ubi9-minimal", "microdnf install -y gcc", "microdnf clean all"),
        ("opensuse/leap:15.6", "zypper install -y gcc", "zypper clean --all"),
        ("archlinux:latest", "pacman -Sy --noconfirm gcc", "rm -rf /var/cache/pacman/pkg/*"),
        ("node:20", "npm ci", "npm cache clean --force"),
        ("node:20", "npm install -g pm2", "npm cache clean --force"),
        ("node:20", "yarn install --pure-lockfile", "yarn cache clean"),
        ("composer:2", "composer install --no-dev", "composer clear-cache"),
        ("continuumio/miniconda3", "conda install -y numpy", "conda clean -tipy"),
        ("continuumio/miniconda3", "conda env create -f environment.yml", "conda clean -tipy"),
        ("ruby:3.3", "gem install rails", "rm -rf /usr/local/bundle/cache/*"),
        ("ruby:3.3", "bundle install", "rm -rf /usr/local/bundle/cache/*"),
    ] {
        cleans(image, install, &format!("{install} && {cleanup}"));
    }
}

#[test]
fn managers_with_an_option() {
    for (image, before, after) in [
        ("python:3.12", "pip install flask", "pip install --no-cache-dir flask"),
        (
            "python:3.12",
            "pip3 install -r requirements.txt",
            "pip3 install --no-cache-dir -r requirements.txt",
        ),
        ("python:3.12", "python -m pip install -U pip", "python -m pip install --no-cache-dir -U pip"),
        (
            "python:3.12",
            "pip install a && pip install b",
            "pip install --no-cache-dir a && pip install --no-cache-dir b",
        ),
        ("alpine:3.20", "apk add curl", "apk add --no-cache curl"),
        ("python:3.6", "pip install flask", "pip install --no-cache-dir flask"),
        ("python:2.7-jessie", "pip install flask", "pip install --no-cache-dir flask"),
        ("alpine:3.20", "apk add --update curl", "apk add --no-cache curl"),
        ("alpine:3.20", "apk -U add curl", "apk --no-cache add curl"),
        ("alpine:3.20", "apk update && apk add curl", "apk add --no-cache curl"),
        (
            "alpine:3.20",
            "apk update && apk upgrade && apk add git",
            "apk upgrade --no-cache && apk add --no-cache git",
        ),
        ("alpine:3.20", "apk -U upgrade && make", "apk --no-cache upgrade && make"),
        (
            "alpine:3.20",
            "apk add --virtual .build gcc && apk del .build",
            "apk add --no-cache --virtual .build gcc && apk del .build",
        ),
    ] {
        cleans(image, before, after);
    }
}

#[test]
fn apk_update_goes_with_its_line() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM alpine:3.20
        RUN apk update \
            && apk add \
                curl \
                git
        ",
        r"
        FROM alpine:3.20
        RUN apk add --no-cache \
                curl \
                git
        ",
    );
}

#[test]
fn what_apk_must_keep() {
    let after_fetch = |later: &str| format!("FROM alpine:3.20\nRUN apk add --update bash{later}\n");
    for later in [
        " && apk fetch foo",
        " && cat list | xargs apk add",
        " && sh -c \"apk add curl\"",
        " && timeout -t 5 sh -c 'apk add curl'",
        " && ls /var/cache/apk",
        "; apk search git",
    ] {
        declines(&CleanPackageCache, &[(&after_fetch(later), "may be needed later")]);
    }
    for later in [
        "\nRUN apk fetch foo",
        "\nRUN [\"apk\", \"add\", \"curl\"]",
        "\nRUN <<EOF\napk add curl\nEOF",
        "\nRUN --mount=type=cache,target=/var/cache/apk apk add curl",
        "\nRUN apk add --root /x curl",
        "\nONBUILD RUN apk add curl",
        "\nONBUILD RUN sh $DIR/build_app.sh",
        "\nONBUILD RUN [\"apk\", \"add\", \"curl\"]",
        "\nCMD apk add curl && curl x",
        "\nCMD [\"sh\", \"-c\", \"apk add curl && curl x\"]",
        "\nENTRYPOINT [\"apk\", \"add\"]",
        "\nHEALTHCHECK --interval=5s CMD apk add curl",
    ] {
        declines(&CleanPackageCache, &[(&after_fetch(later), "installs from the index that apk keeps")]);
    }
    for later in ["\nRUN rm /var/cache/apk/*", "\nRUN tar c /var/cache/apk > /x"] {
        declines(&CleanPackageCache, &[(&after_fetch(later), "names what apk keeps")]);
    }
    let old = "may not know --no-cache";
    for image in [
        "alpine:3.2",
        "alpine:3.2.3",
        "gliderlabs/alpine:3.2",
        "gliderlabs/alpine:2.7",
        "docker:1.9",
        "docker:1.8.3-dind",
        "mhart/alpine-node:0.10",
        "mhart/alpine-node:4",
        "golang:1.5-alpine",
    ] {
        declines(&CleanPackageCache, &[(&format!("FROM {image}\nRUN apk add curl\n"), old)]);
    }
    let changed = "the repositories change";
    for change in [
        "echo edge >> /etc/apk/repositories",
        "sed -i s/3.20/edge/ /etc/apk/repositories",
        "echo edge | tee -a /etc/apk/repositories",
        "cp /tmp/r /etc/apk/repositories",
    ] {
        let update = format!("FROM alpine:3.20\nRUN apk update && {change} && apk add bash\n");
        let add = format!("FROM alpine:3.20\nRUN apk add -U a && {change} && apk add bash\n");
        let runs = format!("FROM alpine:3.20\nRUN apk update\nRUN {change}\nRUN apk add bash\n");
        declines(&CleanPackageCache, &[(&update, changed), (&add, changed), (&runs, changed)]);
    }
    declines(
        &CleanPackageCache,
        &[
            ("FROM alpine:3.20\nRUN apk update\nCOPY root /\nRUN apk add bash\n", changed),
            ("FROM alpine:3.20\nRUN apk update && apk add curl && apk search git\n", "may be needed later"),
            ("FROM alpine:3.20\nRUN apk add -U curl && /var/lib/apk/cache/x\n", "may be needed later"),
            (
                "FROM alpine:3.20\nRUN apk update && apk add --no-cache curl\nRUN ./install.sh\n",
                "may be needed later",
            ),
            ("FROM alpine:3.20\nRUN apk update --root /x && apk add bash\n", "can't be taken out"),
            ("FROM alpine:3.20\nRUN apk update -p /x && apk add bash\n", "can't be taken out"),
            ("FROM alpine:3.20\nRUN apk update -X http://x && apk add bash\n", "can't be taken out"),
            (
                "FROM alpine:3.20\nRUN apk update --repository http://x && apk add bash\n",
                "can't be taken out",
            ),
            (
                "FROM alpine:3.20\nRUN apk update --repositories-file /r && apk add bash\n",
                "can't be taken out",
            ),
            ("FROM alpine:3.20\nRUN apk update > /log && apk add bash\n", "can't be taken out"),
            ("FROM alpine:3.20\nRUN apk update; apk add bash\n", "can't be taken out"),
            ("FROM alpine:3.20\n# once\nRUN apk update\nRUN apk add bash\n", "can't be taken out"),
            (
                "FROM alpine:3.20\nRUN apk update && mv /x/apk /bin && apk add bash\n",
                "`apk`, which may have moved",
            ),
            (
                "FROM alpine:3.20\nRUN apk update\nRUN apk search x\nRUN apk add bash\n",
                "the index that line 2 fetches stays in the image",
            ),
            (
                "FROM alpine:3.20 AS a\nRUN apk update\nRUN apk search x\nFROM a\nRUN apk add bash\n",
                "the index that line 2 fetches stays in the image",
            ),
        ],
    );
}

#[test]
fn a_cleanup_that_a_later_call_of_its_program_would_notice() {
    let declined = |image: &str, install: &str| {
        let dockerfile = format!("FROM {image}\nRUN {install} && mv /x/rm /bin && rm -f /x/y\n");
        declines(&CleanPackageCache, &[(&dockerfile, "a later command calls `rm`, which may have moved")]);
    };
    declined("debian:bookworm", "apt-get update && apt-get install -y gcc");
    declined("ruby:3.3", "gem install rails");
    cleans(
        "debian:bookworm",
        "apt-get update && apt-get install -y gcc && rm -f /x/y",
        "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/* && rm -f /x/y",
    );
}

#[test]
fn what_is_kept_for_who_sees_it_from_outside() {
    let names = |what: &str| format!("names what {what} keeps");
    declines(
        &CleanPackageCache,
        &[
            ("FROM alpine:3.20\nCMD ls /var/cache/apk\nRUN apk add -U git\n", &names("apk")),
            ("FROM alpine:3.20 AS a\nCMD ls /etc/apk/cache\nFROM a\nRUN apk add -U git\n", &names("apk")),
            (
                "FROM node:20 AS a\nRUN npm ci\nFROM a\nRUN --mount=type=bind,from=a,target=/m ls /m\n",
                &names("npm"),
            ),
            ("FROM node:20\nRUN npm ci\nRUN npm cache --force\n", &names("npm")),
            ("FROM fedora\nRUN dnf install -y git && cp -r /var/cache/dnf /x\n", &names("dnf")),
        ],
    );
}

#[test]
fn cleanups_that_act_on_what_stands_beside_them() {
    declines(
        &CleanPackageCache,
        &[
            (
                "FROM debian:12\nRUN apt-get update && apt-get install -y gcc && echo $_\n",
                "asks for the last word",
            ),
            ("FROM alpine:3.20\nRUN apk update && echo $_\n", "asks for the last word"),
            (
                "FROM alpine:3.20\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN apk update && apk add git && (./x; ./y)\n",
                "can't be taken out",
            ),
            (
                "FROM fedora\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN if x; then dnf install -y git; fi && y\n",
                "relies on `set -e`",
            ),
            (
                "FROM alpine:3.20\nRUN ./x || apk update\nRUN echo x > /etc/apk/repositories\nRUN apk add git\n",
                "the repositories change",
            ),
            (
                "FROM alpine:3.20\nRUN apk update && --network=none && apk add git\n",
                "would be read otherwise",
            ),
            ("FROM alpine:3.20\nRUN apk update && [ \"x\" ]\n", "would be read otherwise"),
            ("FROM alpine:3.20\nRUN apk fix -U\nRUN apk add git\n", "is no install"),
        ],
    );
}

#[test]
fn a_script_that_may_need_the_index_of_apk_makes_it_unsafe() {
    for later in
        [" && ./setup.sh", "; ./setup.sh", "\nRUN ./setup.sh", " && for i in 1 2; do ./setup.sh; done"]
    {
        needs_unsafe(
            &CleanPackageCache,
            &format!("FROM alpine:3.20\nRUN apk add --update bash{later}\n"),
            &format!("FROM alpine:3.20\nRUN apk add --no-cache bash{later}\n"),
            "`./setup.sh` does not need the index of apk",
        );
    }
    needs_unsafe(
        &CleanPackageCache,
        "FROM alpine:3.20\nRUN apk update && ./setup.sh && apk add bash\n",
        "FROM alpine:3.20\nRUN ./setup.sh && apk add --no-cache bash\n",
        "`./setup.sh` does not need the index of apk",
    );
}

#[test]
fn runs_that_share_an_index_of_apk_change_together() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM alpine:3.20
        RUN apk update
        COPY a /a
        RUN apk add curl
        RUN apk add git && apk add --update make
        ",
        r"
        FROM alpine:3.20
        COPY a /a
        RUN apk add --no-cache curl
        RUN apk add --no-cache git && apk add --no-cache make
        ",
    );
    rewrites(
        &CleanPackageCache,
        "FROM alpine:3.20 AS a\nRUN apk add -U bash\nFROM a\nRUN apk add git\n",
        "FROM alpine:3.20 AS a\nRUN apk add --no-cache bash\nFROM a\nRUN apk add --no-cache git\n",
    );
    rewrites(
        &CleanPackageCache,
        "FROM alpine:3.20\nRUN apk add -U bash\nRUN apk update && ./x\nRUN apk add git\n",
        "FROM alpine:3.20\nRUN apk add --no-cache bash\nRUN apk update && ./x\nRUN apk add git\n",
    );
    rewrites(
        &CleanPackageCache,
        "FROM alpine:3.20\nRUN echo x >> /etc/apk/repositories && apk update && apk add git\n",
        "FROM alpine:3.20\nRUN echo x >> /etc/apk/repositories && apk add --no-cache git\n",
    );
    rewrites(
        &CleanPackageCache,
        "FROM alpine:3.20\nRUN apk update\nRUN apk add --no-cache git\nCMD apk update && apk add x\n",
        "FROM alpine:3.20\nRUN apk add --no-cache git\nCMD apk update && apk add x\n",
    );
    cleans(
        "alpine:3.20",
        "apk add -U bash && timeout 5 apk add curl",
        "apk add --no-cache bash && timeout 5 apk add --no-cache curl",
    );
    ignores(&CleanPackageCache, &["FROM alpine:3.20\nRUN apk add --no-cache --update bash\n"]);
}

#[test]
fn lists_that_a_container_needs_stay() {
    for start in [
        "CMD apt-get install -y make",
        "ENTRYPOINT [\"sh\", \"-c\", \"apt-get install -y make\"]",
        "ONBUILD RUN [\"apt-get\", \"install\", \"make\"]",
    ] {
        let file = format!("FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\n{start}\n");
        declines(&CleanPackageCache, &[(&file, "line 3 installs from these lists")]);
    }
}

#[test]
fn what_shares_a_line_with_apk_update_stays_on_it() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM alpine:3.20
        RUN set -x && \
            apk update && apk upgrade && \
            apk add git
        RUN echo x \
            &&  apk update && apk upgrade \
            && apk add make
        RUN echo x && \
            apk update && \
            apk add gcc
        ",
        r"
        FROM alpine:3.20
        RUN set -x && \
            apk upgrade --no-cache && \
            apk add --no-cache git
        RUN echo x \
            &&  apk upgrade --no-cache \
            && apk add --no-cache make
        RUN echo x && \
            apk add --no-cache gcc
        ",
    );
}

#[test]
fn the_option_goes_behind_the_verb_on_its_line() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM python:3.12
        RUN pip install \
            # web
            flask \
            gunicorn
        ",
        r"
        FROM python:3.12
        RUN pip install --no-cache-dir \
            # web
            flask \
            gunicorn
        ",
    );
}

#[test]
fn a_script_that_may_install_makes_it_unsafe() {
    needs_unsafe(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc
        RUN ./setup.sh
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
        RUN ./setup.sh
        ",
        "./setup.sh",
    );
    needs_unsafe(
        &CleanPackageCache,
        r"
        FROM node:20
        RUN apt-get update && apt-get install -y gcc
        RUN npx playwright install-deps
        ",
        r"
        FROM node:20
        RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
        RUN npx playwright install-deps
        ",
        "npx playwright",
    );
    needs_unsafe(
        &CleanPackageCache,
        "FROM node:20\nRUN yarn\n",
        "FROM node:20\nRUN yarn && yarn cache clean\n",
        "Yarn 1",
    );
}

#[test]
fn neighbours_that_are_not_concerned_keep_every_byte() {
    rewrites(
        &CleanPackageCache,
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get install -y gcc
        RUN <<EOF
        echo 'RUN apt-get update'
        EOF
        COPY <<'EOF' /x
          RUN pip install x
        EOF
        ",
        "
        FROM debian:bookworm
        RUN   apt-get  update &&   apt-get install -y gcc && rm -rf /var/lib/apt/lists/*
        RUN <<EOF
        echo 'RUN apt-get update'
        EOF
        COPY <<'EOF' /x
          RUN pip install x
        EOF
        ",
    );
}

#[test]
fn what_is_clean_already() {
    ignores(
        &CleanPackageCache,
        &[
            "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\n",
            "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists\n",
            "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc && rm -rf /var/cache/apt /var/lib/apt/*\n",
            "FROM debian:trixie\nRUN apt-get update && apt-get install -y gcc && apt-get dist-clean\n",
            "FROM debian:bookworm\nRUN apt-get install -y gcc\n",
            "FROM debian:bookworm\nRUN echo \"apt-get update && apt-get install foo\" > f\n",
            "FROM debian:bookworm\nONBUILD RUN apt-get update && apt-get install -y gcc\n",
            "FROM alpine:3.20\nRUN apk add --no-cache curl\n",
            "FROM alpine:3.20\nRUN apk add curl && rm -rf /var/cache/apk/*\n",
            "FROM fedora:40\nRUN dnf install -y gcc && dnf clean all\n",
            "FROM fedora:40\nRUN dnf install -y gcc && rm -rf /var/cache/dnf\n",
            "FROM python:3.12\nRUN pip install --no-cache-dir flask\n",
            "FROM python:3.12\nRUN pip install flask && rm -rf ~/.cache/pip\n",
            "FROM python:3.12\nRUN pip install flask && rm -rf /root/.cache\n",
            "FROM python:3.12\nRUN pip --no-cache-dir install flask\n",
            "FROM node:20\nRUN npm ci && npm cache clean --force\n",
            "FROM node:20\nRUN npm run build && npm test\n",
            "FROM node:20\nRUN pnpm install\n",
            "FROM golang:1.22\nRUN go mod download\n",
            "FROM debian:bookworm\nRUN cat <<EOF >f && chmod +x f\napt-get update\nEOF\n",
        ],
    );
}

#[test]
fn what_must_not_be_cleaned() {
    declines(
        &CleanPackageCache,
        &[
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\nRUN apt-get install -y make\n",
                "line 3 installs from these lists",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\nONBUILD RUN apt-get install -y make\n",
                "ONBUILD",
            ),
            (
                "FROM debian:bookworm\nONBUILD RUN apt-get install -y make\nRUN apt-get update && apt-get install -y gcc\n",
                "ONBUILD",
            ),
            (
                "FROM debian:bookworm AS base\nRUN apt-get update && apt-get install -y gcc\nFROM base\nRUN apt-get install -y make\n",
                "line 4 installs",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y ansible\nRUN ansible-playbook x.yml\n",
                "line 3 installs from these lists",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\nRUN bash scripts/provision.sh\n",
                "line 3 installs from these lists",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc\nRUN apt-cache policy gcc\n",
                "line 3",
            ),
            (
                "FROM debian:bookworm\nRUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y gcc\n",
                "on a mount",
            ),
            (
                "FROM debian:bookworm\nRUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked apt-get update && apt-get install -y gcc\n",
                "on a mount",
            ),
            (
                "FROM debian:bookworm AS build\nRUN apt-get update && apt-get install -y gcc\nFROM debian:bookworm\nCOPY --from=build /x /x\n",
                "don't end up in the image",
            ),
            ("FROM debian:bookworm\nRUN [\"apt-get\", \"install\", \"gcc\"]\n", "exec form"),
            ("FROM debian:bookworm\nRUN <<EOF\napt-get update\napt-get install -y gcc\nEOF\n", "heredoc"),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc; exit 0\n",
                "may end before",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc && exec true\n",
                "may end before",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc & wait & \n",
                "background job",
            ),
            (
                "FROM debian:bookworm\nRUN apt-get update && apt-get install -y gcc # compiler\n",
                "ends with a comment",
            ),
            (
                "FROM debian:bookworm\nRUN set -e; apt-get update; if true; then apt-get install -y gcc; false; fi\n",
                "set -e",
            ),
            ("FROM python:3.12\nENV PIP_CACHE_DIR=/cache\nRUN pip install flask\n", "PIP_CACHE_DIR"),
            ("FROM python:3.12\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\n", "PIP_NO_CACHE_DIR"),
            (
                "FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n",
                "on a mount",
            ),
            (
                "FROM python:3.12\nRUN --mount=type=cache,target=/root/.cache pip install flask\n",
                "on a mount",
            ),
            ("FROM alpine:3.20\nRUN --mount=type=cache,target=/etc/apk/cache apk add curl\n", "on a mount"),
            (
                "FROM debian:bookworm\nUSER app\nRUN apt-get update && apt-get install -y gcc\n",
                "may not delete",
            ),
            ("FROM node:20\nRUN npm install -g npm@latest && npm ci\n", "npm replaces itself"),
            ("FROM node:20\nRUN npm i -g npm\n", "npm replaces itself"),
            ("FROM node:20\nARG V\nRUN npm install --global \"npm@$V\" yarn\n", "npm replaces itself"),
            ("FROM ruby:3.3\nUSER app\nRUN bundle install\n", "may not delete"),
            ("FROM debian:jessie\nRUN pip install flask\n", "the pip of this old release"),
            ("FROM python:2.7.8-slim\nRUN pip install flask\n", "the pip of this old release"),
            ("FROM node:20\nENV npm_config_cache=/c\nRUN npm ci\n", "npm_config_cache"),
            ("FROM node:20\nRUN --mount=type=cache,target=/root/.npm npm ci\n", "on a mount"),
            ("FROM node:20\nCOPY .yarnrc.yml ./\nRUN yarn install\n", "newer Yarn"),
            ("FROM node:20\nRUN corepack enable && yarn install\n", "newer Yarn"),
            ("FROM debian:bookworm\nRUN gem install rails\n", "official ruby image"),
            ("FROM ruby:3.3\nENV BUNDLE_PATH=/gems\nRUN bundle install\n", "BUNDLE_PATH"),
            ("FROM ruby:3.3\nRUN bundle install --path vendor\n", "an option or a mount"),
        ],
    );
}

#[test]
fn lists_that_may_be_meant_to_stay() {
    let reason = "they may be meant to stay";
    declines(
        &CleanPackageCache,
        &[
            ("FROM debian:12\nRUN apt-get update\nENTRYPOINT [\"/entry.sh\"]\n", reason),
            ("FROM debian:12\nRUN apt-get update && apt-get install -y x && apt-get update\n", reason),
        ],
    );
}

#[test]
fn a_manager_that_is_removed_does_not_clean_up() {
    declines(
        &CleanPackageCache,
        &[
            ("FROM node:20\nRUN npm ci && npm uninstall -g npm\n", "removes npm itself"),
            ("FROM node:20\nRUN npm ci && npm rm -g npm\n", "removes npm itself"),
            ("FROM node:20\nRUN npm ci && corepack disable npm\n", "removes npm itself"),
            ("FROM fedora:40\nRUN dnf install -y x && dnf remove -y dnf\n", "removes dnf itself"),
        ],
    );
}

#[test]
fn a_file_without_space_before_its_backslashes() {
    rewrites(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update &&\
            apt-get install -y gcc
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update &&\
            apt-get install -y gcc &&\
            rm -rf /var/lib/apt/lists/*
        ",
    );
    rewrites(
        &CleanPackageCache,
        r"
        FROM debian:bookworm
        RUN apt-get update &&\
            apt-get install -y gcc && \
            make
        ",
        r"
        FROM debian:bookworm
        RUN apt-get update &&\
            apt-get install -y gcc && \
            rm -rf /var/lib/apt/lists/* && \
            make
        ",
    );
}
