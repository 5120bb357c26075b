//! Poetry, uv, Pipenv and PDM.

use super::{assumes, declines, rewrites, with};

fn dockerfile(run: &str) -> String {
    format!("FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN {run}\nCMD [\"app\"]\n")
}

fn result(copies: &str, run: &str) -> String {
    format!("FROM python:3.12-slim\nWORKDIR /app\n{copies}RUN {run}\nCOPY . .\nCMD [\"app\"]\n")
}

fn prepared(copies: &str, added: &str, run: &str) -> String {
    format!("FROM python:3.12-slim\nWORKDIR /app\n{copies}RUN {added}\nCOPY . .\nRUN {run}\nCMD [\"app\"]\n")
}

const POETRY: &[(&str, &str)] = &[
    ("app/main.py", ""),
    (
        "pyproject.toml",
        "[tool.poetry]\nname = \"app\"\npackages = [{include = \"app\"}]\n[tool.poetry.dependencies]\npython = \"^3.12\"\nflask = {version = \"^3\", extras = [\"async\"]}\n",
    ),
    ("poetry.lock", "[[package]]\nname = \"flask\"\nversion = \"3.0.3\"\n"),
];
const POETRY_COPIES: &str = "COPY pyproject.toml poetry.lock ./\n";

#[test]
fn poetry() {
    for run in [
        "poetry install --no-root",
        "poetry install --no-root --only main --no-interaction --no-ansi",
        "pip install poetry==1.8.3 && poetry config virtualenvs.create false && poetry install --no-root --without dev",
        "poetry sync --no-root -n",
    ] {
        rewrites(POETRY, &dockerfile(run), &result(POETRY_COPIES, run));
    }
    let run = "poetry install --no-root && python -m compileall app";
    rewrites(
        POETRY,
        &dockerfile(run),
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN poetry install --no-root\nCOPY . .\nRUN python -m compileall app\nCMD [\"app\"]\n",
    );
    let without_package = "[project]\nname = \"app\"\n[tool.poetry]\npackage-mode = false\n";
    rewrites(
        &with(
            POETRY,
            &[("pyproject.toml", without_package), ("poetry.toml", "[virtualenvs]\nin-project = true\n")],
        ),
        &dockerfile("poetry install"),
        &result("COPY pyproject.toml poetry.lock poetry.toml ./\n", "poetry install"),
    );
    assumes(
        POETRY,
        &dockerfile("poetry install --only main"),
        &prepared(POETRY_COPIES, "poetry install --only main --no-root", "poetry install --only main"),
        "`poetry install --only main --no-root` runs in addition",
    );
    let run = "pip install poetry==1.8.3 && poetry install";
    assumes(
        POETRY,
        &dockerfile(run),
        &prepared(POETRY_COPIES, "pip install poetry==1.8.3 && poetry install --no-root", "poetry install"),
        "runs in addition",
    );
    let without_lock: Vec<_> = POETRY.iter().filter(|(path, _)| *path != "poetry.lock").copied().collect();
    let run = "poetry install --no-root";
    assumes(
        &without_lock,
        &dockerfile(run),
        &result("COPY pyproject.toml ./\n", run),
        "there is no poetry.lock",
    );
}

#[test]
fn what_poetry_needs_of_the_project() {
    for (more, reason) in [
        (
            &[("pyproject.toml", "[tool.poetry.dependencies]\nlib = {path = \"../lib\", develop = true}\n")]
                [..],
            "takes lib from the project",
        ),
        (
            &[("pyproject.toml", "[tool.poetry.group.dev.dependencies]\nlib = {path = \"lib\"}\n")],
            "takes lib from the project",
        ),
        (
            &[("pyproject.toml", "[tool.poetry.dev-dependencies]\nlib = [{path = \"lib\"}]\n")],
            "takes lib from the project",
        ),
        (
            &[("pyproject.toml", "[project]\ndependencies = [\"lib @ file:///app/lib\"]\n")],
            "from the project",
        ),
        (
            &[("pyproject.toml", "[tool.poetry.dependencies]\nlib = {file = \"lib.whl\"}\n")],
            "takes lib from the project",
        ),
        (&[("pyproject.toml", "[tool.poetry.requires-plugins]\nmy-plugin = \">1\"\n")], "requires plugins"),
        (&[("pyproject.toml", "[tool.poetry\n")], "pyproject.toml is not understood"),
        (
            &[("poetry.lock", "[package.source]\ntype = \"directory\"\nurl = \"lib\"\n")],
            "takes a package from the project",
        ),
        (
            &[("poetry.lock", "[package.source]\ntype = \"file\"\nurl = \"lib.whl\"\n")],
            "takes a package from the project",
        ),
        (&[("poetry.toml", "[virtualenvs]\npath = \".venvs\"\n")], "poetry.toml sets a path"),
        (&[(".venv/bin/python", "")], ".venv of the build context would overwrite"),
        (&[(".dockerignore", "*.toml\n")], "pyproject.toml is left out by the ignore file"),
    ] {
        declines(&with(POETRY, more), &dockerfile("poetry install --no-root"), reason);
    }
    for (run, reason) in [
        ("poetry install --no-root --directory lib", "what the option --directory reads is not known"),
        ("poetry install --no-root --project lib", "what the option --project reads is not known"),
        (
            "poetry build && poetry install --no-root",
            "`poetry build`, before the install, may read the project",
        ),
        (
            "poetry config --local virtualenvs.create false && poetry install",
            "before the install, may read the project",
        ),
        ("poetry install $FLAGS", "decided when the image is built"),
        ("./bin/poetry install", "the program ./bin/poetry comes with the project"),
    ] {
        declines(POETRY, &dockerfile(run), reason);
    }
    declines(
        POETRY,
        &dockerfile("poetry install --no-root").replace("COPY", "ENV POETRY_VIRTUALENVS_PATH=./x\nCOPY"),
        "POETRY_VIRTUALENVS_PATH names a file",
    );
}

const UV: &[(&str, &str)] = &[
    ("app.py", ""),
    ("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"flask>=3\"]\n"),
    (
        "uv.lock",
        "[[package]]\nname = \"app\"\nsource = { virtual = \".\" }\n\n[[package]]\nname = \"flask\"\nsource = { registry = \"https://example.com/simple\" }\n",
    ),
    (".python-version", "3.12\n"),
];
const UV_COPIES: &str = "COPY pyproject.toml uv.lock .python-version ./\n";

#[test]
fn uv() {
    for run in [
        "uv sync --frozen",
        "uv sync --locked --no-dev --no-cache",
        "pip install uv==0.4.20 && uv sync --frozen --no-install-project",
        "--mount=type=cache,target=/root/.cache/uv uv sync --frozen",
    ] {
        rewrites(UV, &dockerfile(run), &result(UV_COPIES, run));
    }
    assumes(UV, &dockerfile("uv sync"), &result(UV_COPIES, "uv sync"), "as --locked would");
    let package = &[(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\n[build-system]\nrequires = [\"hatchling\"]\n",
    )];
    assumes(
        &with(UV, package),
        &dockerfile("uv sync --frozen --no-dev"),
        &prepared(
            "COPY pyproject.toml uv.lock .python-version ./\n",
            "uv sync --frozen --no-dev --no-install-project",
            "uv sync --frozen --no-dev",
        ),
        "runs in addition",
    );
    rewrites(
        &[("requirements.txt", "flask==3.0.3\n"), ("app.py", "")],
        &dockerfile("uv pip install --system -r requirements.txt"),
        &result("COPY requirements.txt ./\n", "uv pip install --system -r requirements.txt"),
    );
    assumes(
        &[
            ("requirements.txt", "flask\n"),
            ("pyproject.toml", "[tool.uv]\nindex-url = \"https://example.com\"\n"),
        ],
        &dockerfile("uv pip install --system -r requirements.txt"),
        &result("COPY requirements.txt pyproject.toml ./\n", "uv pip install --system -r requirements.txt"),
        "no newer version of flask",
    );
}

#[test]
fn what_uv_needs_of_the_project() {
    let project = "[project]\nname = \"app\"\nversion = \"1\"\n";
    let with_more = |more: &str| format!("{project}{more}");
    for (more, reason) in [
        ("[tool.uv.workspace]\nmembers = [\"packages/*\"]\n", "is of a workspace"),
        ("[tool.uv.sources]\nlib = { path = \"lib\" }\n", "takes lib from the project"),
        ("[tool.uv.sources]\nlib = { workspace = true }\n", "takes lib from the project"),
        ("[tool.uv.sources]\nlib = [{ path = \"lib\", editable = true }]\n", "takes lib from the project"),
        ("[dependency-groups]\ndev = [\"lib @ file:lib\"]\n", "from the project"),
        ("[project.optional-dependencies]\nx = [\"./lib\"]\n", "from the project"),
    ] {
        let text = with_more(more);
        declines(&with(UV, &[("pyproject.toml", &text)]), &dockerfile("uv sync --locked"), reason);
    }
    for (more, reason) in [
        (
            &[("pyproject.toml", "[project]\nname = \"app\"\ndynamic = [\"version\"]\n")][..],
            "takes metadata from the sources",
        ),
        (&[("uv.lock", "source = { editable = \"lib\" }\n")], "uv.lock takes a package from the project"),
        (&[("uv.lock", "source = { directory = \"lib\" }\n")], "uv.lock takes a package from the project"),
        (&[("uv.lock", "source = { path = \"lib.whl\" }\n")], "uv.lock takes a package from the project"),
        (&[("uv.toml", "cache-dir-path = \".x\"\n")], "uv.toml sets a path"),
        (&[(".venv/x", "")], ".venv of the build context would overwrite"),
    ] {
        declines(&with(UV, more), &dockerfile("uv sync --locked"), reason);
    }
    for (run, reason) in [
        ("uv sync --frozen --package app", "what the option --package reads is not known"),
        ("uv sync --frozen --all-packages", "what the option --all-packages reads is not known"),
        ("uv sync --project lib", "what the option --project reads is not known"),
        ("uv pip install -r pyproject.toml", "a line that is not understood"),
        ("uv pip install -e .", "what the option -e reads is not known"),
        ("uv build && uv sync", "before the install, may read the project"),
    ] {
        declines(UV, &dockerfile(run), reason);
    }
}

const PIPENV: &[(&str, &str)] = &[
    ("Pipfile", "[packages]\nflask = \"*\"\n[requires]\npython_version = \"3.12\"\n"),
    ("Pipfile.lock", "{\"default\": {\"flask\": {\"version\": \"==3.0.3\"}}}"),
];

#[test]
fn pipenv() {
    let copies = "COPY Pipfile Pipfile.lock ./\n";
    for run in [
        "pipenv install --system --deploy",
        "pip install pipenv && pipenv sync --system",
        "pipenv install --system --ignore-pipfile --dev",
    ] {
        rewrites(PIPENV, &dockerfile(run), &result(copies, run));
    }
    let run = "pipenv install --system";
    assumes(PIPENV, &dockerfile(run), &result(copies, run), "as --deploy would");
    let run = "pipenv install --system --skip-lock";
    assumes(PIPENV, &dockerfile(run), &result(copies, run), "is installed without a lock");
    for (more, reason) in [
        (
            &[("Pipfile", "[packages]\napp = {path = \".\", editable = true}\n")][..],
            "takes app from the project",
        ),
        (&[("Pipfile", "[dev-packages]\nlib = {file = \"lib.whl\"}\n")], "takes lib from the project"),
        (
            &[("Pipfile.lock", "{\"default\": {\"app\": {\"editable\": true, \"path\": \".\"}}}")],
            "Pipfile.lock takes a package",
        ),
        (&[(".venv/x", "")], "would overwrite"),
        (&[(".dockerignore", "Pipfile\n")], "Pipfile is left out"),
        (&[("Pipfile", "[packages\n")], "Pipfile is not understood"),
    ] {
        declines(&with(PIPENV, more), &dockerfile("pipenv install --system --deploy"), reason);
    }
    declines(PIPENV, &dockerfile("pipenv install flask"), "it adds flask to Pipfile");
    declines(PIPENV, &dockerfile("pipenv install -e ."), "what the option -e reads is not known");
    declines(
        PIPENV,
        &dockerfile("pipenv install -r requirements.txt"),
        "what the option -r reads is not known",
    );
    declines(
        &[("requirements.txt", "")],
        &dockerfile("pipenv install"),
        "Pipfile is not in the build context",
    );
}

const PDM: &[(&str, &str)] = &[
    ("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n[tool.pdm]\ndistribution = false\n"),
    ("pdm.lock", "[[package]]\nname = \"flask\"\n"),
];

#[test]
fn pdm() {
    let copies = "COPY pyproject.toml pdm.lock ./\n";
    for run in [
        "pdm sync --prod",
        "pdm install --frozen-lockfile --prod --no-editable",
        "pdm install --check --no-self",
    ] {
        rewrites(PDM, &dockerfile(run), &result(copies, run));
    }
    assumes(PDM, &dockerfile("pdm install"), &result(copies, "pdm install"), "as --frozen-lockfile would");
    let package = with(PDM, &[("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n")]);
    assumes(
        &package,
        &dockerfile("pdm sync --prod"),
        &prepared(copies, "pdm sync --prod --no-self", "pdm sync --prod"),
        "runs in addition",
    );
    for (more, reason) in [
        (
            &[(
                "pyproject.toml",
                "[tool.pdm.dev-dependencies]\ndev = [\"-e file:///${PROJECT_ROOT}/lib\"]\n",
            )][..],
            "from the project",
        ),
        (
            &[("pyproject.toml", "[project]\ndependencies = [\"lib @ file:///${PROJECT_ROOT}/lib\"]\n")],
            "from the project",
        ),
        (&[("pyproject.toml", "[tool.pdm.scripts]\npost_install = \"make\"\n")], "the script post_install"),
        (
            &[("pyproject.toml", "[project]\nname = \"app\"\ndynamic = [\"version\"]\n")],
            "takes metadata from the sources",
        ),
        (&[("pyproject.toml", "[tool.pdm]\nplugins = [\"-e ./plugin\"]\n")], "requires plugins"),
        (&[("pdm.lock", "[[package]]\nname = \"lib\"\npath = \"./lib\"\n")], "pdm.lock takes a package"),
        (&[("__pypackages__/x", "")], "__pypackages__ comes with the project"),
        (&[(".pdm-python", "/usr/bin/python")], ".pdm-python comes with the project"),
        (&[(".venv/x", "")], "would overwrite"),
    ] {
        declines(&with(PDM, more), &dockerfile("pdm sync"), reason);
    }
    declines(PDM, &dockerfile("pdm install -p lib"), "what the option -p reads is not known");
    declines(PDM, &dockerfile("pdm build && pdm sync"), "before the install, may read the project");
}
