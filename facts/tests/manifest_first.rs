//! What a claim that manifests come first lets through, and what it doesn't.

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_facts::claim::Claim;
use dockeropt_facts::manifest_first::{ManifestCopy, ManifestFirst, Placed};
use dockeropt_syntax::parse;

fn placed(commands: &[&str]) -> Vec<Placed> {
    let placed = |command: &&str| Placed { command: (*command).to_owned(), folder: "/app".to_owned() };
    commands.iter().map(placed).collect()
}

/// A proven claim about files of `/app` and commands that run there.
fn claim(files: &[&str], installs: &[&str]) -> ManifestFirst {
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    ManifestFirst {
        copies: vec![ManifestCopy { files, folder: "/app".to_owned(), parents: false }],
        installs: placed(installs),
        others: Vec::new(),
        added: Vec::new(),
        forgets: Vec::new(),
        proven: true,
    }
}

fn pip() -> ManifestFirst {
    claim(&["requirements.txt"], &["pip install -r requirements.txt"])
}

fn compare(claims: &[ManifestFirst], before: &str, after: &str) -> Result<(), String> {
    let read = |text: &str| format!("FROM debian:bookworm\n{text}\n");
    let (before, after) = (read(before), read(after));
    let (before, after) = (parse(&before), parse(&after));
    assert!(before.diagnostics.is_empty() && after.diagnostics.is_empty());
    let claims = claims.iter().cloned().map(Claim::ManifestFirst).collect();
    let licence = Licence { claims, ..Licence::default() };
    check(&Facts::new(&before), &Facts::new(&after), &licence).map_err(|difference| difference.message)
}

#[track_caller]
fn equal(claims: &[ManifestFirst], before: &str, after: &str) {
    assert_eq!(compare(claims, before, after), Ok(()), "\n{before}\n---\n{after}");
}

#[track_caller]
fn different(claims: &[ManifestFirst], before: &str, after: &str) {
    assert!(compare(claims, before, after).is_err(), "taken for equal:\n{before}\n---\n{after}");
}

const BEFORE: &str = "WORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nRUN make";
const AFTER: &str =
    "WORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY . .\nRUN make";

#[test]
fn manifests_come_first() {
    equal(&[pip()], BEFORE, AFTER);
    equal(&[pip()], BEFORE, BEFORE);
    // Options that only keep a command from writing a cache may come and go.
    equal(&[pip()], BEFORE, &AFTER.replace("install -r", "install --no-cache-dir -r"));
    let flags = |text: &str| text.replace("COPY", "COPY --chown=1000:1000");
    equal(&[pip()], &flags(BEFORE), &flags(AFTER));
    equal(&[pip()], &BEFORE.replace("COPY . .", "ADD ./ /app"), &AFTER.replace("COPY . .", "ADD ./ /app"));
    let wide = claim(&["api/requirements.txt"], &["pip install -r requirements.txt"]);
    equal(
        &[wide],
        &BEFORE.replace("COPY . .", "COPY api ./"),
        &AFTER.replace("COPY . .", "COPY api ./").replace("COPY req", "COPY api/req"),
    );
}

#[test]
fn installs_one_after_the_other() {
    let dev = claim(&["dev.txt"], &["pip install -r dev.txt"]);
    let before = BEFORE.replace("RUN make", "RUN pip install -r dev.txt");
    let after = AFTER.replace("COPY . .\nRUN make", "COPY dev.txt ./\nRUN pip install -r dev.txt\nCOPY . .");
    equal(&[pip(), dev.clone()], &before, &after);
    equal(&[dev.clone(), pip()], &before, &after);
    different(&[pip()], &before, &after);
    different(&[dev.clone()], &before, &after);
    // The second one needs a file that it would find in another state.
    let shared = claim(&["dev.txt", "requirements.txt"], &["pip install -r dev.txt"]);
    let after = after.replace("COPY dev.txt ./", "COPY dev.txt requirements.txt ./");
    different(&[pip(), shared], &before, &after);
    let swapped = "WORKDIR /app\nCOPY dev.txt ./\nRUN pip install -r dev.txt\nCOPY requirements.txt ./\n\
        RUN pip install -r requirements.txt\nCOPY . .";
    different(&[pip(), dev], &before, swapped);
}

#[test]
fn files_that_keep_their_folders() {
    let files = vec!["package.json".to_owned(), "packages/a/package.json".to_owned()];
    let copy = ManifestCopy { files, folder: "/app".to_owned(), parents: true };
    let claim = ManifestFirst { copies: vec![copy], ..claim(&[], &["npm ci"]) };
    let before = "WORKDIR /app\nCOPY . .\nRUN npm ci";
    let after = "WORKDIR /app\nCOPY --parents package.json packages/a/package.json ./\nRUN npm ci\nCOPY . .";
    equal(&[claim.clone()], before, after);
    different(&[claim.clone()], before, &after.replace("--parents ", ""));
    different(&[claim.clone()], before, &after.replace("./\n", "./packages/\n"));
    different(&[claim], before, &after.replace("--parents", "--parents --chown=1"));
}

#[test]
fn without_a_claim_nothing_moves() {
    different(&[], BEFORE, AFTER);
    different(&[], BEFORE, &BEFORE.replace("COPY . .", "COPY requirements.txt ./\nCOPY . ."));
}

#[test]
fn what_is_lost_or_changed() {
    let lost = |what: &str, by: &str| different(&[pip()], BEFORE, &AFTER.replace(what, by));
    // A COPY, or a command.
    lost("COPY . .\n", "");
    lost("COPY requirements.txt ./\n", "");
    lost("RUN pip install -r requirements.txt\n", "");
    lost("RUN make", "");
    // Another COPY.
    lost("COPY . .", "COPY src .");
    lost("COPY . .", "COPY . /srv");
    lost("COPY . .", "COPY --chown=1 . .");
    // Other files, another place, other flags.
    lost("COPY requirements.txt ./", "COPY requirements.txt setup.py ./");
    lost("COPY requirements.txt ./", "COPY setup.py ./");
    lost("COPY requirements.txt ./", "COPY requirements.txt /app/requirements.txt");
    lost("COPY requirements.txt ./", "COPY requirements.txt /app/x/");
    lost("COPY requirements.txt ./", "COPY requirements.txt /srv/");
    lost("COPY requirements.txt ./", "COPY --chown=1 requirements.txt ./");
    lost("COPY requirements.txt ./", "COPY --from=debian requirements.txt ./");
    lost("COPY requirements.txt ./", "ADD requirements.txt ./");
    lost("COPY requirements.txt ./", "COPY requirements.txt ./\nCOPY requirements.txt ./");
    // Another command, or the same elsewhere.
    lost("RUN pip", "RUN pip --isolated");
    lost("RUN pip", "WORKDIR /srv\nRUN pip");
    lost("RUN pip", "USER nobody\nRUN pip");
    lost("RUN pip", "RUN --network=none pip");
    // Another order.
    lost("COPY . .\nRUN make", "RUN make\nCOPY . .");
    different(
        &[pip()],
        BEFORE,
        "WORKDIR /app\nRUN pip install -r requirements.txt\nCOPY requirements.txt ./\nCOPY . .\nRUN make",
    );
    different(
        &[pip()],
        BEFORE,
        "WORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nRUN make\nCOPY . .",
    );
}

#[test]
fn what_the_project_must_not_pass() {
    let same = |between: &str| {
        let before = BEFORE.replace("COPY . .", &format!("COPY . .\n{between}"));
        let after = AFTER.replace("RUN pip", &format!("{between}\nRUN pip"));
        different(&[pip()], &before, &after);
    };
    same("RUN sed -i s/a/b/ requirements.txt");
    same("RUN ./configure");
    same("RUN python setup.py build");
    same("COPY other.txt ./requirements.txt");
    same("COPY --from=debian /x ./");
    same("VOLUME /app");
    // What stood above the project is above the manifests.
    different(
        &[pip()],
        &BEFORE.replace("COPY", "COPY x/requirements.txt ./\nCOPY"),
        &AFTER.replace("RUN pip", "COPY x/requirements.txt ./\nRUN pip"),
    );
}

#[test]
fn the_project_must_bring_the_manifests() {
    for copy in [
        "COPY src ./",
        "COPY . /srv",
        "COPY . ./x",
        "COPY requirements.txt ./",
        "COPY . src ./",
        "COPY --exclude=*.txt . .",
        "COPY --parents . .",
        "COPY * ./",
        "COPY --from=debian . .",
        "ADD https://example.com/app.git ./",
    ] {
        different(&[pip()], &BEFORE.replace("COPY . .", copy), &AFTER.replace("COPY . .", copy));
    }
}

#[test]
fn a_folder_that_the_copy_makes_has_the_mode_of_the_context() {
    let (before, after) = (
        "COPY . /app\nWORKDIR /app\nRUN pip install -r requirements.txt",
        "WORKDIR /app\nCOPY requirements.txt /app/\nRUN pip install -r requirements.txt\nCOPY . /app",
    );
    different(&[pip()], before, after);
    equal(&[ManifestFirst { proven: false, ..pip() }], before, after);
    let first = "COPY requirements.txt /app/\nWORKDIR /app\nRUN pip install -r requirements.txt\nCOPY . /app";
    different(&[pip()], before, first);
    equal(&[ManifestFirst { proven: false, ..pip() }], before, first);
}

#[test]
fn commands_that_are_new() {
    let claim = ManifestFirst { added: placed(&["go mod download"]), ..claim(&["go.mod"], &[]) };
    let before = "WORKDIR /app\nCOPY . .\nRUN go build";
    let after = "WORKDIR /app\nCOPY go.mod ./\nRUN go mod download\nCOPY . .\nRUN go build";
    equal(&[claim.clone()], before, after);
    assert!(Claim::ManifestFirst(claim.clone()).counts());
    different(&[claim.clone()], before, &after.replace("mod download", "mod tidy"));
    different(&[claim.clone()], before, &after.replace("RUN go mod", "WORKDIR /x\nRUN go mod"));
    different(&[claim.clone()], before, &after.replace("RUN go build", ""));
    different(&[claim.clone()], before, &format!("{after}\nRUN go mod download"));
    different(&[claim], before, "WORKDIR /app\nRUN go mod download\nCOPY go.mod ./\nCOPY . .\nRUN go build");
}

#[test]
fn a_run_may_be_split_where_nothing_leaks() {
    let npm = ManifestFirst { forgets: vec!["npm".to_owned()], ..claim(&["package.json"], &["npm ci"]) };
    let before = "WORKDIR /app\nCOPY . .\nRUN npm ci && npm run build";
    let after = "WORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build";
    equal(&[npm.clone()], before, after);
    different(&[ManifestFirst { forgets: Vec::new(), ..npm.clone() }], before, after);
    let exported = before.replace("RUN npm ci", "RUN export A=1 && npm ci");
    different(&[npm.clone()], &exported, &after.replace("RUN npm ci", "RUN export A=1 && npm ci"));
    let other = before.replace("npm ci", "npm ci || true");
    different(&[npm], &other, after);
}

#[test]
fn what_counts() {
    assert!(!Claim::ManifestFirst(pip()).counts());
    assert!(Claim::ManifestFirst(ManifestFirst { proven: false, ..pip() }).counts());
}
