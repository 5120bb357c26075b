use super::SplitStages;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, needs_unsafe_in, passes};

const APT: &str = "RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev \\\n    && rm -rf /var/lib/apt/lists/*";

#[test]
fn what_only_builds_stays_in_the_builder() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM python:3.12-slim-bookworm
        # To build psycopg2.
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev curl && rm -rf /var/lib/apt/lists/*
        ENV PYTHONUNBUFFERED=1
        WORKDIR /app
        COPY requirements.txt .
        RUN pip install -r requirements.txt

        # The program.
        COPY . .
        EXPOSE 8000
        CMD ["python", "app.py"]
        "#,
        r#"
        FROM python:3.12-slim-bookworm AS builder
        # To build psycopg2.
        RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev curl && rm -rf /var/lib/apt/lists/*
        ENV PYTHONUNBUFFERED=1
        WORKDIR /app
        COPY requirements.txt .
        RUN python -m venv /opt/venv
        ENV PATH="/opt/venv/bin:$PATH"
        RUN pip install -r requirements.txt

        FROM python:3.12-slim-bookworm
        ENV PYTHONUNBUFFERED=1
        RUN apt-get update && apt-get install -y --no-install-recommends curl libpq5 \
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /app
        ENV PATH="/opt/venv/bin:$PATH"
        COPY --from=builder /opt/venv /opt/venv

        # The program.
        COPY . .
        EXPOSE 8000
        CMD ["python", "app.py"]
        "#,
        "only /opt/venv is in the image",
    );
}

#[test]
fn who_asks_is_told_why_there_is_nothing_to_do() {
    passes(
        &SplitStages,
        &[
            ("FROM python:3.12\nRUN pip install flask\n", "python:3.12 has the compilers itself"),
            ("FROM python:3.12-slim\nRUN pip install flask\n", "for building alone"),
            ("FROM alpine:3.20\nRUN true\n", "for building alone"),
            ("FROM alpine:3.20 AS a\nFROM a\n", "several stages"),
        ],
    );
}

#[test]
fn a_package_that_is_installed_twice_is_named_once() {
    let apt = |packages| format!("RUN apt-get update && apt-get install -y {packages}\n");
    let install = apt("gcc libpq-dev") + &apt("gcc libc6-dev");
    needs_unsafe(
        &SplitStages,
        &format!("FROM python:3.12-slim-bookworm\n{install}RUN pip install flask\nCMD [\"flask\"]\n"),
        &format!(
            "FROM python:3.12-slim-bookworm AS builder\n{install}RUN python -m venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"\n\
             RUN pip install flask\n\nFROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 \\\n    \
             && rm -rf /var/lib/apt/lists/*\nENV PATH=\"/opt/venv/bin:$PATH\"\nCOPY --from=builder /opt/venv /opt/venv\nCMD [\"flask\"]\n"
        ),
        "does not need gcc, libpq-dev, libc6-dev when it runs",
    );
}

#[test]
fn the_last_stage_keeps_its_name_and_what_is_configured() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM python:3.12-slim-bookworm AS web
        LABEL org.example.team="a"
        EXPOSE 80
        RUN apt-get update && apt-get install -y gcc libc6-dev && rm -rf /var/lib/apt/lists/*
        RUN pip install uwsgitop
        USER nobody
        CMD ["uwsgitop"]
        "#,
        r#"
        FROM python:3.12-slim-bookworm AS builder
        RUN apt-get update && apt-get install -y gcc libc6-dev && rm -rf /var/lib/apt/lists/*
        RUN python -m venv /opt/venv
        ENV PATH="/opt/venv/bin:$PATH"
        RUN pip install uwsgitop

        FROM python:3.12-slim-bookworm AS web
        LABEL org.example.team="a"
        EXPOSE 80
        ENV PATH="/opt/venv/bin:$PATH"
        COPY --from=builder /opt/venv /opt/venv
        USER nobody
        CMD ["uwsgitop"]
        "#,
        "when it runs",
    );
}

#[test]
fn files_that_are_not_copied_again_are_in_both() {
    needs_unsafe(
        &SplitStages,
        &format!(
            "FROM python:3.12-slim-bookworm\n{APT}\nCOPY lib /srv/lib\nCOPY requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\nCOPY app.py /app/\n"
        ),
        &format!(
            "FROM python:3.12-slim-bookworm AS builder\n{APT}\nCOPY lib /srv/lib\nCOPY requirements.txt /tmp/\n\
             RUN python -m venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"\nRUN pip install -r /tmp/requirements.txt\n\n\
             FROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 \\\n    && rm -rf /var/lib/apt/lists/*\n\
             ENV PATH=\"/opt/venv/bin:$PATH\"\nCOPY --from=builder /opt/venv /opt/venv\nCOPY lib /srv/lib\nCOPY requirements.txt /tmp/\nCOPY app.py /app/\n"
        ),
        "virtual environment",
    );
}

#[test]
fn nothing_to_gain() {
    ignores(
        &SplitStages,
        &[
            "FROM python:3.12-slim-bookworm\nRUN pip install flask\n",
            "FROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y curl\nRUN pip install flask\n",
            "FROM python:3.12-slim-bookworm AS a\nRUN apt-get update && apt-get install -y gcc\nRUN pip install x\nFROM a\n",
            "FROM example.com/python:3.12\nRUN apt-get update && apt-get install -y gcc\nRUN pip install x\n",
            "FROM python:3.12-alpine\nRUN apk add gcc\nRUN pip install x\n",
        ],
    );
}

/// A file with a step before the install by pip, and one behind it.
fn with(before: &str, pip: &str, behind: &str) -> String {
    format!("FROM python:3.12-slim-bookworm\n{APT}\n{before}{pip}\n{behind}")
}

#[test]
fn refusals() {
    let pip = "RUN pip install flask";
    let table = [
        (with("RUN ./setup.sh\n", pip, ""), "does more than to install"),
        (with("RUN usermod -aG audio games\n", pip, ""), "does more than to install"),
        (with("RUN echo a; echo b\n", pip, ""), "does more than to install"),
        (
            with("RUN --mount=type=cache,target=/root/.cache/pip pip install x\n", pip, ""),
            "does more than to install",
        ),
        (with("RUN [\"pip\", \"install\", \"x\"]\n", pip, ""), "does more than to install"),
        (with("RUN apt-get purge -y gcc\n", pip, ""), "does more than to install"),
        (with("USER app\n", pip, ""), "stands before the install"),
        (with("VOLUME /data\n", pip, ""), "stands before the install"),
        (with("ONBUILD COPY . /app\n", pip, ""), "stands before the install"),
        (with("COPY --from=example.com/x /a /b\n", pip, ""), "copies from another image"),
        (with("", "RUN pip install --user flask", ""), "a place of its own"),
        (with("", "RUN pip install flask > /app/pip.log", ""), "does more than to install"),
        (
            with("RUN apt-get update && apt-get install -y gcc | tee /apt.log\n", pip, ""),
            "does more than to install",
        ),
        (
            with("RUN apt-get update && apt-get install -y gcc 2>> apt.log\n", pip, ""),
            "does more than to install",
        ),
        (with("ENV PIP_TARGET=/libs\n", pip, ""), "names PIP_TARGET"),
        (with("", "RUN pip install --target /libs flask", ""), "a place of its own"),
        (with("", "RUN pip install --prefix=/usr flask", ""), "a place of its own"),
        (with("", "RUN pip install -e .", ""), "a place of its own"),
        (with("", "RUN pip install ./lib", ""), "from files or addresses"),
        (with("", "RUN pip install git+https://example.com/x.git", ""), "from files or addresses"),
        (with("", "RUN /usr/local/bin/pip install flask", ""), "calls"),
        (with("", pip, "ENV PATH=/app/bin:$PATH\n"), "sets PATH"),
        (with("", pip, "CMD [\"/usr/local/bin/gunicorn\", \"app\"]\n"), "calls gunicorn by its path"),
        (with("", pip, "RUN rm -rf /usr/local/lib/python3.12/test\n"), "where packages lie"),
        (
            with(
                "",
                pip,
                "RUN ln -s /usr/lib/python3/dist-packages/x /usr/local/lib/python3.12/site-packages/x\n",
            ),
            "where packages lie",
        ),
        (with("", "RUN python -m venv /venv && pip install x", ""), "where packages lie"),
        (with("", pip, "CMD [\"supervisord\"]\n"), "a PATH of its own"),
        (with("", pip, "CMD [\"cron\", \"-f\"]\n"), "a PATH of its own"),
        (with("", pip, "CMD [\"uwsgi\", \"app.ini\"]\n"), "a PATH of its own"),
        (with("", pip, "CMD [\"bash\", \"-l\", \"-c\", \"gunicorn app\"]\n"), "a login shell sets a PATH"),
        (with("", pip, "CMD su - app -c \"gunicorn app\"\n"), "a login shell sets a PATH"),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SplitStages, &table);
}

#[test]
fn what_the_last_stage_would_not_find() {
    let file = |rest: &str| {
        format!("FROM python:3.12-slim-bookworm\n{}\n{rest}\n", APT.split(" \\").next().unwrap())
    };
    let table = [
        (file("RUN pip install flask\nRUN apt-get install -y nginx"), "package lists that the builder has"),
        (file("RUN pip install flask\nUSER app\nRUN pip install gunicorn"), "another user than root"),
        (with("", "RUN pip install flask", "RUN npm install\n"), "runs npm, which may need what builds"),
        (with("", "RUN pip install flask", "COPY --from=builder /a /b\n"), "an image called builder"),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SplitStages, &table);
    let unknown = "FROM python:3.12-slim-bookworm\nRUN apt-get update && apt-get install -y gcc team-tools\nRUN pip install x\n";
    declines(&SplitStages, &[(unknown, "`team-tools` is installed with what it recommends")]);
    let compiler =
        with("", "RUN pip install flask", "CMD make && ./x\n").replace("gcc libc6-dev", "build-essential");
    declines(&SplitStages, &[(&compiler, "a program of build-essential is called")]);
}

#[test]
fn what_is_recommended_is_installed_by_name() {
    needs_unsafe(
        &SplitStages,
        "FROM python:3.12-slim-bookworm\n\nMAINTAINER me\n\n# Who it is of.\nLABEL team=a\nLABEL app=b\n\nRUN apt-get update && apt-get install -y gcc git && rm -rf /var/lib/apt/lists/*\nRUN pip install x\n",
        "FROM python:3.12-slim-bookworm AS builder\n\nRUN apt-get update && apt-get install -y gcc git && rm -rf /var/lib/apt/lists/*\n\
         RUN python -m venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"\nRUN pip install x\n\n\
         FROM python:3.12-slim-bookworm\nMAINTAINER me\n# Who it is of.\nLABEL team=a\nLABEL app=b\nRUN apt-get update && apt-get install -y --no-install-recommends git openssh-client \\\n    && rm -rf /var/lib/apt/lists/*\n\
         ENV PATH=\"/opt/venv/bin:$PATH\"\nCOPY --from=builder /opt/venv /opt/venv\n",
        "does not need gcc when it runs",
    );
}

#[test]
fn a_library_with_other_names_in_other_releases() {
    declines(
        &SplitStages,
        &[(
            "FROM python:3.12-slim\nRUN apt-get update && apt-get install -y gcc libicu-dev\nRUN pip install PyICU\n",
            "another name in each release",
        )],
    );
}

#[test]
fn programs_that_are_called_when_it_runs() {
    for behind in
        ["CMD gcc --version && python app.py\n", "RUN gcc -o x x.c\n", "HEALTHCHECK CMD /usr/bin/gcc -v\n"]
    {
        let file = with("", "RUN pip install flask", behind);
        declines(&SplitStages, &[(&file, "a program of gcc is called when the program runs")]);
    }
    let script = |text| Around::files(&[("start.sh", text)]);
    let file = with("", "RUN pip install flask", "COPY start.sh /\nCMD [\"/start.sh\"]\n");
    declines_in(&SplitStages, &script("#!/bin/sh\nsupervisord -c /etc/x.conf\n"), &file, "supervisord");
    declines_in(&SplitStages, &script("#!/bin/bash -el\ngunicorn app\n"), &file, "a login shell sets a PATH");
    let path = "#!/bin/sh\nexec /usr/local/bin/python app.py\n";
    declines_in(&SplitStages, &script(path), &file, "start.sh names /usr/local/bin/");
    declines_in(&SplitStages, &script("#!/bin/sh\ngcc -o x x.c && ./x\n"), &file, "a program of gcc");
}

#[test]
fn scripts_of_the_project_are_read() {
    let around = Around::files(&[("start.sh", "#!/bin/sh\nexec python app.py\n"), ("app.py", "")]);
    let file = with("", "RUN pip install flask", "COPY . /app\nCMD [\"/app/start.sh\"]\n");
    let after = format!(
        "FROM python:3.12-slim-bookworm AS builder\n{APT}\nRUN python -m venv /opt/venv\n\
         ENV PATH=\"/opt/venv/bin:$PATH\"\nRUN pip install flask\n\nFROM python:3.12-slim-bookworm\n\
         RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \\\n    && rm -rf /var/lib/apt/lists/*\n\
         ENV PATH=\"/opt/venv/bin:$PATH\"\nCOPY --from=builder /opt/venv /opt/venv\nCOPY . /app\nCMD [\"/app/start.sh\"]\n"
    );
    needs_unsafe_in(&SplitStages, &around, &file, &after, "when it runs");
}

#[test]
fn users_are_made_in_both_stages() {
    let after = |user: &str| {
        format!(
            "FROM python:3.12-slim-bookworm AS builder\n{APT}\n{user}RUN python -m venv /opt/venv\n\
             ENV PATH=\"/opt/venv/bin:$PATH\"\nRUN pip install flask\n\nFROM python:3.12-slim-bookworm\n\
             RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \\\n    && rm -rf /var/lib/apt/lists/*\n\
             {user}ENV PATH=\"/opt/venv/bin:$PATH\"\nCOPY --from=builder /opt/venv /opt/venv\nUSER app\n"
        )
    };
    for user in [
        "RUN useradd --create-home --uid 1000 app\n",
        "RUN groupadd -r app && useradd -r -g app app\n",
        "RUN adduser --disabled-password --gecos '' app\n",
    ] {
        let file = with(user, "RUN pip install flask", "USER app\n");
        needs_unsafe(&SplitStages, &file, &after(user), "when it runs");
    }
    let table = [
        "RUN useradd app && chown app /srv\n",
        "RUN useradd -p $(openssl passwd x) app\n",
        "RUN echo x | adduser app\n",
        "RUN useradd app || true\n",
        "RUN usermod -aG audio www-data\n",
    ];
    let files: Vec<String> = table.iter().map(|it| with(it, "RUN pip install flask", "")).collect();
    let all: Vec<(&str, &str)> = files.iter().map(|it| (it.as_str(), "does more than to install")).collect();
    declines(&SplitStages, &all);
}
