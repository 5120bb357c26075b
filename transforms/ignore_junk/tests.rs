use dockeropt_facts::Project;
use dockeropt_facts::project::{Entry, EntryKind};

use super::IgnoreJunk;
use crate::testing::{Around, adds_lines, declines_in, ignores};

const COPY_ALL: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . /app\nCMD [\"python\", \"app.py\"]\n";
const NODE: &str = "FROM node:20-slim\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nCMD [\"node\", \"server.js\"]\n";

/// A context with files of a size each, and texts.
fn context(files: &[(&str, u64)], texts: &[(&str, &str)]) -> Around {
    let mut project = Around::files(texts).into_project();
    for (path, size) in files {
        for (at, _) in path.match_indices('/') {
            project.add(&path[..at], Entry { kind: EntryKind::Folder, size: 0, skipped: 0 });
        }
        let kind = if path.ends_with('/') { EntryKind::Folder } else { EntryKind::File };
        project.add(path.trim_end_matches('/'), Entry { kind, size: *size, skipped: 0 });
    }
    Around::project(project)
}

#[test]
fn what_nobody_needs_is_ignored() {
    let files =
        [(".git/", 9_000_000), (".idea/x.xml", 10), (".DS_Store", 10), ("a/.DS_Store", 10), ("app.py", 9)];
    adds_lines(
        &IgnoreJunk,
        &context(&files, &[]),
        COPY_ALL,
        &[".git", ".idea", "**/.DS_Store"],
        &[".git", ".idea", "**/.DS_Store"],
    );
    let files = [
        ("tmp/big", 50 << 20),
        ("__pycache__/x.pyc", 9),
        ("x.log", 1),
        (".venv/", 9),
        (".env", 5),
        ("app.py", 9),
    ];
    let all = ["tmp", "__pycache__", "*.log", ".venv", ".env"];
    adds_lines(&IgnoreJunk, &context(&files, &[]), COPY_ALL, &[], &all);
}

#[test]
fn what_the_build_makes_itself_is_ignored() {
    let manifests = [("package.json", "{}"), ("package-lock.json", "{}")];
    let files = [("node_modules/", 9_000_000), ("server.js", 9)];
    adds_lines(&IgnoreJunk, &context(&files, &manifests), NODE, &[], &["node_modules"]);
    let dotnet = "FROM mcr.example.com/sdk\nWORKDIR /src\nCOPY . .\nRUN dotnet publish -o /out\n";
    let files = [("bin/x.dll", 9), ("obj/y", 9), ("app.csproj", 9), ("tools/bin/keep", 9)];
    adds_lines(&IgnoreJunk, &context(&files, &[]), dotnet, &[], &["bin", "obj"]);
    let build =
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nCMD [\"node\", \"dist/x.js\"]\n";
    let files = [("dist/x.js", 9), ("node_modules/", 9)];
    adds_lines(&IgnoreJunk, &context(&files, &manifests), build, &[], &["dist", "node_modules"]);
}

#[test]
fn patterns_hit_what_they_are_meant_to() {
    // One that is named stays, so that the others are spelled one by one.
    let named = "FROM a\nCOPY . /app\nCOPY x/a.log /log\n";
    let files = [("x/a.log", 1), ("y/b.log", 1), ("c.log", 1)];
    adds_lines(&IgnoreJunk, &context(&files, &[]), named, &[], &["c.log", "y/b.log"]);
    // What is ignored already needs no line.
    let texts = [(".dockerignore", "tmp\n")];
    adds_lines(
        &IgnoreJunk,
        &context(&[("tmp/x", 9 << 20), (".git/", 9)], &texts),
        COPY_ALL,
        &[".git"],
        &[".git"],
    );
    // A COPY of a folder brings what lies in it.
    let part = "FROM a\nCOPY src /app\n";
    let files = [("src/.idea/x", 1), (".idea/x", 1), ("src/a", 1)];
    adds_lines(&IgnoreJunk, &context(&files, &[]), part, &["**/.idea"], &["**/.idea"]);
    let excluded = "FROM a\nCOPY --exclude=.idea . /app\n";
    adds_lines(&IgnoreJunk, &context(&[(".idea/x", 1)], &[]), excluded, &[], &[]);
}

#[test]
fn sizes_are_told() {
    use crate::{Context, Memo, Proposals, Settings, Surroundings, Transform};
    let text = "FROM a AS x\nCOPY . /x\nFROM a\nCOPY . /app\nCOPY . /again\n";
    let mut project = Project::default();
    for (path, size) in [("tmp", 0), ("tmp/x", 5_000_000), ("a", 7)] {
        let kind = if path == "tmp" { EntryKind::Folder } else { EntryKind::File };
        project.add(path, Entry { kind, size, skipped: 0 });
    }
    let file = dockeropt_syntax::parse(text);
    let facts = dockeropt_facts::Facts::new(&file);
    let (memo, settings, surroundings) = (Memo::new(&facts), Settings::default(), Surroundings::of(project));
    let mut out = Proposals::default();
    let context = Context {
        facts: &facts,
        memo: &memo,
        settings: &settings,
        knowledge: dockeropt_facts::Knowledge::builtin(),
        surroundings: &surroundings,
    };
    IgnoreJunk.propose(&context, &mut out);
    let [fix] = &out.fixes[..] else { panic!("{out:?}") };
    assert_eq!((fix.saves, fix.title.as_str()), (Some(10_000_000), "Ignore temporary folders"));
    assert_eq!(fix.notes[0], "copied so far: tmp (5.0 MB)");
}

#[test]
fn without_a_context_there_is_nothing_to_do() {
    ignores(&IgnoreJunk, &[COPY_ALL, "FROM a\nRUN x\n", "FROM a\nCOPY --from=b / /x\n"]);
}

#[test]
fn git_stays_where_it_is_read() {
    let git = [(".git/", 9), ("x", 1)];
    let with = |texts: &[(&str, &str)]| context(&git, texts);
    let declined = |texts: &[(&str, &str)], run: &str, reason: &str| {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{run}\n");
        declines_in(&IgnoreJunk, &with(texts), &file, reason);
    };
    declined(&[], "RUN git describe --tags > version", "git at line 4 may read it");
    declined(&[], "RUN VERSION=$(git rev-parse HEAD) ./x", "git at line 4 may read it");
    declined(&[], "RUN go build ./...", "go at line 4 may read it");
    declined(&[], "RUN dotnet publish", "dotnet at line 4 may read it");
    declined(&[], "RUN npx lerna run build", "npx at line 4 may read it");
    declined(&[], "RUN cat .git/HEAD > version", "line 4 names .git");
    declined(&[], "RUN [\"git\", \"describe\"]", "git at line 4 may read it");
    declined(&[], "CMD git log -1", "git at line 4 may read it");
    declined(&[], "RUN --mount=type=bind,source=.git,target=/g x", "line 4 names .git");
    declined(
        &[("pyproject.toml", "requires = [\"setuptools-scm>=8\"]")],
        "RUN pip install .",
        "names setuptools-scm",
    );
    declined(&[("setup.py", "import versioneer")], "RUN pip install .", "setup.py names versioneer");
    declined(
        &[("package.json", "{\"prepare\": \"husky install\"}")],
        "RUN npm ci",
        "package.json names husky",
    );
    declined(&[("build.sh", "V=$(git -C . describe)")], "RUN ./build.sh", "build.sh names git");
    declined(&[("build.sh", "cp .git/HEAD x")], "RUN ./build.sh", "build.sh names .git");
    declined(
        &[("pom.xml", "<artifactId>git-commit-id-maven-plugin<")],
        "RUN mvn package",
        "pom.xml names git-commit",
    );
    declined(&[(".dockerignore", "*\n!.git\n!x\n")], "RUN a", "brings it back");
}

#[test]
fn git_goes_where_no_code_of_the_project_runs() {
    let git = [(".git/", 9), ("x", 1)];
    for run in [
        "RUN apt-get update && apt-get install -y git",
        "RUN pip install -r requirements.txt",
        "RUN git clone https://example.com/x.git /x",
        "RUN rm -rf .git",
        "RUN chmod +x x",
        "RUN --mount=type=cache,target=/root/.cache npm ci",
    ] {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{run}\n");
        adds_lines(&IgnoreJunk, &context(&git, &[]), &file, &[".git"], &[".git"]);
    }
    for run in
        ["RUN make", "RUN npm run build", "RUN ./x", "RUN pip install .", "RUN python setup.py install"]
    {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{run}\n");
        adds_lines(&IgnoreJunk, &context(&git, &[]), &file, &[], &[".git"]);
    }
}

#[test]
fn what_is_named_stays() {
    let declined = |files: &[(&str, u64)], texts: &[(&str, &str)], line: &str, reason: &str| {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{line}\n");
        declines_in(&IgnoreJunk, &context(files, texts), &file, reason);
    };
    let tmp = [("tmp/big", 9 << 20), ("x", 1)];
    declined(&tmp, &[], "COPY tmp/big /big", "line 4 copies it by name");
    declined(&tmp, &[], "COPY t*/big /big", "line 4 copies it by name");
    declined(&tmp, &[], "ARG F\nCOPY $F /big", "is decided when the image is built");
    declined(&tmp, &[], "RUN cp tmp/big /srv", "line 4 names tmp");
    declined(&tmp, &[], "RUN cat /app/tmp/big", "line 4 names tmp");
    declined(&tmp, &[], "ENV TMPDIR=/app/tmp", "line 4 names tmp");
    declined(&tmp, &[], "CMD [\"x\", \"./tmp\"]", "line 4 names tmp");
    declined(&tmp, &[("run.sh", "ls \"$APP\"/tmp\n")], "CMD ./run.sh", "run.sh names tmp");
    declined(&tmp, &[("pyproject.toml", "include = ['tmp/big']")], "CMD x", "pyproject.toml names tmp");
    declined(&[("tmp/big", 9 << 20), ("tmp/.keep", 0)], &[], "CMD x", "says that the folder is to be there");
    declined(&[(".venv/", 9)], &[], "ENV PATH=/app/.venv/bin:$PATH", "line 4 names .venv");
    declined(&[("__pycache__/x.pyc", 9)], &[], "RUN mv __pycache__ x", "line 4 names __pycache__");
    declined(&[(".idea/x", 9)], &[("a.sh", "cat .idea/x")], "RUN ./a.sh", "a.sh names .idea");
    declined(&[("debug.log", 9)], &[], "RUN ln -sf /dev/stdout debug.log", "line 4 names debug.log");
    declined(&[("debug.log", 9)], &[], "RUN chmod a+w *.log", "line 4 names debug.log");
}

#[test]
fn what_is_elsewhere_is_another() {
    let tmp = [("tmp/big", 9 << 20), ("x", 1)];
    for line in
        ["RUN rm -rf /tmp/*", "RUN mkdir -p tmp", "ENV T=/tmp", "RUN a > /var/tmp/x", "COPY --from=b tmp /x"]
    {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{line}\n");
        adds_lines(&IgnoreJunk, &context(&tmp, &[]), &file, &[], &["tmp"]);
    }
}

#[test]
fn what_the_build_does_not_make_stays() {
    let declined = |files: &[(&str, u64)], texts: &[(&str, &str)], file: &str| {
        declines_in(&IgnoreJunk, &context(files, texts), file, "doesn't make it anew");
    };
    let node = [("package.json", "{}")];
    declined(&[("node_modules/", 9)], &node, "FROM a\nCOPY . /app\n");
    declined(&[("node_modules/", 9)], &node, "FROM a\nCOPY . /app\nRUN yarn build\n");
    declined(&[("node_modules/", 9)], &node, "FROM a\nRUN npm ci\nFROM a\nCOPY . /app\n");
    declined(&[("web/node_modules/", 9)], &[("web/package.json", "{}")], "FROM a\nCOPY . /app\nRUN npm ci\n");
    declined(&[("dist/x", 9)], &node, "FROM nginx\nCOPY . /usr/share/nginx/html\n");
    declined(&[("vendor/x", 9)], &[("composer.json", "{}")], "FROM php\nCOPY . /app\n");
    declined(&[("target/x.jar", 9)], &[("pom.xml", "")], "FROM a\nCOPY . /app\nCMD java -jar target/x.jar\n");
    let web = "FROM a\nCOPY . /app\nRUN cd web && npm ci\n";
    let around = context(&[("web/node_modules/", 9)], &[("web/package.json", "{}")]);
    adds_lines(&IgnoreJunk, &around, web, &[], &["**/node_modules"]);
    let two =
        "FROM a AS b\nCOPY . .\nRUN npm ci\nFROM a\nCOPY . .\nCOPY --from=b /node_modules ./node_modules\n";
    adds_lines(&IgnoreJunk, &context(&[("node_modules/", 9)], &node), two, &[], &["node_modules"]);
}

#[test]
fn secrets_that_the_build_may_read_stay() {
    let declined = |texts: &[(&str, &str)], run: &str, reason: &str| {
        let file = format!("FROM a\nWORKDIR /app\nCOPY . .\n{run}\n");
        declines_in(&IgnoreJunk, &context(&[(".env", 9)], texts), &file, reason);
    };
    declined(&[], "RUN npm run build", "line 4 runs a program that may read it");
    declined(&[], "RUN php artisan config:cache", "line 4 runs a program that may read it");
    declined(&[], "RUN composer install", "line 4 runs a program that may read it");
    declined(&[("package.json", "{\"postinstall\": \"x\"}")], "RUN npm ci", "line 4 runs a program");
    declined(&[("start.sh", ". ./.env\n")], "CMD ./start.sh", "start.sh names .env");
    declined(&[], "COPY .env /app/", "line 4 copies it by name");
    let fine = "FROM a\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\nCMD node x.js\n";
    adds_lines(&IgnoreJunk, &context(&[(".env", 9), (".env.example", 9)], &[]), fine, &[], &[".env"]);
}

#[test]
fn other_dockerfiles_of_the_context_count() {
    let with = |sibling: &str, files: &[(&str, u64)]| {
        let mut project = context(files, &[("package.json", "{}")]).into_project();
        project.siblings.push(sibling.to_owned());
        Around::project(project)
    };
    let tmp = [("tmp/big", 9 << 20)];
    let reason = "another Dockerfile of the context";
    declines_in(&IgnoreJunk, &with("FROM a\nCOPY tmp/big /x\n", &tmp), COPY_ALL, reason);
    declines_in(&IgnoreJunk, &with("FROM a\nCOPY . /x\nRUN ls tmp\n", &tmp), COPY_ALL, reason);
    declines_in(&IgnoreJunk, &with("FROM a\nCOPY . /x\n", &[("node_modules/", 9)]), NODE, reason);
    declines_in(
        &IgnoreJunk,
        &with("FROM a\nCOPY . /x\nRUN git describe\n", &[(".git/", 9)]),
        COPY_ALL,
        reason,
    );
    declines_in(&IgnoreJunk, &with("FROM a\nFOO {{ tmp/big }}\n", &tmp), COPY_ALL, reason);
    adds_lines(&IgnoreJunk, &with("FROM a\nCOPY x /x\n", &tmp), COPY_ALL, &[], &["tmp"]);
}
