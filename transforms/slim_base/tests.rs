use super::SlimBase;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in, passes};

#[test]
fn nothing_of_the_full_image_is_used() {
    needs_unsafe(
        &SlimBase,
        "FROM python:3.12-bookworm\nWORKDIR /app\nCOPY . .\nRUN pip install flask==3.0.0\nCMD [\"python\", \"app.py\"]\n",
        "FROM python:3.12-slim-bookworm\nWORKDIR /app\nCOPY . .\nRUN pip install flask==3.0.0\nCMD [\"python\", \"app.py\"]\n",
        "python:3.12-slim-bookworm lacks",
    );
    needs_unsafe(
        &SlimBase,
        "FROM debian:bookworm\nCMD [\"bash\"]\n",
        "FROM debian:bookworm-slim\nCMD [\"bash\"]\n",
        "lacks",
    );
}

#[test]
fn what_is_called_is_installed() {
    for (call, packages) in [
        ("RUN git clone https://example.com/x.git", "ca-certificates git"),
        ("RUN curl -fsS https://example.com/x -o x", "ca-certificates curl"),
        ("RUN true && (cd /x && make)", ""),
        ("HEALTHCHECK CMD curl -f http://localhost/ || exit 1", "ca-certificates curl"),
        ("CMD [\"sh\", \"-c\", \"git pull && python app.py\"]", "ca-certificates git"),
    ] {
        if packages.is_empty() {
            declines(&SlimBase, &[(&format!("FROM python:3.12-bookworm\n{call}\n"), "what make needs")]);
            continue;
        }
        // The slim image of Python has certificates.
        let packages = packages.trim_start_matches("ca-certificates ");
        needs_unsafe(
            &SlimBase,
            &format!("FROM python:3.12-bookworm\n{call}\n"),
            &format!(
                "FROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends {packages} \\\n    && rm -rf /var/lib/apt/lists/*\n{call}\n"
            ),
            "is gone",
        );
    }
}

#[test]
fn what_requirements_need_is_installed() {
    let around = Around::files(&[("requirements.txt", "mysqlclient==2.1.1\nflask==2.0.1\n"), ("app.py", "")]);
    needs_unsafe_in(
        &SlimBase,
        &around,
        "FROM python:3.10\nWORKDIR /app\nCOPY . /app\nRUN pip install -r requirements.txt\n",
        "FROM python:3.10-slim\nRUN apt-get update && apt-get install -y --no-install-recommends default-libmysqlclient-dev gcc \\\n    && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY . /app\nRUN pip install -r requirements.txt\n",
        "but for default-libmysqlclient-dev, gcc",
    );
}

const LOCK: &str = "GEM\n  remote: https://gems.example.com/\n  specs:\n    nokogiri (1.16.0-x86_64-linux)\n      racc (~> 1.4)\n    pg (1.5.6)\n    racc (1.7.3)\n    rack (3.0.8)\n\nPLATFORMS\n  x86_64-linux\n";

#[test]
fn what_gems_of_a_lock_file_need_is_installed() {
    let rest = "WORKDIR /app\nCOPY Gemfile Gemfile.lock ./\nRUN gem install bundler:2.5.9 && bundle install\nCOPY . .\nRUN bundle exec rake assets:precompile\n";
    let around = Around::files(&[("Gemfile", "gem \"pg\"\n"), ("Gemfile.lock", LOCK)]);
    needs_unsafe_in(
        &SlimBase,
        &around,
        &format!("FROM ruby:3.3-bookworm\n{rest}"),
        &format!(
            "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev make \\\n    && rm -rf /var/lib/apt/lists/*\n{rest}"
        ),
        "but for gcc, libc6-dev, libpq-dev, make",
    );
}

#[test]
fn lock_files_of_which_it_is_not_known_what_they_need() {
    let file = "FROM ruby:3.3-bookworm\nWORKDIR /app\nCOPY . .\nRUN bundle install\n";
    let around = |lock: &str| Around::files(&[("Gemfile", ""), ("Gemfile.lock", lock)]);
    let other = LOCK.replace("rack (3.0.8)", "no-such-gem (1.0)");
    declines_in(&SlimBase, &around(&other), file, "what no-such-gem needs");
    let source = LOCK.replace("nokogiri (1.16.0-x86_64-linux)", "nokogiri (1.16.0)");
    declines_in(&SlimBase, &around(&source), file, "what nokogiri needs");
    let git = format!("GIT\n  remote: x\n\n{LOCK}");
    declines_in(&SlimBase, &around(&git), file, "what Gemfile.lock needs");
    declines_in(&SlimBase, &Around::files(&[("Gemfile", "")]), file, "what Gemfile.lock needs");
    let forced = file.replace("RUN", "ENV BUNDLE_FORCE_RUBY_PLATFORM=1\nRUN");
    declines_in(&SlimBase, &around(LOCK), &forced, "of which there are compiled ones");
    declines_in(
        &SlimBase,
        &around(LOCK),
        &file.replace("bundle install", "bundle exec rake"),
        "what bundle needs",
    );
    // The last stage gets gems that another one installed.
    let file = "FROM ruby:3.3-slim-bookworm AS build\nRUN bundle install\nFROM ruby:3.3-bookworm\nCOPY --from=build /usr/local/bundle /usr/local/bundle\n";
    declines_in(&SlimBase, &around(LOCK), file, "what Gemfile.lock needs");
}

#[test]
fn what_the_file_installs_itself_is_not_installed_twice() {
    let around = Around::files(&[("requirements.txt", "mysqlclient==2.1.1\n"), ("app.py", "")]);
    let install = "RUN apt-get update && apt-get install -y default-libmysqlclient-dev gcc=4:10.2.1-1\n";
    let rest = "WORKDIR /app\nCOPY . /app\nRUN pip install -r requirements.txt\n";
    needs_unsafe_in(
        &SlimBase,
        &around,
        &format!("FROM python:3.10\n{install}{rest}"),
        &format!("FROM python:3.10-slim\n{install}{rest}"),
        "python:3.10-slim lacks",
    );
    // Only what is there in any case, and before it is needed.
    for own in [
        "RUN git clone https://example.com/x\nRUN apt-get update && apt-get install -y git\n",
        "RUN apt-get update; apt-get install -y git\nRUN git clone https://example.com/x\n",
        "RUN apt-get update && (true || apt-get install -y git)\nRUN git clone https://example.com/x\n",
    ] {
        let added = "RUN apt-get update && apt-get install -y --no-install-recommends git \\\n    && rm -rf /var/lib/apt/lists/*\n";
        needs_unsafe(
            &SlimBase,
            &format!("FROM python:3.12-bookworm\n{own}"),
            &format!("FROM python:3.12-slim-bookworm\n{added}{own}"),
            "but for git",
        );
    }
    let own = "RUN apt-get update && apt-get install -y git && git clone https://example.com/x\n";
    needs_unsafe(
        &SlimBase,
        &format!("FROM python:3.12-bookworm\n{own}"),
        &format!("FROM python:3.12-slim-bookworm\n{own}"),
        "python:3.12-slim-bookworm lacks",
    );
}

#[test]
fn scripts_of_the_project_are_read() {
    let around = Around::files(&[("start.sh", "#!/bin/sh\ngit pull\nexec python app.py\n")]);
    needs_unsafe_in(
        &SlimBase,
        &around,
        "FROM python:3.12-bookworm\nCOPY start.sh /\nCMD [\"/start.sh\"]\n",
        "FROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends git \\\n    && rm -rf /var/lib/apt/lists/*\nCOPY start.sh /\nCMD [\"/start.sh\"]\n",
        "but for git",
    );
}

#[test]
fn images_without_a_lighter_variant() {
    ignores(
        &SlimBase,
        &[
            "FROM python:3.12-slim\nRUN pip install flask\n",
            "FROM python:3.12-alpine\nRUN pip install flask\n",
            "FROM example.com/python:3.12\nRUN pip install flask\n",
            "FROM ubuntu:22.04\nRUN apt-get update\n",
            "FROM alpine:3.20\nRUN apk add git\n",
            "FROM scratch\nCOPY x /\n",
            "ARG V=3.12\nFROM python:$V\nRUN pip install flask\n",
            "FROM --platform=linux/arm64 python:3.12-bookworm\nRUN pip install flask\n",
            "FROM python:3.12-bookworm AS build\nRUN pip install flask\nFROM alpine:3.20\nCOPY --from=build /x /x\n",
            "FROM python:3.12-windowsservercore\nRUN pip install flask\n",
        ],
    );
}

#[test]
fn who_asks_is_told_why_there_is_nothing_to_do() {
    passes(
        &SlimBase,
        &[
            ("FROM ubuntu:22.04\nRUN apt-get update\n", "no lighter variant of ubuntu:22.04 is known"),
            ("FROM python:3.12-slim\n", "python:3.12-slim is a lighter variant already"),
            ("ARG V=3.12\nFROM python:$V\n", "put together when it is built"),
            ("FROM --platform=linux/arm64 python:3.12-bookworm\n", "for a platform of its own"),
        ],
    );
}

#[test]
fn refusals() {
    let python = |rest: &str| format!("FROM python:3.12-bookworm\n{rest}\n");
    let table = [
        (python("COPY . .\nRUN pip install -r requirements.txt"), "can't be read"),
        (python("RUN pip install no-such-project-as-this"), "what no-such-project-as-this needs"),
        (python("RUN pip install git+https://example.com/x.git"), "what git+https://example.com/x.git needs"),
        (python("RUN pip install ."), "what . needs"),
        (python("RUN pip install $PACKAGES"), "can't be read"),
        (python("RUN ./configure && true"), "what configure needs"),
        (python("RUN python setup.py build_ext"), "what"),
        (python("RUN ./install.sh"), "can't be read"),
        (python("RUN bash /opt/install.sh"), "can't be read"),
        (python("RUN curl https://example.com/i | sh -s -- x.sh"), "can't be read"),
        (python("RUN [\"git\", \"clone\", \"x\"]"), "not modelled"),
        (python("RUN $TOOL x"), "by a variable"),
        (python("RUN ansible-playbook x.yml"), "in its own way"),
        (python("RUN gem install rails"), "what the packages that line 2 installs need"),
        (python("ONBUILD RUN make"), "in another build"),
        ("FROM node:20-bookworm\nCOPY . .\nRUN npm ci\n".to_owned(), "what package.json needs"),
        (
            "FROM node:20-bookworm\nRUN npm install -g no-such-package-as-this\n".to_owned(),
            "what no-such-package-as-this needs",
        ),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SlimBase, &table);
    let around = Around::files(&[("requirements.txt", "-r more.txt\n")]);
    let file = python("COPY . /app\nRUN pip install -r /app/requirements.txt");
    declines_in(&SlimBase, &around, &file, "what more.txt needs");
    let around = Around::files(&[("requirements.txt", "flask\n"), (".dockerignore", "requirements.txt\n")]);
    declines_in(&SlimBase, &around, &file, "can't be read");
    let lock = r#"{"lockfileVersion": 1, "dependencies": {}}"#;
    let around = Around::files(&[("package.json", "{}"), ("package-lock.json", lock)]);
    declines_in(
        &SlimBase,
        &around,
        "FROM node:20-bookworm\nWORKDIR /a\nCOPY . .\nRUN npm ci\n",
        "what package.json needs",
    );
}
