//! The tables of what is equal and what is not.

use dockeropt_facts::Facts;
use dockeropt_facts::check::{Licence, check};
use dockeropt_syntax::parse;

fn compare(before: &str, after: &str) -> Result<(), String> {
    let read = |text: &str| format!("FROM debian:bookworm\n{text}\n");
    let (before, after) = (read(before), read(after));
    let (before, after) = (parse(&before), parse(&after));
    assert!(before.diagnostics.is_empty(), "{:?}", before.diagnostics);
    check(&Facts::new(&before), &Facts::new(&after), &Licence::default())
        .map_err(|difference| difference.message)
}

#[track_caller]
fn equal(before: &str, after: &str) {
    assert_eq!(compare(before, after), Ok(()), "\n{before}\n---\n{after}");
}

#[track_caller]
fn different(before: &str, after: &str) {
    assert!(compare(before, after).is_err(), "taken for equal:\n{before}\n---\n{after}");
}

#[test]
fn equal_traces() {
    equal("RUN apt-get update\nRUN apt-get install -y gcc", "RUN apt-get update && apt-get install -y gcc");
    equal("RUN a; b\nRUN c", "RUN a; b && c");
    equal("RUN a || b\nRUN c", "RUN a || b && c");
    equal("RUN (cd x && make)\nRUN y", "RUN (cd x && make) && y");
    equal("COPY . /app\nRUN apt-get install -y gcc", "RUN apt-get install -y gcc\nCOPY . /app");
    equal(
        "RUN apt-get update && apt-get install -y x",
        "RUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
    );
    equal("RUN pip install x", "RUN pip install --no-cache-dir x");
    equal("ENV A b c", "ENV A=\"b c\"");
    equal("CMD x\nRUN y", "RUN y\nCMD x");
    equal("RUN apk update && apk add x && rm -rf /var/cache/apk/*", "RUN apk add --no-cache x");
    equal("RUN a\nRUN b || c", "RUN a && { b || c; }");
    equal("RUN cd x && make\nRUN y", "RUN (cd x && make) && y");
    equal("RUN npm ci", "RUN npm ci && npm cache clean --force");
    equal("RUN yum install -y x", "RUN yum install -y x && yum clean all");
}

#[test]
fn different_traces() {
    different("RUN a\nRUN b || c", "RUN a && b || c");
    different("RUN a\nRUN b; c", "RUN a && b; c");
    different("RUN set -e; a; b\nRUN c", "RUN { set -e; a; b; } && c");
    different("RUN cd x\nRUN make", "RUN cd x && make");
    different("RUN pip install -U pip\nRUN pip install x", "RUN pip install -U pip && pip install x");
    different(
        "RUN apt-get update && apt-get install -y a\nRUN apt-get install -y b",
        "RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\nRUN apt-get install -y b",
    );
    different(
        "RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*",
        "RUN apt-get update && rm -rf /var/lib/apt/lists/* && apt-get install -y a",
    );
    different(
        "COPY . /var/www/html\nRUN apt-get install -y apache2",
        "RUN apt-get install -y apache2\nCOPY . /var/www/html",
    );
    different(
        "COPY . /tmp/b\nRUN apt-get install -y x && rm -rf /tmp/*",
        "RUN apt-get install -y x && rm -rf /tmp/*\nCOPY . /tmp/b",
    );
    different(
        "COPY sources.list /etc/apt/\nRUN apt-get install x",
        "RUN apt-get install x\nCOPY sources.list /etc/apt/",
    );
    different("RUN pip install a\nRUN pip install b", "RUN pip install a b");
    different("RUN useradd app\nCOPY --chown=app . /app", "COPY --chown=app . /app\nRUN useradd app");
    different(
        "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y x",
        "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
    );
    different("RUN apk update && apk add x", "RUN apk add x");
    different("RUN exit 0\nRUN a", "RUN exit 0 && a");
    different("RUN umask 077\nRUN a", "RUN umask 077 && a");
    different("RUN a &\nRUN b", "RUN a & b");
    different("# note\nRUN a", "RUN a");
    different("RUN a\nRUN b", "RUN b\nRUN a");
    different("ENV A=1\nRUN a", "RUN a\nENV A=1");
    // The first that comes makes the folder above, with its owner or mode.
    different(
        "RUN mkdir -p /app/one\nCOPY --chown=1000:1000 f /app/two/",
        "COPY --chown=1000:1000 f /app/two/\nRUN mkdir -p /app/one",
    );
    different(
        "COPY --chown=1000:1000 f /app/one/\nCOPY --chown=2000:2000 f /app/two/",
        "COPY --chown=2000:2000 f /app/two/\nCOPY --chown=1000:1000 f /app/one/",
    );
    different(
        "COPY f /app/one/\nUSER 1000\nWORKDIR /app/two",
        "USER 1000\nWORKDIR /app/two\nCOPY f /app/one/",
    );
    different(
        "RUN umask 077 && mkdir -p /app/one\nCOPY f /app/two/",
        "COPY f /app/two/\nRUN umask 077 && mkdir -p /app/one",
    );
    different("RUN a\nUSER x\nRUN b", "RUN a && b\nUSER x");
}
