use super::SplitStages;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in};

const APT: &str = "RUN apt-get update && apt-get install -y --no-install-recommends build-essential libpq-dev \\\n    && rm -rf /var/lib/apt/lists/*";
const LIBRARY: &str = "RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \\\n    && rm -rf /var/lib/apt/lists/*";
const GEMFILE: &str = "source \"https://gems.example.com\"\ngem \"pg\"\n";
const LOCK: &str = "GEM\n  remote: https://gems.example.com/\n  specs:\n    pg (1.5.6)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n\nDEPENDENCIES\n  pg\n";

fn project() -> Around {
    Around::files(&[("Gemfile", GEMFILE), ("Gemfile.lock", LOCK), ("app.rb", "")])
}

#[test]
fn gems_are_copied_from_the_builder() {
    needs_unsafe_in(
        &SplitStages,
        &project(),
        r#"
        FROM ruby:3.3-slim-bookworm
        # To build pg.
        RUN apt-get update && apt-get install -y --no-install-recommends build-essential libpq-dev curl && rm -rf /var/lib/apt/lists/*
        ENV RACK_ENV=production
        WORKDIR /app
        COPY Gemfile Gemfile.lock ./
        RUN bundle config set --local without 'development test' && bundle install --jobs 4 --retry 3 && rm -rf /usr/local/bundle/cache/*

        # The program.
        COPY . .
        EXPOSE 9292
        CMD ["bundle", "exec", "puma"]
        "#,
        r#"
        FROM ruby:3.3-slim-bookworm AS builder
        # To build pg.
        RUN apt-get update && apt-get install -y --no-install-recommends build-essential libpq-dev curl && rm -rf /var/lib/apt/lists/*
        ENV RACK_ENV=production
        WORKDIR /app
        COPY Gemfile Gemfile.lock ./
        RUN bundle config set --local without 'development test' && bundle install --jobs 4 --retry 3 && rm -rf /usr/local/bundle/cache/*

        FROM ruby:3.3-slim-bookworm
        ENV RACK_ENV=production
        RUN apt-get update && apt-get install -y --no-install-recommends curl libpq5 \
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        COPY --from=builder /usr/local/bundle /usr/local/bundle

        # The program.
        COPY . .
        EXPOSE 9292
        CMD ["bundle", "exec", "puma"]
        "#,
        "only /usr/local/bundle is in the image",
    );
}

#[test]
fn gems_without_a_gemfile() {
    needs_unsafe(
        &SplitStages,
        &format!(
            "FROM ruby:3.3-slim-bookworm AS web\nLABEL team=a\n{APT}\nRUN gem install thin -v 1.8.2 --no-document\nUSER nobody\nCMD [\"thin\", \"start\"]\n"
        ),
        &format!(
            "FROM ruby:3.3-slim-bookworm AS builder\n{APT}\nRUN gem install thin -v 1.8.2 --no-document\n\n\
             FROM ruby:3.3-slim-bookworm AS web\nLABEL team=a\n{LIBRARY}\nCOPY --from=builder /usr/local/bundle /usr/local/bundle\nUSER nobody\nCMD [\"thin\", \"start\"]\n"
        ),
        "does not need build-essential, libpq-dev when it runs",
    );
}

#[test]
fn settings_for_all_projects_are_copied_too() {
    needs_unsafe_in(
        &SplitStages,
        &project(),
        &format!(
            "FROM ruby:3.3-slim-bookworm\n{APT}\nRUN bundle config --global frozen 1\nWORKDIR /app\nCOPY Gemfile Gemfile.lock /app/\nRUN bundle install\nCOPY . /app\nRUN SECRET_KEY_BASE=1 bundle exec rake assets:precompile RAILS_ENV=production\n"
        ),
        &format!(
            "FROM ruby:3.3-slim-bookworm AS builder\n{APT}\nRUN bundle config --global frozen 1\nWORKDIR /app\nCOPY Gemfile Gemfile.lock /app/\nRUN bundle install\n\n\
             FROM ruby:3.3-slim-bookworm\n{LIBRARY}\nWORKDIR /app\nCOPY --from=builder /usr/local/bundle /usr/local/bundle\nCOPY --from=builder /root/.bundle/config /root/.bundle/config\n\
             COPY . /app\nRUN SECRET_KEY_BASE=1 bundle exec rake assets:precompile RAILS_ENV=production\n"
        ),
        "only /usr/local/bundle, /root/.bundle/config is in the image",
    );
}

#[test]
fn a_project_that_is_copied_once_is_in_both() {
    let copies = "ENV APP=/app\nRUN mkdir -p $APP\nWORKDIR $APP\nCOPY . .";
    needs_unsafe_in(
        &SplitStages,
        &project(),
        &format!(
            "FROM ruby:3.3-slim-bookworm\n{APT}\n{copies}\nRUN bundle install\nCMD [\"ruby\", \"app.rb\"]\n"
        ),
        &format!(
            "FROM ruby:3.3-slim-bookworm AS builder\n{APT}\n{copies}\nRUN bundle install\n\n\
             FROM ruby:3.3-slim-bookworm\nENV APP=/app\n{LIBRARY}\nWORKDIR $APP\nCOPY --from=builder /usr/local/bundle /usr/local/bundle\nCOPY . .\nCMD [\"ruby\", \"app.rb\"]\n"
        ),
        "outside of /usr/local/bundle",
    );
}

#[test]
fn nothing_to_gain() {
    ignores(
        &SplitStages,
        &[
            "FROM ruby:3.3-slim-bookworm\nRUN gem install rack\n",
            "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y curl\nRUN gem install rack\n",
            "FROM ruby:3.3-bookworm\nRUN apt-get update && apt-get install -y libpq-dev\nRUN gem install pg\n",
            "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y gcc make libc6-dev\nRUN gem install bundler -v 2.0.2\nCOPY . /app\n",
            "FROM ruby:3.3-alpine\nRUN apk add gcc\nRUN gem install pg\n",
            "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y gcc\nCMD [\"irb\"]\n",
        ],
    );
}

/// A file with a step before the install of gems, and one behind it.
fn with(before: &str, install: &str, behind: &str) -> String {
    format!(
        "FROM ruby:3.3-slim-bookworm\n{APT}\nWORKDIR /app\nCOPY Gemfile Gemfile.lock ./\n{before}{install}\nCOPY . .\n{behind}"
    )
}

#[test]
fn refusals() {
    let gem = "RUN gem install rack";
    let table = [
        (with("RUN ./setup.sh\n", gem, ""), "does more than to install"),
        (with("", "RUN gem install rack &> gems.log", ""), "does more than to install"),
        (with("RUN usermod -aG audio games\n", gem, ""), "does more than to install"),
        (with("RUN bundle exec rake assets:precompile\n", gem, ""), "does more than to install"),
        (with("RUN mkdir /data\n", gem, ""), "does more than to install"),
        (with("RUN mkdir -m 700 /app\n", gem, ""), "does more than to install"),
        (with("", "RUN bundle check || bundle install", ""), "does more than to install"),
        (
            with("", "RUN apt-get purge -y build-essential && gem install rack", ""),
            "does more than to install",
        ),
        (
            with("RUN --mount=type=cache,target=/root/.gem gem install x\n", gem, ""),
            "does more than to install",
        ),
        (with("USER app\n", gem, ""), "stands before the install"),
        (with("VOLUME /usr/local/bundle\n", gem, ""), "names /usr/local/bundle"),
        (with("ONBUILD COPY . /app\n", gem, ""), "stands before the install"),
        (with("COPY --from=node:22-slim /usr/local/bin/node /usr/local/bin/\n", gem, ""), "another image"),
        (with("ENV BUNDLE_PATH=/gems\n", gem, ""), "names BUNDLE_PATH"),
        (with("ENV GEM_HOME=/gems\n", gem, ""), "names GEM_HOME"),
        (with("ENV BUNDLE_DEPLOYMENT=1\n", gem, ""), "names BUNDLE_DEPLOYMENT"),
        (with("", "RUN bundle install --path vendor/bundle", ""), "names vendor/bundle"),
        (with("", "RUN bundle install --path /gems", ""), "--path at line"),
        (with("", "RUN bundle install --deployment", ""), "--deployment at line"),
        (with("", "RUN bundle install --binstubs", ""), "--binstubs at line"),
        (with("", "RUN bundle install --system", ""), "--system at line"),
        (with("RUN bundle config set --local deployment true\n", gem, ""), "may decide where gems lie"),
        (with("RUN bundle config set --local path /gems\n", gem, ""), "may decide where gems lie"),
        (with("RUN bundle config set without test\n", gem, ""), "depends on Bundler's version"),
        (with("ENV HOME=/home\nRUN bundle config --global frozen 1\n", gem, ""), "HOME decides"),
        (with("", "RUN bundle update", ""), "does more than to install"),
        (with("", "RUN gem update --system && gem install rack", ""), "more with gem than to install"),
        (with("", "RUN gem install --user-install rack", ""), "--user-install at line"),
        (with("", "RUN gem install -i /gems rack", ""), "-i at line"),
        (with("", "RUN gem install ./own.gem", ""), "is no gem's name"),
        (with("", "RUN gem install $GEMS", ""), "is no gem's name"),
        (with("", gem, "RUN npm install\n"), "runs npm, which may need what builds"),
        (with("", gem, "RUN bundle exec rake compile\n"), "runs bundle, which may need what builds"),
        (with("", gem, "RUN make\n"), "a program of build-essential is called"),
        (with("", gem, "CMD gcc -v\n"), "a program of build-essential is called"),
        (with("", gem, "CMD bundle install && bundle exec puma\n"), "starts installs gems"),
        (with("", gem, "RUN apt-get install -y nodejs\n"), "where there are no package lists"),
        (with("", "RUN bundle install", ""), "the Gemfile of line 6 can't be read"),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SplitStages, &table);
    declines(
        &SplitStages,
        &[
            (
                "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y gcc make libc6-dev\nRUN gem install x\nRUN apt-get install -y nodejs\n",
                "package lists that the builder has",
            ),
            (
                "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y gcc make libc6-dev\nRUN gem install x\nUSER app\nRUN gem install y\n",
                "another user than root",
            ),
            (
                "FROM ruby:3.3-slim-bookworm\nRUN apt-get update && apt-get install -y gcc make libc6-dev\nRUN gem install x\nCOPY --from=builder /x /x\n",
                "an image called builder",
            ),
        ],
    );
}

#[test]
fn gems_from_elsewhere() {
    let file = with("", "RUN bundle install", "");
    for (section, reason) in [("GIT", "comes from a repository"), ("PATH", "comes from a folder")] {
        let lock = format!("{section}\n  remote: x\n  specs:\n    x (1.0)\n\n{LOCK}");
        let around = Around::files(&[("Gemfile", GEMFILE), ("Gemfile.lock", &lock)]);
        declines_in(&SplitStages, &around, &file, reason);
    }
    let around = Around::files(&[("Gemfile", "plugin \"x\"\n"), ("Gemfile.lock", LOCK)]);
    declines_in(&SplitStages, &around, &file, "a plugin of Bundler");
    let around = Around::files(&[("Gemfile", GEMFILE)]);
    declines_in(&SplitStages, &around, &file, "the Gemfile.lock of line 6 can't be read");
    let settings = ("\x2ebundle/config", "BUNDLE_PATH: x\n");
    let around = Around::files(&[("Gemfile", GEMFILE), ("Gemfile.lock", LOCK), settings]);
    declines_in(&SplitStages, &around, &file, ".bundle/config comes with the project");
}

#[test]
fn a_lock_file_that_the_install_changes() {
    let lock = LOCK.replace("  x86_64-linux\n", "");
    let around = Around::files(&[("Gemfile", GEMFILE), ("Gemfile.lock", &lock)]);
    let file = format!("FROM ruby:3.3-slim-bookworm\n{APT}\nWORKDIR /app\nCOPY . .\nRUN bundle install\n");
    declines_in(&SplitStages, &around, &file, "adds this platform to Gemfile.lock");
}

#[test]
fn scripts_that_install_gems() {
    let file = with("", "RUN gem install rack", "CMD [\"/app/start.sh\"]\n");
    let script = |text| Around::files(&[("start.sh", text)]);
    let start = script("#!/bin/sh\nbundle check || bundle install\nexec puma\n");
    declines_in(&SplitStages, &start, &file, "starts installs gems");
    declines_in(&SplitStages, &script("#!/bin/sh\nexport BUNDLE_PATH=/x\n"), &file, "names BUNDLE_PATH");
    declines_in(&SplitStages, &script("#!/bin/sh\nmake -C /app\n"), &file, "a program of build-essential");
}
