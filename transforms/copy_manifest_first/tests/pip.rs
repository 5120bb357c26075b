use super::{assumes, declines, rewrites, with};

const FILES: &[(&str, &str)] = &[("app.py", ""), ("requirements.txt", "flask==3.0.3\ngunicorn==22.0.0\n")];

const BEFORE: &str = "
    FROM python:3.12
    WORKDIR /app
    COPY . /app
    RUN pip install -r requirements.txt
    CMD [\"flask\", \"run\"]
    ";

#[test]
fn requirements_come_first() {
    rewrites(
        FILES,
        BEFORE,
        "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt /app/
        RUN pip install -r requirements.txt
        COPY . /app
        CMD [\"flask\", \"run\"]
        ",
    );
}

#[test]
fn included_files_come_along() {
    rewrites(
        &[
            (
                "requirements.txt",
                "-r requirements/base.txt\n-c constraints.txt\n--index-url https://example.com/simple\n",
            ),
            ("requirements/base.txt", "flask >= 3 # any\nJinja2\n"),
            ("constraints.txt", "Flask==3.0.3\njinja2==3.1.4 ; python_version > '3.8'\n"),
        ],
        BEFORE,
        "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt constraints.txt /app/
        COPY requirements/base.txt /app/requirements/
        RUN pip install -r requirements.txt
        COPY . /app
        CMD [\"flask\", \"run\"]
        ",
    );
}

#[test]
fn hashes_commits_and_extras_are_pins() {
    let text = "flask[async]==3.0.3 \\\n    --hash=sha256:0123 \\\n    --hash=sha256:4567\n\
        lib @ git+https://example.com/lib.git@0123456789012345678901234567890123456789\n\
        https://example.com/tool-1.0-py3-none-any.whl#sha256=0123\n";
    rewrites(
        &[("requirements.txt", text)],
        "
        FROM python:3.12
        WORKDIR /app
        COPY . .
        RUN pip3 install --no-cache-dir --require-hashes -rrequirements.txt
        ",
        "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt ./
        RUN pip3 install --no-cache-dir --require-hashes -rrequirements.txt
        COPY . .
        ",
    );
}

#[test]
fn pip_is_called_in_many_ways() {
    let cases = [
        "RUN python -m pip install -r requirements.txt",
        "RUN pip install --upgrade pip && pip install --no-cache-dir -r ./requirements.txt",
        "RUN python3 -m pip install -U pip setuptools && python3 -m pip install -r requirements.txt",
        "RUN pip install -r /app/requirements.txt && pip cache purge",
        "RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt",
        "RUN apt-get update && apt-get install -y gcc && pip install -r requirements.txt",
        "RUN /opt/venv/bin/pip install -r requirements.txt > /dev/null 2>&1",
        "RUN cd /app && pip install -r requirements.txt",
        "RUN pip install -q --target=/deps -r requirements.txt",
    ];
    for run in cases {
        rewrites(
            FILES,
            &format!("FROM python:3.12\nWORKDIR /app\nCOPY . .\n{run}\n"),
            &format!("FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt ./\n{run}\nCOPY . .\n"),
        );
    }
}

#[test]
fn installs_one_after_the_other() {
    rewrites(
        &with(FILES, &[("requirements-dev.txt", "pytest==8.2.0\n")]),
        "
        FROM python:3.12
        WORKDIR /app
        COPY . .
        RUN pip install -r requirements.txt
        RUN pip install -r requirements-dev.txt
        RUN make
        ",
        "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt ./
        RUN pip install -r requirements.txt
        COPY . .
        RUN pip install -r requirements-dev.txt
        RUN make
        ",
    );
}

#[test]
fn what_is_not_pinned_is_assumed() {
    let after = "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt /app/
        RUN pip install -r requirements.txt
        COPY . /app
        CMD [\"flask\", \"run\"]
        ";
    for (text, name) in [
        ("flask\n", "no newer version of flask is wanted"),
        ("flask>=3\nredis==5.0\n", "flask"),
        ("flask==3.*\n", "flask"),
        ("django~=4.2\nflask\n", "django and 1 more"),
        ("lib @ git+https://example.com/lib.git@v1\n", "lib"),
        ("git+https://example.com/lib.git\n", "git+https://example.com/lib.git"),
    ] {
        assumes(&[("requirements.txt", text)], BEFORE, after, name);
    }
}

#[test]
fn the_mode_of_the_folder_is_assumed() {
    assumes(
        FILES,
        "
        FROM python:3.12
        COPY . /app
        WORKDIR /app
        RUN pip install -r requirements.txt
        ",
        "
        FROM python:3.12
        WORKDIR /app
        COPY requirements.txt /app/
        RUN pip install -r requirements.txt
        COPY . /app
        ",
        "the usual mode, 755",
    );
}

#[test]
fn requirements_that_need_the_project() {
    for (text, reason) in [
        ("-e .\n", "names . as editable"),
        ("--editable ./lib\n", "names ./lib as editable"),
        (".\n", "names ., which is part of the project"),
        ("./lib\n", "names ./lib, which is part of the project"),
        ("wheels/lib-1.0-py3-none-any.whl\n", "which is part of the project"),
        ("lib-1.0.tar.gz\n", "which is part of the project"),
        ("lib @ file:///app/lib\n", "which may be part of the project"),
        ("file:lib\n", "which is part of the project"),
        ("git+file:///app\n", "which may be part of the project"),
        ("--find-links ./wheels\nlib==1\n", "has packages looked for in ./wheels"),
        ("-f wheels\nlib==1\n", "has packages looked for in wheels"),
        ("--no-index\nlib==1\n", "has an option that is not known: --no-index"),
        ("-r https://example.com/r.txt\n", "it reads https://example.com/r.txt"),
        ("-r requirements-${STAGE}.txt\n", "depends on the environment"),
        ("-r requirements-base.txt\n", "requirements-base.txt is not in the build context"),
        ("-c constraints.txt\n", "constraints.txt is not in the build context"),
        ("lib==1 --config-settings=a\n<<<<<<< HEAD\n", "a line that is not understood"),
        ("-r requirements.d/all.in\n", "requirements.d/all.in is not in the build context"),
    ] {
        declines(&[("requirements.txt", text)], BEFORE, reason);
    }
}

#[test]
fn commands_that_need_the_project() {
    for (run, reason) in [
        ("pip install .", "which is made of the sources"),
        ("pip install -r requirements.txt .", "it installs ., which is made of the sources"),
        ("pip install -r requirements.txt ./lib", "it installs ./lib"),
        ("pip install -e . -r requirements.txt", "what the option -e reads is not known"),
        ("pip install -r requirements.txt --find-links=wheels", "it looks for packages in wheels"),
        ("pip install --target=lib -r requirements.txt", "it installs into lib, where the project is"),
        ("pip install --prefix /app/env -r requirements.txt", "it installs into /app/env"),
        ("pip install --cert ca.pem -r requirements.txt", "it reads ca.pem"),
        ("pip install -r $FILE", "decided when the image is built"),
        ("pip install -r requirements*.txt", "decided when the image is built"),
        ("pip install --log pip.log -r requirements.txt", "what the option --log reads is not known"),
        ("PIP_CONSTRAINT=c.txt pip install -r requirements.txt", "is given variables"),
        ("pip install -r requirements.txt > log.txt", "files to read or write"),
        ("pip install -r /dev/stdin < requirements.txt", "files to read or write"),
        ("cat requirements.txt | pip install -r /dev/stdin", "in a control structure or a pipeline"),
        ("for f in *.txt; do pip install -r $f; done", "in a control structure or a pipeline"),
        ("pip install -r requirements.txt || true", "not just joined by &&"),
        ("pip install -r requirements.txt; make", "not just joined by &&"),
        (
            "./configure && pip install -r requirements.txt",
            "`./configure`, before the install, may read the project",
        ),
        ("sed -i s/a/b/ requirements.txt && pip install -r requirements.txt", "may read the project"),
        ("sudo pip install -r requirements.txt", "by way of another command"),
        ("xargs pip install < requirements.txt", ""),
        ("pip install -r requirements.txt && rm -rf /root/.cache && make && rm -rf /tmp/x", "removes later"),
        ("pip install -r requirements.txt && make && pip check", "the shell remembers where it found `pip`"),
        ("export A=1 && pip install -r requirements.txt && make", "the RUN can't be split"),
        ("--mount=type=cache,target=/app/.cache pip install -r requirements.txt", "a mount in /app"),
    ] {
        if reason.is_empty() {
            continue;
        }
        declines(FILES, &format!("FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN {run}\n"), reason);
    }
}

#[test]
fn projects_that_are_not_read_or_not_sent() {
    declines(&[("app.py", "")], BEFORE, "requirements.txt is not in the build context");
    declines(
        &with(FILES, &[(".dockerignore", "*.txt\n")]),
        BEFORE,
        "requirements.txt is left out by the ignore file",
    );
    declines(
        &with(FILES, &[("venv/bin/pip", "")]),
        &BEFORE.replace("RUN pip", "RUN venv/bin/pip"),
        "venv of the build context would overwrite",
    );
    for module in ["types.py", "logging/__init__.py", "pip.py"] {
        let before = BEFORE.replace("RUN pip", "RUN python -m pip");
        declines(&with(FILES, &[(module, "")]), &before, "in the place of a module of Python");
    }
}

#[test]
fn settings_that_name_the_project() {
    for setting in
        ["PYTHONPATH=/app", "PIP_CONFIG_FILE=/app/pip.conf", "PIP_CONSTRAINT=constraints.txt", "HOME=/app"]
    {
        let before = BEFORE.replace("COPY", &format!("ENV {setting}\n    COPY"));
        declines(&with(FILES, &[("pip.conf", "")]), &before, "names a file of the project");
    }
    declines(
        FILES,
        &BEFORE.replace("WORKDIR", "COPY pip.conf /etc/pip.conf\n    WORKDIR"),
        "names its destination, or brings settings that may",
    );
}
