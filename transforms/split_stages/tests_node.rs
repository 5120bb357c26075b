use super::SplitStages;
use crate::testing::{Around, declines_in, needs_unsafe_in, passes};

const APT: &str = "RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 \\\n    && rm -rf /var/lib/apt/lists/*";
const MANIFEST: &str = r#"{
    "scripts": {
        "build": "tsc --outDir dist",
        "start": "node dist/server.js",
        "dev": "tsx server.ts",
        "site": "webpack --output-path=/srv/www",
        "shared": "node ../shared/make.js"
    },
    "dependencies": {"better-sqlite3": "11.0.0"},
    "devDependencies": {"@scope/check": "1.0.0", "@types/node": "20.0.0", "tsx": "4.0.0", "typescript": "5.0.0"}
}"#;
const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "": {}, "node_modules/better-sqlite3": {}, "node_modules/typescript": {"dev": true}
}}"#;

fn project() -> Around {
    around(MANIFEST, LOCK)
}

fn around(manifest: &str, lock: &str) -> Around {
    Around::files(&[("package.json", manifest), ("package-lock.json", lock), ("server.ts", "")])
}

/// A file with a step before the install, the install, and a step behind the build.
fn with(before: &str, install: &str, behind: &str) -> String {
    let start = if behind.contains("CMD") { "" } else { "CMD [\"node\", \"dist/server.js\"]\n" };
    format!(
        "FROM node:20-bookworm-slim\n{APT}\nWORKDIR /app\nCOPY package*.json ./\n{before}{install}\nCOPY . .\nRUN npm run build\n{behind}{start}"
    )
}

#[test]
fn the_folder_of_the_project_is_copied_without_tools() {
    needs_unsafe_in(
        &SplitStages,
        &project(),
        r#"
        FROM node:20-bookworm-slim
        # To build better-sqlite3.
        RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 tini && rm -rf /var/lib/apt/lists/*
        ENV TZ=UTC
        WORKDIR /app
        COPY package*.json ./
        RUN npm ci
        COPY . .
        RUN npm run build

        # The program.
        USER node
        EXPOSE 3000
        CMD ["npm", "start"]
        "#,
        r#"
        FROM node:20-bookworm-slim AS builder
        # To build better-sqlite3.
        RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 tini && rm -rf /var/lib/apt/lists/*
        ENV TZ=UTC
        WORKDIR /app
        COPY package*.json ./
        RUN npm ci
        COPY . .
        RUN npm run build
        RUN npm prune --omit=dev

        FROM node:20-bookworm-slim
        ENV TZ=UTC
        RUN apt-get update && apt-get install -y --no-install-recommends python3 tini \
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        COPY --from=builder /app /app

        # The program.
        USER node
        EXPOSE 3000
        CMD ["npm", "start"]
        "#,
        "all that npm and what it runs make lies in /app",
    );
}

#[test]
fn an_older_npm_prunes_by_another_option() {
    let file = |end: &str| format!("WORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n{end}");
    for tag in ["14-slim", "12.22.12-buster-slim", "fermium-slim"] {
        needs_unsafe_in(
            &SplitStages,
            &project(),
            &format!("FROM node:{tag}\n{}CMD [\"npm\", \"start\"]\n", file("")),
            &format!(
                "FROM node:{tag} AS builder\n{}FROM node:{tag}\nWORKDIR /app\nCOPY --from=builder /app /app\nCMD [\"npm\", \"start\"]\n",
                file("RUN npm prune --production\n\n")
            ),
            "requires none of its devDependencies",
        );
    }
}

#[test]
fn what_is_copied_above_the_project_comes_before_it() {
    needs_unsafe_in(
        &SplitStages,
        &project(),
        "FROM node:20-slim\nCOPY . /srv\nWORKDIR /srv/web\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"server.js\"]\n",
        "FROM node:20-slim AS builder\nCOPY . /srv\nWORKDIR /srv/web\nCOPY . .\nRUN npm ci\nRUN npm prune --omit=dev\n\n\
         FROM node:20-slim\nCOPY . /srv\nWORKDIR /srv/web\nCOPY --from=builder /srv/web /srv/web\nCMD [\"node\", \"server.js\"]\n",
        "requires none of its devDependencies",
    );
}

#[test]
fn what_starts_may_lie_beside_the_project() {
    for (copy, start) in [
        ("COPY start.js /\n", "CMD [\"node\", \"/start.js\"]\n"),
        ("COPY tools /srv/tools\n", "CMD [\"/srv/tools/run\", \"node\"]\n"),
        ("", "CMD [\"node\", \"-e\", \"require('http').get('/x')\"]\n"),
        ("", "CMD [\"/usr/local/bin/node\", \"server.js\"]\n"),
    ] {
        let file = |end: &str| format!("WORKDIR /app\nCOPY . .\nRUN npm ci\n{end}");
        needs_unsafe_in(
            &SplitStages,
            &project(),
            &format!("FROM node:20-slim\n{}{copy}{start}", file("")),
            &format!(
                "FROM node:20-slim AS builder\n{}FROM node:20-slim\nWORKDIR /app\nCOPY --from=builder /app /app\n{copy}{start}",
                file("RUN npm prune --omit=dev\n\n"),
            ),
            "requires none of its devDependencies",
        );
    }
}

#[test]
fn tools_that_are_not_there_are_no_gain() {
    for install in [
        "RUN npm ci --omit=dev",
        "RUN npm ci --omit dev",
        "RUN npm install --production",
        "RUN npm ci && npm run build && npm prune --production",
        "ENV NODE_ENV=production\nRUN npm ci",
    ] {
        let file =
            format!("FROM node:20-slim\nWORKDIR /app\nCOPY . .\n{install}\nCMD [\"node\", \"server.js\"]\n");
        passes(&SplitStages, &[(&file, "nothing in it is known to be for building alone")]);
        let compilers = file.replace("WORKDIR", &format!("{APT}\nWORKDIR"));
        let parts = compilers.split_once("CMD").unwrap();
        let builder = parts.0.replace("20-slim", "20-slim AS builder");
        let env = if install.starts_with("ENV") { "ENV NODE_ENV=production\n" } else { "" };
        needs_unsafe_in(
            &SplitStages,
            &project(),
            &compilers,
            &format!(
                "{builder}\nFROM node:20-slim\nRUN apt-get update && apt-get install -y --no-install-recommends python3 \\\n    && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\n{env}COPY --from=builder /app /app\nCMD{}",
                parts.1
            ),
            "does not need g++, make when it runs",
        );
    }
}

#[test]
fn refusals() {
    let ci = "RUN npm ci";
    let more = "does more than to install packages and run scripts of npm";
    let table = [
        (with("RUN ./setup.sh\n", ci, ""), more),
        (with("RUN usermod -aG audio games\n", ci, ""), more),
        (with("RUN mkdir /data\n", ci, ""), more),
        (with("", "RUN npm ci && npx playwright install", ""), more),
        (with("", "RUN npm ci > /var/log/npm.log", ""), more),
        (with("", "RUN npm ci || npm install", ""), more),
        (with("", "RUN npm install -g pm2 && npm ci", ""), more),
        (with("", "RUN sudo npm ci", ""), more),
        (with("", "RUN npm link && npm ci", ""), more),
        (with("", "RUN npm config set script-shell bash && npm ci", ""), more),
        (with("", "RUN npm uninstall tsx && npm ci", ""), more),
        (with("", "RUN [\"npm\", \"ci\"]", ""), more),
        (with("", "RUN npm install express", ""), "installs packages that the manifest doesn't name"),
        (with("USER node\n", ci, ""), "stands before the build"),
        (with("VOLUME /data\n", ci, ""), "stands before the build"),
        (with("ONBUILD COPY . /app\n", ci, ""), "stands before the build"),
        (with("COPY --from=example.com/x /a /b\n", ci, ""), "copies from another image"),
        (with("", &format!("{ci}\nWORKDIR /srv"), ""), "leaves the folder of the project"),
        (with("ARG MODE\nENV NODE_ENV=$MODE\n", ci, ""), "NODE_ENV decides whether line 8 installs"),
        (with("", "RUN NODE_ENV=production npm ci", ""), "NODE_ENV decides"),
        (with("", "RUN npm ci && npm run site", ""), "script site of package.json names /srv/www"),
        (with("", "RUN npm ci && npm run shared", ""), "script shared of package.json names ../shared"),
        (with("", ci, "CMD [\"npx\", \"serve\"]\n"), "calls npx"),
        (with("", ci, "CMD [\"npm\", \"run\", \"dev\"]\n"), "runs tsx, which only development has"),
        (with("", ci, "CMD node_modules/.bin/tsc && node x.js\n"), "runs tsc, which only development has"),
        (with("", ci, "HEALTHCHECK CMD check\n"), "runs check, which only development has"),
        (with("", ci, "CMD make && node dist/server.js\n"), "a program of make is called"),
        (with("", ci, "WORKDIR /srv/out\n"), "the container starts in /srv/out, outside of /app"),
        (with("", ci, "CMD [\"node\", \"/srv/out/server.js\"]\n"), "line 9 names /srv/out/server.js"),
        (with("", ci, "RUN node-gyp rebuild\n"), "runs node-gyp, which may need what builds"),
        (with("", ci, "COPY --from=builder /a /b\n"), "an image called builder"),
        (with("", ci, "RUN apt-get install -y nginx\n"), "where there are no package lists"),
    ];
    for (file, reason) in table {
        declines_in(&SplitStages, &project(), &file, reason);
    }
    let file = with("", ci, "");
    declines_in(
        &SplitStages,
        &Around::files(&[("server.ts", "")]),
        &file,
        "package.json of line 6 can't be read",
    );
    let typescript = MANIFEST.replace("\"better-sqlite3\"", "\"next\": \"15.4.1\", \"better-sqlite3\"");
    let next =
        Around::files(&[("package.json", &typescript), ("package-lock.json", LOCK), ("next.config.ts", "")]);
    declines_in(&SplitStages, &next, &file, "next reads next.config.ts when it starts");
    let start = "#!/bin/sh\nexec node_modules/.bin/tsx server.ts\n";
    let script =
        Around::files(&[("package.json", MANIFEST), ("package-lock.json", LOCK), ("start.sh", start)]);
    declines_in(&SplitStages, &script, &file, "runs tsx, which only development has");
}

#[test]
fn what_packages_leave_elsewhere() {
    let file = with("", "RUN npm ci", "");
    let manifest = |dependencies: &str| {
        format!(
            "{{\"dependencies\": {{{dependencies}}}, \"devDependencies\": {{\"typescript\": \"5.0.0\"}}}}"
        )
    };
    for (dependencies, reason) in [
        ("\"puppeteer\": \"22.0.0\"", "puppeteer leaves what it needs in ~/.cache/puppeteer"),
        ("\"lib\": \"file:../lib\"", "lib lies outside of /app"),
        ("\"lib\": \"link:/srv/lib\"", "lib lies outside of /app"),
    ] {
        let around = around(&manifest(dependencies), "{}");
        declines_in(&SplitStages, &around, &file, reason);
    }
    let lock = r#"{"lockfileVersion": 3, "packages": {"node_modules/x/node_modules/puppeteer": {}}}"#;
    declines_in(&SplitStages, &around(MANIFEST, lock), &file, "puppeteer leaves what it needs");
    // What isn't fetched, or only development needs, isn't missed.
    let builds = |before: &str, lock: &str| {
        let file = with(before, "RUN npm ci", "");
        let (builder, rest) = file.split_once("CMD").unwrap();
        let env = before.trim_end();
        let after = format!(
            "{}RUN npm prune --omit=dev\n\nFROM node:20-bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends python3 \\\n    && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\n{env}{}COPY --from=builder /app /app\nCMD{rest}",
            builder.replace("-slim\n", "-slim AS builder\n"),
            if env.is_empty() { "" } else { "\n" },
        );
        needs_unsafe_in(&SplitStages, &around(MANIFEST, lock), &file, &after, "lies in /app");
    };
    builds("ENV PUPPETEER_SKIP_DOWNLOAD=true\n", lock);
    builds("", &lock.replace("puppeteer\": {}", "puppeteer\": {\"dev\": true}"));
}

#[test]
fn of_a_front_end_only_what_is_served_is_in_the_image() {
    needs_unsafe_in(
        &SplitStages,
        &project(),
        r#"
        FROM node:20-slim
        ENV TZ=UTC
        WORKDIR /app
        COPY package*.json ./
        RUN npm ci
        COPY . .
        RUN npm run build

        # The server.
        RUN npm install -g serve@14

        EXPOSE 3000
        HEALTHCHECK CMD wget -q -O /dev/null http://localhost:3000/ || exit 1
        CMD ["serve", "-s", "dist", "-l", "3000"]
        "#,
        r#"
        FROM node:20-slim AS builder
        ENV TZ=UTC
        WORKDIR /app
        COPY package*.json ./
        RUN npm ci
        COPY . .
        RUN npm run build

        FROM node:20-slim
        ENV TZ=UTC
        WORKDIR /app
        # The server.
        RUN npm install -g serve@14
        COPY --from=builder /app/dist /app/dist

        EXPOSE 3000
        HEALTHCHECK CMD wget -q -O /dev/null http://localhost:3000/ || exit 1
        CMD ["serve", "-s", "dist", "-l", "3000"]
        "#,
        "the server needs nothing that npm and what it runs make but /app/dist",
    );
    // One that is installed before the build is installed in both.
    needs_unsafe_in(
        &SplitStages,
        &project(),
        "FROM node:20-slim\nRUN npm install --global http-server && npm cache clean --force\nWORKDIR /srv/site\nCOPY . .\nRUN npm ci && npm run build\nUSER node\nCMD http-server /srv/site/dist/ -p 8080 -c-1\n",
        "FROM node:20-slim AS builder\nRUN npm install --global http-server && npm cache clean --force\nWORKDIR /srv/site\nCOPY . .\nRUN npm ci && npm run build\n\n\
         FROM node:20-slim\nRUN npm install --global http-server && npm cache clean --force\nWORKDIR /srv/site\nCOPY --from=builder /srv/site/dist /srv/site/dist\nUSER node\nCMD http-server /srv/site/dist/ -p 8080 -c-1\n",
        "only /srv/site/dist is in the image",
    );
}

#[test]
fn front_ends_that_need_more_than_what_is_served() {
    let serve = "RUN npm install -g serve\n";
    let start = "CMD [\"serve\", \"-s\", \"dist\"]\n";
    let installs = "runs npm, which may need what builds";
    let table = [
        (format!("{serve}CMD [\"serve\", \"-s\"]\n"), installs),
        (format!("{serve}CMD [\"serve\", \"-s\", \".\"]\n"), installs),
        (format!("{serve}CMD [\"serve\", \"-s\", \"/srv\"]\n"), installs),
        (format!("{serve}CMD serve -s $FOLDER\n"), installs),
        (format!("{serve}CMD [\"serve\", \"-c\", \"../serve.json\", \"dist\"]\n"), installs),
        (format!("{serve}CMD [\"serve\", \"dist\", \"other\"]\n"), installs),
        (format!("{serve}CMD node migrate.js && serve dist\n"), installs),
        (format!("{serve}ENTRYPOINT [\"./start.sh\"]\n{start}"), installs),
        (format!("{serve}RUN node-gyp rebuild\n{start}"), installs),
        (format!("{serve}RUN cp dist/index.html dist/404.html\n{start}"), installs),
        (format!("{serve}HEALTHCHECK CMD node check.js\n{start}"), installs),
        (format!("RUN npm install -g serve yarn\n{start}"), installs),
        (format!("RUN npm install -g serve --prefix /opt\n{start}"), installs),
        (format!("RUN npm install -g server\n{start}"), installs),
        (format!("RUN npm install -g serve > log\n{start}"), installs),
        // The check wants what runs in both stages to be written alike, without redirections.
        (format!("RUN npm install -g serve > /dev/null\n{start}"), installs),
    ];
    for (behind, reason) in table {
        declines_in(&SplitStages, &project(), &with("", "RUN npm ci", &behind), reason);
    }
    let more = with("RUN npm install -g serve && npm ci\n", "RUN npm ci", start);
    declines_in(&SplitStages, &project(), &more, "does more than to install packages and run scripts of npm");
}
