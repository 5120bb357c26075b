//! Pairs that look alike and aren't, and pairs that look apart and do the same.

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_facts::claim::Claim;
use dockeropt_facts::tables::Manager;
use dockeropt_syntax::parse;

fn compare(before: &str, after: &str, claims: Vec<Claim>) -> Result<(), String> {
    let read = |text: &str| {
        if text.contains("FROM") { format!("{text}\n") } else { format!("FROM debian:bookworm\n{text}\n") }
    };
    let (before, after) = (read(before), read(after));
    let (before, after) = (parse(&before), parse(&after));
    assert!(before.diagnostics.is_empty(), "{:?}", before.diagnostics);
    assert!(after.diagnostics.is_empty(), "{:?}", after.diagnostics);
    let licence = Licence { claims, assumptions: Vec::new() };
    check(&Facts::new(&before), &Facts::new(&after), &licence).map_err(|difference| difference.message)
}

#[track_caller]
fn equal(before: &str, after: &str) {
    assert_eq!(compare(before, after, Vec::new()), Ok(()), "\n{before}\n---\n{after}");
}

#[track_caller]
fn different(before: &str, after: &str) {
    assert!(compare(before, after, Vec::new()).is_err(), "taken for equal:\n{before}\n---\n{after}");
}

/// Joining two RUNs is wrong where the first leaves something behind.
#[test]
fn what_leaks_into_the_next_command() {
    for first in [
        "{ cd x; }",
        "export A=1",
        "set -e",
        "a && set -x",
        "f() { a; }",
        "exec a",
        "alias a=b",
        ". ./env",
        "eval \"$(ssh-agent)\"",
        "a & b",
        "{ a & } | cat",
        "(a & b)",
        "trap a EXIT",
        "exit 0",
        "shopt -s extglob",
        "PATH=/x:$PATH",
        "command cd x",
        "nvm use 20",
        "read A < f",
        "printf -v A x",
        ": ${FOO:=x}",
        "A=$((B=1))",
        "echo 1.2.3.4 h >> /etc/hosts",
        "echo x | tee -a /etc/hosts",
        "(echo x >> /etc/resolv.conf)",
        "{ echo x; } >> /etc/hosts",
        "service mysql start",
        "/etc/init.d/x start",
        "wait",
        "ulimit -n 5",
        "umask 2",
        "cp a /dev/shm/b",
        "for FOO in a b; do c; done",
        "sudo service x start",
        "pushd x",
        "hash -r",
    ] {
        different(&format!("RUN {first}\nRUN b $FOO"), &format!("RUN {first} && b $FOO"));
    }
    different("RUN ls\nRUN mkdir $_", "RUN ls && mkdir $_");
    different("RUN node -v; tar xf n -C /usr\nRUN node x", "RUN node -v; tar xf n -C /usr && node x");
    different("RUN x=1\nRUN echo $x", "RUN x=1 && echo $x");
    different("RUN a ; b\nRUN c || d", "RUN a ; b && c || d");
    equal("RUN x=1; a $x\nRUN b", "RUN x=1; a $x && b");
    equal("RUN ! a\nRUN b", "RUN ! a && b");
    equal("RUN a | b\nRUN c", "RUN a | b && c");
    equal("RUN for f in 1 2; do a $f; done\nRUN b", "RUN for f in 1 2; do a $f; done && b");
    equal("RUN cat /etc/os-release\nRUN command -v a", "RUN cat /etc/os-release && command -v a");
    let strict = "SHELL [\"/bin/bash\", \"-e\", \"-c\"]\n";
    for first in ["for i in 1 2; do a; b; done", "{ a; b; }", "x=$(a; b)", "if a; then b; c; fi"] {
        different(&format!("{strict}RUN {first}\nRUN d"), &format!("{strict}RUN {first} && d"));
    }
    equal(&format!("{strict}RUN a\nRUN b"), &format!("{strict}RUN a && b"));
}

/// What a command leaves for the next one is not noticed where a cleanup comes between that leaves nothing.
#[test]
fn what_stands_between() {
    let update = "apt-get update && apt-get install -y x";
    let cleanup = "rm -rf /var/lib/apt/lists/*";
    different(&format!("RUN {update} && echo $_"), &format!("RUN {update} && {cleanup} && echo $_"));
    let mounted = |target: &str, rest: &str| {
        format!("RUN --mount=type=cache,target={target} {update}{rest} && ./configure")
    };
    equal(&mounted("/x", ""), &mounted("/x", &format!(" && {cleanup}")));
    different(&mounted("/var/lib", ""), &mounted("/var/lib", &format!(" && {cleanup}")));
    let strict = "SHELL [\"/bin/sh\", \"-ec\"]\n";
    different(&format!("{strict}RUN a && (b; c)\nRUN d"), &format!("{strict}RUN a && (b; c) && d"));
}

/// Who sees from outside what a stage keeps.
#[test]
fn who_sees_an_index_of_apk() {
    let add = ["RUN apk add -U x", "RUN apk add --no-cache x"];
    for (before, after) in [
        ("FROM a\nCMD ls /var/cache/apk\n", ""),
        ("FROM a\n", "\nENTRYPOINT [\"ls\", \"/etc/apk/cache\"]"),
        ("FROM a AS one\nCMD ls /var/cache/apk\nFROM one\n", ""),
        ("FROM a AS one\n", "\nFROM b\nRUN --mount=type=bind,from=one,target=/m ls /m"),
        ("FROM a AS one\n", "\nFROM b\nCOPY --from=one /var/cache /x"),
        ("FROM a\n", "\nONBUILD RUN apk search x"),
    ] {
        let [kept, left_out] = add.map(|add| format!("{before}{add}{after}"));
        different(&kept, &left_out);
    }
    let [kept, left_out] = add.map(|add| format!("FROM a AS one\n{add}\nFROM b\nCOPY --from=one /x /x"));
    equal(&kept, &left_out);
    equal("FROM a\nRUN rm -rf /var/cache/apk/*\nRUN apk add x", "FROM a\nRUN apk add --no-cache x");
    different(
        "FROM a\nRUN apk add -U x\nRUN apk search y; apk update",
        "FROM a\nRUN apk add --no-cache x\nRUN apk search y; apk update",
    );
    equal(
        "FROM a\nRUN apk add -U x\nRUN apk update; apk search y",
        "FROM a\nRUN apk add --no-cache x\nRUN apk update; apk search y",
    );
}

/// A shell looks for a program once.
#[test]
fn where_a_program_was() {
    different("RUN x\nRUN mv a/x b && x", "RUN x && mv a/x b && x");
    different("RUN x && cat y > b/x\nRUN x", "RUN x && cat y > b/x && x");
    different("RUN x\nRUN for i in 1 2; do x; mv a/x b; done", "RUN x && for i in 1 2; do x; mv a/x b; done");
    different("RUN x\nRUN (mv a/x b) && x", "RUN x && (mv a/x b) && x");
    equal("RUN mv a/rm b\nRUN rm x && rm y", "RUN mv a/rm b && rm x && rm y");
    equal("RUN (rm x)\nRUN mv a/rm b && rm y", "RUN (rm x) && mv a/rm b && rm y");
    equal("RUN rm x\nRUN mv a/y b && y && ./rm", "RUN rm x && mv a/y b && y && ./rm");
    let update = |before: &str, after: &str| format!("RUN {before}{after} && apk add --no-cache x");
    different(&update("apk update && ", "mv a/apk b"), &update("", "mv a/apk b"));
    equal(&update("mv a/apk b", " && apk update"), &update("mv a/apk b", ""));
    let cleanup = "rm -rf /var/lib/apt/lists/*";
    let update = "RUN apt-get update && apt-get install -y x";
    different(
        &format!("{update} && mv a/rm b && rm y"),
        &format!("{update} && {cleanup} && mv a/rm b && rm y"),
    );
    equal(&format!("{update} && mv a/rm b"), &format!("{update} && {cleanup} && mv a/rm b"));
}

#[test]
fn arguments_and_variables() {
    different("ARG A\nRUN x", "ARG A=\nRUN x");
    different("ARG A=1\nARG B=$A\nRUN x", "ARG A=1\nARG B=1\nRUN x");
    different("ARG A=$HOME\nRUN x", "ARG A=$USER\nRUN x");
    different("ARG A=1\nENV A=2\nRUN x", "ENV A=2\nARG A=1\nRUN x");
    different("ENV A=1\nENV B=$A", "ENV A=1 B=$A");
    different(
        "ARG A=1\nRUN case $A in 1) echo a > /a;; esac",
        "RUN case $A in 1) echo a > /a;; esac\nARG A=1",
    );
    different("ENV CFLAGS=-O2\nRUN pip install numpy", "RUN pip install numpy\nENV CFLAGS=-O2");
    different("ARG A=1\nRUN [[ $A = 1 ]]", "RUN [[ $A = 1 ]]\nARG A=1");
    different("ARG A=1", "");
    different("ENV D=/a\nRUN --mount=type=bind,target=$D x", "ENV D=/b\nRUN --mount=type=bind,target=$D x");
    different("ENV A=1\nCOPY <<EOF /x\n$A\nEOF", "COPY <<EOF /x\n$A\nEOF\nENV A=1");
    different("COPY <<EOF /x\n$A\nEOF", "COPY <<\"EOF\" /x\n$A\nEOF");
    different("COPY <<A <<B /x/\n1\nA\n2\nB", "COPY <<A <<B /x/\n1\n2\nA\nB");
    equal("ARG A=1\nRUN apt-get update", "RUN apt-get update\nARG A=1");
    equal("ENV A=${B}", "ENV A=\"$B\"");
}

#[test]
fn configuration() {
    different("LABEL a=\"b c=d\"", "LABEL a=b c=d");
    different("SHELL [\"powershell\"]\nRUN x", "SHELL [\"cmd\"]\nRUN x");
    different("VOLUME /v\nRUN x > /v/a", "RUN x > /v/a\nVOLUME /v");
    different("CMD a\nCMD b", "CMD b\nCMD a");
    different("CMD a  'b'", "CMD a 'b'");
    different("HEALTHCHECK --timeout=3s CMD a", "HEALTHCHECK CMD a");
    different("ONBUILD RUN a\nONBUILD RUN b", "ONBUILD RUN b\nONBUILD RUN a");
    different("FROM a AS b\nFROM b", "FROM a AS b\nFROM a");
    different("ARG X=b\nFROM a AS b\nFROM $X", "ARG X=b\nFROM a AS b\nFROM b");
    different("FROM --platform=linux/arm64 a AS b\nFROM b", "FROM a AS b\nFROM b");
    different(
        "# hadolint ignore=DL3008\nRUN a\nCMD b",
        "CMD b\n# hadolint ignore=DL3008\nRUN a\n"
            .trim_end()
            .replace("CMD b\n# hadolint ignore=DL3008\nRUN a", "RUN a\n# hadolint ignore=DL3008\nCMD b")
            .as_str(),
    );
    equal("LABEL a b", "LABEL a=b");
    equal("LABEL a=1 b=2", "LABEL b=2\nLABEL a=1");
    equal("EXPOSE 1 2", "EXPOSE 2\nEXPOSE 1");
    equal("CMD [\"a\",\"b\"]", "CMD [ \"a\", \"b\" ]");
    equal("ENTRYPOINT a\nCMD b", "CMD b\nENTRYPOINT a");
}

#[test]
fn cleanups() {
    let lists = "rm -rf /var/lib/apt/lists/*";
    let update = "RUN apt-get update && apt-get install -y a";
    let cleaned = format!("{update} && {lists}");
    for later in [
        "RUN apt-get install -y b",
        "RUN ./setup.sh",
        "RUN curl x | bash",
        "RUN npx playwright install-deps",
        "RUN test -f x && apt-get update; apt-get install -y b",
        "RUN ansible-playbook x",
        "RUN apt-cache policy x",
        "RUN [\"apt-get\", \"install\", \"b\"]",
        "ONBUILD RUN apt-get install -y b",
        "CMD apt-get install -y b",
        "RUN sh -c 'apt-get install b'",
        "RUN echo b | xargs apt-get install",
        "RUN make deps",
    ] {
        different(&format!("{update}\n{later}"), &format!("{cleaned}\n{later}"));
    }
    for (rm, what) in [
        ("rm /var/lib/apt/lists/*", "fails at a folder"),
        ("rm -rf '/var/lib/apt/lists/*' x", "another path"),
        ("rm -rf /var/lib/apt/lists/* > 1", "writes a file"),
        ("npm cache clean", "fails"),
        ("yum clean", "fails"),
        ("pip cache purge", "may fail"),
        ("apk cache clean", "may fail"),
        ("conda clean -afy", "deletes packages"),
    ] {
        assert!(compare(update, &format!("{update} && {rm}"), Vec::new()).is_err(), "{rm} {what}");
    }
    different(&format!("USER app\n{update}"), &format!("USER app\n{cleaned}"));
    for reader in [
        "COPY --from=a /var/lib/apt/lists /x",
        "COPY --from=a $X /x",
        "COPY --from=a var/lib /x",
        "RUN --mount=from=a,target=/x b",
        "COPY --from=a /var/*/apt /x",
    ] {
        let stages = |run: &str| format!("FROM debian AS a\n{run}\nFROM x\n{reader}");
        different(&stages(update), &stages(&cleaned));
    }
    different(
        "FROM a AS b\nRUN apt-get update\nFROM b AS c\nFROM c\nRUN apt-get install d",
        "FROM a AS b\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\nFROM b AS c\nFROM c\nRUN apt-get install d",
    );
    different("RUN npm ci\nRUN npm ci --offline", "RUN npm ci && rm -rf ~/.npm\nRUN npm ci --offline");
    different("RUN apk add --update a\nRUN apk add b", "RUN apk add --no-cache a\nRUN apk add b");
    different(
        "FROM a AS b\nRUN apk add -U a\nFROM b\nRUN apk add c",
        "FROM a AS b\nRUN apk add --no-cache a\nFROM b\nRUN apk add c",
    );
    different(
        "FROM a AS b\nRUN apk update\nFROM b AS c\nFROM c\nRUN apk search x",
        "FROM a AS b\nFROM b AS c\nFROM c\nRUN apk search x",
    );
    equal(
        &format!("{update}\nRUN apt-get update && apt-get install -y b"),
        &format!("{cleaned}\nRUN apt-get update && apt-get install -y b"),
    );
    equal("RUN apk add --update a", "RUN apk add --no-cache a");
    equal("RUN conda install x", "RUN conda install x && conda clean -tipy");
    equal("RUN sudo apt-get update", "RUN sudo apt-get update && sudo rm -rf /var/lib/apt/lists/*");
}

/// Where the index of apk is needed after it was fetched.
#[test]
fn the_index_of_apk() {
    for later in [
        "RUN apk add b",
        "RUN ./setup.sh",
        "RUN apk fetch b",
        "RUN apk search b",
        "RUN cat list | xargs apk add",
        "RUN sh -c \"apk add b\"",
        "RUN timeout 5 apk add b",
        "RUN [\"apk\", \"add\", \"b\"]",
        "RUN rm /var/cache/apk/*",
        "RUN $INSTALL",
        "ONBUILD RUN apk add b",
        "ONBUILD RUN sh $DIR/build.sh",
        "ONBUILD RUN [\"apk\", \"add\", \"b\"]",
        "CMD apk add b && b",
        "CMD [\"sh\", \"-c\", \"apk add b && b\"]",
        "ENTRYPOINT [\"apk\", \"add\"]",
        "HEALTHCHECK CMD apk add b",
    ] {
        different(&format!("RUN apk add --update a\n{later}"), &format!("RUN apk add --no-cache a\n{later}"));
        different(
            &format!("RUN apk update && apk add a\n{later}"),
            &format!("RUN apk add --no-cache a\n{later}"),
        );
        different(&format!("RUN apk update\n{later}"), later);
        if let Some(same_run) = later.strip_prefix("RUN ").filter(|script| !script.starts_with('[')) {
            for joiner in ["&&", ";"] {
                different(
                    &format!("RUN apk add -U a {joiner} {same_run}"),
                    &format!("RUN apk add --no-cache a {joiner} {same_run}"),
                );
            }
        }
    }
    different("RUN apk update --root /x && apk add b", "RUN apk add --no-cache b");
    different("RUN apk -p /x update && apk add b", "RUN apk add --no-cache b");
    different("RUN apk update -X http://x && apk add b", "RUN apk add --no-cache b");
    different("RUN apk update --repositories-file /r && apk add b", "RUN apk add --no-cache b");
    for change in [
        "RUN echo edge >> /etc/apk/repositories",
        "RUN sed -i s/3.19/edge/ /etc/apk/repositories",
        "RUN echo edge | tee -a /etc/apk/repositories",
        "RUN cp /tmp/r /etc/apk/repositories",
        "COPY repositories /etc/apk/",
        "COPY root /",
    ] {
        different(
            &format!("RUN apk update\n{change}\nRUN apk add b"),
            &format!("{change}\nRUN apk add --no-cache b"),
        );
        different(
            &format!("RUN apk add -U a\n{change}\nRUN apk add b"),
            &format!("RUN apk add --no-cache a\n{change}\nRUN apk add --no-cache b"),
        );
    }
    for old in ["alpine:3.2", "alpine:3.1.4", "gliderlabs/alpine:3.2", "docker:1.9", "mhart/alpine-node:0.10"]
    {
        different(&format!("FROM {old}\nRUN apk add b"), &format!("FROM {old}\nRUN apk add --no-cache b"));
    }
    equal("RUN apk add -U a\nRUN apk add b", "RUN apk add --no-cache a\nRUN apk add --no-cache b");
    equal("RUN apk add -U a\nRUN apk add -U b && ./c", "RUN apk add --no-cache a\nRUN apk add -U b && ./c");
    equal(
        "RUN apk add -U a\nRUN rm -rf /var/cache/apk/*\nRUN ./c",
        "RUN apk add --no-cache a\nRUN rm -rf /var/cache/apk/*\nRUN ./c",
    );
    equal("RUN ./c; apk add -U a", "RUN ./c; apk add --no-cache a");
    equal("RUN apk update\nRUN apk add --no-cache a", "RUN apk add --no-cache a");
    equal("RUN apk update\nCMD apk update && apk add b", "CMD apk update && apk add b");
}

#[test]
fn moved_copies() {
    for (copy, run) in [
        ("COPY . /opt/x", "apt-get install -y a"),
        ("COPY . /home/x", "apt-get install -y a"),
        ("COPY . /app", "python -m pip install x"),
        ("COPY . /app", "pip download x"),
        ("COPY . /app", "apt-get source x"),
        ("COPY . /app", "dnf download x"),
        ("COPY . /app", "patch -p1 < /p"),
        ("COPY . /app", "{ echo a; } > /app/f"),
        ("COPY . /app", "[[ -f /app/x ]]"),
        ("COPY . /app", "echo x >& f"),
        ("COPY . /app", "ln -s /usr/bin/x"),
        ("COPY . /app", "pip install --target=/app x"),
        ("COPY . /app", "sort -o f /g"),
        ("COPY . /app", "apt-get install -y ./x.deb"),
        ("COPY . /app", "yum install --downloaddir=/app x"),
        ("COPY . /app", "pip install -r requirements.txt"),
        ("COPY . /lib/x", "apt-get install -y a"),
        ("COPY --chown=app . /app", "apt-get install -y a"),
        ("COPY $X /app", "cat /app/x"),
    ] {
        let start = "FROM debian\nWORKDIR /app";
        different(&format!("{start}\n{copy}\nRUN {run}"), &format!("{start}\nRUN {run}\n{copy}"));
    }
    different("RUN useradd app\nRUN chown app /app", "RUN chown app /app\nRUN useradd app");
    different(
        "RUN apt-get install -y rsync\nRUN rsync /a /b",
        "RUN rsync /a /b\nRUN apt-get install -y rsync",
    );
    different("WORKDIR /app\nCOPY a /app", "COPY a /app\nWORKDIR /app");
    different(
        "ENV PIP_TARGET=/app\nCOPY . /app/x\nRUN pip install y",
        "ENV PIP_TARGET=/app\nRUN pip install y\nCOPY . /app/x",
    );
    different("WORKDIR a\nCOPY x .", "COPY x .\nWORKDIR a");
    equal("COPY . /app\nRUN pip install x", "RUN pip install x\nCOPY . /app");
    equal("COPY . /usr/src/app\nRUN apk add x", "RUN apk add x\nCOPY . /usr/src/app");
    equal("COPY a /a1\nCOPY b /b1", "COPY b /b1\nCOPY a /a1");
}

#[test]
fn claims() {
    let recommends = |named: &[&str]| {
        vec![Claim::WithoutRecommends {
            dropped: Vec::new(),
            named: named.iter().map(|&name| name.to_owned()).collect(),
            inert: false,
        }]
    };
    let install = |words: &str| format!("RUN apt-get install -y {words}");
    let claimed = |before: &str, after: &str, named: &[&str]| {
        compare(&install(before), &install(after), recommends(named)).is_ok()
    };
    assert!(claimed("gcc", "--no-install-recommends gcc libc6-dev", &["libc6-dev"]));
    assert!(claimed("gcc curl", "--no-install-recommends gcc curl", &["curl"]));
    assert!(!claimed("gcc curl", "--no-install-recommends gcc", &["curl"]), "a package is lost");
    assert!(!claimed("--no-install-recommends gcc", "gcc", &[]), "the option is lost");
    assert!(!claimed("gcc", "gcc curl", &["curl"]), "a package without the option");
    assert!(!claimed("gcc", "-o APT::Install-Recommends=true gcc", &[]));
    let one =
        |before: &str, after: &str| compare(before, after, vec![Claim::OneInstall(Manager::Apt)]).is_ok();
    let two = "RUN apt-get install -y a && apt-get install -y b";
    assert!(one(two, "RUN apt-get install -y a b"));
    assert!(!one(two, "RUN apt-get install -y a"));
    assert!(!one("RUN A=1 apt-get install a", "RUN apt-get install a"));
    assert!(!one("RUN apt-get install a > f", "RUN apt-get install a"));
}

#[test]
fn text() {
    let lines = |before: &str, after: &str| {
        let (before, after) = (parse(before), parse(after));
        check(&Facts::new(&before), &Facts::new(&after), &Licence::default()).is_ok()
    };
    assert!(!lines("FROM a\nRUN b\n", "FROM a\nRUN b\r\n"));
    assert!(!lines("FROM a\r\nRUN b\r\n", "FROM a\r\nRUN b\n"));
    assert!(!lines("FROM a\nRUN b", "FROM a\nRUN b\n"));
    assert!(!lines("# escape=`\nFROM a\n", "FROM a\n"));
    assert!(!lines("\u{feff}FROM a\n", "FROM a\n"));
    assert!(!lines("FROM a\n# x\n# x\n", "FROM a\n# x\n"));
    assert!(!lines("FROM a\nRUN b \\\n # x\n c\n", "FROM a\nRUN b \\\n c\n"));
}
