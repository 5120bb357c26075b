use dockeropt_facts::Project;
use dockeropt_facts::project::Caller;

use super::DevelopmentStage;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe, rewrites_in};

// A backtick keeps the layout with backticks away, which would write a SHELL below the new FROM, too.

fn known() -> Around {
    Around::files(&[])
}

fn called(target: &str) -> Around {
    let mut project = Project::default();
    project.callers.push(Caller { path: "compose.yaml".to_owned(), target: target.to_owned() });
    Around::project(project)
}

#[test]
fn tools_at_the_end_get_a_stage() {
    rewrites_in(
        &DevelopmentStage,
        &known(),
        "# `\nFROM a\nRUN x\n# tools\nRUN pip install pytest\n",
        "# `\nFROM a AS production\nRUN x\n\nFROM production AS development\n# tools\nRUN pip install pytest\n",
    );
    rewrites_in(
        &DevelopmentStage,
        &known(),
        "# `\nFROM a\nRUN x\n\nRUN pip install pytest\n\n# starts\nCMD y\nEXPOSE 80\n",
        "# `\nFROM a AS production\nRUN x\n\n# starts\nCMD y\nEXPOSE 80\n\nFROM production AS development\nRUN pip install pytest\n",
    );
    rewrites_in(
        &DevelopmentStage,
        &known(),
        "# `\nFROM a\nRUN x\nCOPY requirements-dev.txt .\nRUN pip install -r requirements-dev.txt\nRUN apt-get update && \\\n    apt-get install -y gdb \\\n    && rm -rf /var/lib/apt/lists/*\nCMD y\n",
        "# `\nFROM a AS production\nRUN x\nCMD y\n\nFROM production AS development\nCOPY requirements-dev.txt .\nRUN pip install -r requirements-dev.txt\nRUN apt-get update && \\\n    apt-get install -y gdb \\\n    && rm -rf /var/lib/apt/lists/*\n",
    );
}

#[test]
fn without_a_context_nobody_knows_the_callers() {
    needs_unsafe(
        &DevelopmentStage,
        "# `\nFROM a\nRUN x\nRUN npm install --only=dev\n",
        "# `\nFROM a AS production\nRUN x\n\nFROM production AS development\nRUN npm install --only=dev\n",
        "nobody builds the first stage by its number",
    );
}

#[test]
fn a_name_keeps_its_meaning() {
    rewrites_in(
        &DevelopmentStage,
        &called("app"),
        "# `\nFROM a as app\nRUN x\nRUN pip install pytest\n",
        "# `\nFROM a AS production\nRUN x\n\nFROM production AS app\nRUN pip install pytest\n",
    );
    declines_in(
        &DevelopmentStage,
        &called("production"),
        "FROM a AS production\nRUN x\nRUN pip install pytest\n",
        "the stage is called production already",
    );
    declines_in(
        &DevelopmentStage,
        &called("0"),
        "FROM a\nRUN x\nRUN pip install pytest\n",
        "compose.yaml builds the stage by its number",
    );
}

#[test]
fn what_has_no_tools_is_left_alone() {
    ignores(
        &DevelopmentStage,
        &[
            "FROM a\nRUN pip install -r requirements.txt\n",
            "FROM a\nRUN npm ci\nCMD x\n",
            "FROM a AS production\nRUN x\nFROM production AS development\nRUN pip install pytest\n",
        ],
    );
}

#[test]
fn what_is_not_at_the_end_or_not_alone_stays() {
    let follows = "follows it, and may depend on it";
    declines(
        &DevelopmentStage,
        &[
            ("FROM a\nRUN pip install pytest\nRUN x\n", follows),
            ("FROM a\nRUN pip install pytest\nCOPY . .\n", follows),
            ("FROM a\nRUN pip install pytest\nWORKDIR /x\n", follows),
            ("FROM a\nRUN pip install pytest\nUSER app\nCMD x\n", follows),
            ("FROM a\nRUN pip install pytest\nENV A=1\n", follows),
            ("FROM a\nRUN pip install pytest\nARG A=1\n", follows),
            ("FROM a\nRUN pip install pytest\nSHELL [\"/bin/bash\", \"-c\"]\nCMD x\n", follows),
            ("FROM a\nRUN pip install pytest\nVOLUME /x\n", follows),
            (
                "FROM a\nRUN pip install pytest\nONBUILD RUN x\n",
                "is a trigger, which would run in the new stage",
            ),
            ("FROM a\nRUN pip install pytest\nFROM b\nRUN x\n", "the file has several stages"),
            ("FROM a\nRUN x\nFROM b\nRUN pip install pytest\n", "the file has several stages"),
        ],
    );
}

#[test]
fn what_the_container_starts_with_stays() {
    declines(
        &DevelopmentStage,
        &[
            ("FROM a\nRUN pip install pytest\nCMD [\"pytest\", \"-q\"]\n", "line 3 starts pytest"),
            ("FROM a\nRUN npm install -g nodemon\nCMD nodemon app.js\n", "line 3 starts nodemon"),
            (
                "FROM a\nRUN pip install -r requirements-dev.txt\nCMD [\"python\", \"-m\", \"debugpy\", \"x.py\"]\n",
                "line 3 starts debugpy",
            ),
            ("FROM a\nRUN npm i -D vite\nENTRYPOINT [\"npx\", \"vite\"]\n", "line 3 starts vite"),
            (
                "FROM a\nRUN pip install pytest\nHEALTHCHECK CMD pytest --version\nCMD x\n",
                "line 3 starts pytest",
            ),
        ],
    );
    let start = "{\n  \"start\": \"nodemon app.js\"\n}";
    let package = Around::files(&[("package.json", start)]);
    declines_in(
        &DevelopmentStage,
        &package,
        "FROM a\nRUN npm install --only=dev\nCMD npm start\n",
        "package.json starts nodemon",
    );
    let script = Around::files(&[("run.sh", "exec pytest\n")]);
    declines_in(
        &DevelopmentStage,
        &script,
        "FROM a\nRUN pip install pytest\nCMD ./run.sh\n",
        "run.sh starts pytest",
    );
    let listed = Around::files(&[("requirements-dev.txt", "# tools\nhoncho==1.0\n")]);
    declines_in(
        &DevelopmentStage,
        &listed,
        "FROM a\nRUN pip install -r requirements-dev.txt\nCMD honcho start\n",
        "line 3 starts honcho",
    );
}
