use super::{assumes, declines, rewrites, with};

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "": {"name": "site", "dependencies": {"polka": "0.5.2"}},
    "node_modules/polka": {"version": "0.5.2", "resolved": "https://example.com/polka-0.5.2.tgz"}}}"#;
const PACKAGE: &str = r#"{"name": "site", "scripts": {"test": "x"}, "dependencies": {"polka": "0.5.2"}}"#;
const FILES: &[(&str, &str)] = &[("server.js", ""), ("package.json", PACKAGE), ("package-lock.json", LOCK)];

fn dockerfile(run: &str) -> String {
    format!("FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN {run}\nCMD [\"node\", \"server.js\"]\n")
}

fn result(copies: &str, run: &str) -> String {
    format!("FROM node:20-slim\nWORKDIR /app\n{copies}RUN {run}\nCOPY . .\nCMD [\"node\", \"server.js\"]\n")
}

const COPIES: &str = "COPY package.json package-lock.json ./\n";

#[test]
fn npm_ci() {
    for run in [
        "npm ci",
        "npm ci --omit=dev --no-audit --no-fund",
        "npm clean-install --production",
        "npm ci && npm cache clean --force",
        "--mount=type=cache,target=/root/.npm npm ci",
        "npm install -g npm@10 && npm ci",
        "NODE_ENV=production npm ci --loglevel warn",
    ] {
        rewrites(FILES, &dockerfile(run), &result(COPIES, run));
    }
    rewrites(
        &with(FILES, &[(".npmrc", "registry=https://example.com/\nengine-strict=true\n")]),
        &dockerfile("npm ci"),
        &result("COPY package.json package-lock.json .npmrc ./\n", "npm ci"),
    );
}

#[test]
fn what_developers_have_must_not_be_sent() {
    let files = with(FILES, &[(".dockerignore", "*.log\n")]);
    assumes(
        &files,
        &dockerfile("npm ci"),
        &result(COPIES, "npm ci"),
        "there is no node_modules when the image is built",
    );
}

#[test]
fn a_folder_below() {
    let files = &[("client/package.json", PACKAGE), ("client/package-lock.json", LOCK), ("main.py", "")];
    for run in ["cd client && npm ci", "npm --prefix client ci", "npm ci --prefix ./client"] {
        rewrites(
            files,
            &dockerfile(run),
            &result("COPY client/package.json client/package-lock.json ./client/\n", run),
        );
    }
}

#[test]
fn a_workspace() {
    let lock = r#"{"lockfileVersion": 3, "packages": {
        "": {"workspaces": ["packages/*"]},
        "node_modules/a": {"resolved": "packages/a", "link": true},
        "packages/a": {"version": "1.0.0"}}}"#;
    let files = &[
        ("package.json", r#"{"workspaces": ["packages/*"]}"#),
        ("package-lock.json", lock),
        ("packages/a/package.json", r#"{"name": "a"}"#),
        ("packages/a/index.js", ""),
        ("packages/README.md", ""),
    ];
    rewrites(
        files,
        &dockerfile("npm ci"),
        &result(&format!("{COPIES}COPY packages/a/package.json ./packages/a/\n"), "npm ci"),
    );
    declines(
        &with(files, &[("packages/a/package.json", r#"{"scripts": {"prepare": "tsc"}}"#)]),
        &dockerfile("npm ci"),
        "the script prepare of packages/a/package.json may need the sources",
    );
    declines(
        &with(files, &[("packages/a/package.json", r#"{"bin": "cli.js"}"#)]),
        &dockerfile("npm ci"),
        "packages/a/package.json has programs that are linked",
    );
    declines(
        &with(files, &[("packages/a/node_modules/x/index.js", "")]),
        &dockerfile("npm ci"),
        "packages/a/node_modules of the build context would overwrite",
    );
}

#[test]
fn npm_without_the_lock_being_kept() {
    assumes(
        FILES,
        &dockerfile("npm install"),
        &result(COPIES, "npm install"),
        "leaves package-lock.json as it is",
    );
    assumes(
        &[("package.json", PACKAGE)],
        &dockerfile("npm i --production"),
        &result("COPY package.json ./\n", "npm i --production"),
        "there is no package-lock.json",
    );
}

#[test]
fn scripts_of_packages() {
    let lock = |package: &str| {
        let package =
            format!("\"node_modules/{package}\": {{\"version\": \"1.0.0\", \"hasInstallScript\": true}}");
        format!("{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{}}, {package}}}}}")
    };
    let run = |package: &str| [("package.json", "{}".to_owned()), ("package-lock.json", lock(package))];
    let files = |files: &'static str| run(files);
    for (package, safe) in [("esbuild", true), ("unheard-of", false)] {
        let files = files(package);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        if safe {
            rewrites(&files, &dockerfile("npm ci"), &result(COPIES, "npm ci"));
        } else {
            let assumption = "the install script of unheard-of does not read the project";
            assumes(&files, &dockerfile("npm ci"), &result(COPIES, "npm ci"), assumption);
            let run = "npm ci --ignore-scripts";
            rewrites(&files, &dockerfile(run), &result(COPIES, run));
        }
    }
    for package in ["@prisma/client", "puppeteer", "husky", "msw"] {
        let files = files(package);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        declines(
            &files,
            &dockerfile("npm ci"),
            &format!("the install script of {package} may read the project"),
        );
    }
}

#[test]
fn package_json_that_needs_the_project() {
    for (package, reason) in [
        (r#"{"scripts": {"postinstall": "patch-package"}}"#, "the script postinstall of package.json"),
        (r#"{"scripts": {"prepare": "husky install"}}"#, "the script prepare"),
        (r#"{"scripts": {"preinstall": "node check.js"}}"#, "the script preinstall"),
        (r#"{"scripts": {"install": "node-gyp rebuild"}}"#, "the script install"),
        (r#"{"scripts": {"prepublish": "tsc"}}"#, "the script prepublish"),
        (r#"{"scripts": {"preprepare": "tsc"}}"#, "the script preprepare"),
        (r#"{"dependencies": {"lib": "file:../lib"}}"#, "takes lib from file:../lib"),
        (r#"{"dependencies": {"lib": "./lib"}}"#, "takes lib from ./lib"),
        (r#"{"devDependencies": {"lib": "link:lib"}}"#, "takes lib from link:lib"),
        (r#"{"optionalDependencies": {"lib": "vendor/lib.tgz"}}"#, "takes lib from vendor/lib.tgz"),
        (r#"{"dependencies": {"lib": "workspace:*"}}"#, "takes lib from workspace:*"),
        (r#"{"overrides": {"a": {"lib": "file:lib"}}}"#, "takes lib from file:lib"),
        (r#"{"workspaces": ["packages/{a,b}"]}"#, "the workspaces packages/{a,b} are not understood"),
        (r#"{"workspaces": [1]}"#, "the workspaces of package.json are not understood"),
        ("{", "package.json is not understood"),
        ("[]", "package.json is not understood"),
    ] {
        declines(&with(FILES, &[("package.json", package)]), &dockerfile("npm ci"), reason);
    }
}

#[test]
fn projects_that_npm_reads_more_of() {
    let ci = dockerfile("npm ci");
    for (files, reason) in [
        (&[("binding.gyp", "{}")][..], "binding.gyp has an add-on compiled"),
        (&[("node_modules/polka/index.js", "")], "node_modules of the build context would overwrite"),
        (&[(".npmrc", "cache=.npm\n")], ".npmrc sets cache"),
        (&[(".npmrc", "cafile=ca.pem\n")], ".npmrc sets cafile"),
        (&[(".npmrc", "script-shell=./sh\n")], ".npmrc sets script-shell"),
        (&[(".npmrc", "node-options=--require ./x.js\n")], ".npmrc sets node-options"),
        (&[(".npmrc", "userconfig=/app/npmrc\n")], ".npmrc sets userconfig"),
        (&[("package-lock.json", "{")], "package-lock.json is not understood"),
        (
            &[(
                "package-lock.json",
                r#"{"lockfileVersion": 3, "packages": {"lib": {}, "node_modules/lib": {"resolved": "lib", "link": true}}}"#,
            )],
            "from the project",
        ),
        (
            &[(
                "package-lock.json",
                r#"{"lockfileVersion": 1, "dependencies": {"lib": {"version": "file:lib"}}}"#,
            )],
            "package-lock.json takes lib from the project",
        ),
        (
            &[(
                "package-lock.json",
                r#"{"lockfileVersion": 2, "packages": {"node_modules/lib": {"resolved": "file:lib.tgz"}}}"#,
            )],
            "from the project",
        ),
        (&[(".dockerignore", "package.json\n")], "package.json is left out by the ignore file"),
        (&[(".dockerignore", "package-lock.json\n")], "there is no package-lock.json"),
        (&[(".dockerignore", "**/*.json\n!package-lock.json\n")], "package.json is left out"),
    ] {
        declines(&with(FILES, files), &ci, reason);
    }
    declines(&[("server.js", "")], &ci, "package.json is not in the build context");
    let ignored = [("node_modules/polka/index.js", ""), (".dockerignore", "node_modules\n")];
    rewrites(&with(FILES, &ignored), &ci, &result(COPIES, "npm ci"));
}

#[test]
fn commands_of_npm_that_need_the_project() {
    for (run, reason) in [
        ("npm ci && npm install express", "it adds express to package.json"),
        ("npm install -g . && npm ci", "it installs ., which is made of the sources"),
        ("npm ci --cache .npm", "it writes into .npm"),
        ("npm ci --userconfig npmrc", "what the option --userconfig reads is not known"),
        ("npm ci -w packages/a", "what the option -w reads is not known"),
        ("npm run build && npm ci", "`npm run build`, before the install, may read the project"),
        ("npm ci $FLAGS", "decided when the image is built"),
        ("if [ -f package-lock.json ]; then npm ci; else npm install; fi", "control structure"),
        ("npm ci --prefix /srv/other", "/srv/other does not come with it"),
    ] {
        declines(FILES, &dockerfile(run), reason);
    }
}

const YARN_LOCK: &str = "# yarn lockfile v1\n\n\npolka@0.5.2:\n  version \"0.5.2\"\n  resolved \"https://example.com/polka-0.5.2.tgz#01\"\n";

#[test]
fn yarn_1() {
    let files = &[("package.json", PACKAGE), ("yarn.lock", YARN_LOCK), ("server.js", "")];
    let copies = "COPY package.json yarn.lock ./\n";
    let run = "yarn install --frozen-lockfile --ignore-scripts --production";
    rewrites(files, &dockerfile(run), &result(copies, run));
    let run = "yarn --frozen-lockfile && yarn build";
    assumes(
        files,
        &dockerfile(run),
        "FROM node:20-slim\nWORKDIR /app\nCOPY package.json yarn.lock ./\nRUN yarn --frozen-lockfile\nCOPY . .\nRUN yarn build\nCMD [\"node\", \"server.js\"]\n",
        "no package runs an install script that reads the project",
    );
    assumes(files, &dockerfile("yarn"), &result(copies, "yarn"), "leaves yarn.lock as it is");
    let with_path = with(
        files,
        &[
            (".yarnrc", "yarn-path \".yarn/releases/yarn-1.22.22.cjs\"\n"),
            (".yarn/releases/yarn-1.22.22.cjs", ""),
        ],
    );
    rewrites(
        &with_path,
        &dockerfile("yarn --frozen-lockfile --ignore-scripts"),
        &result(
            "COPY package.json yarn.lock .yarnrc ./\nCOPY .yarn/releases/yarn-1.22.22.cjs ./.yarn/releases/\n",
            "yarn --frozen-lockfile --ignore-scripts",
        ),
    );
    for (more, reason) in [
        (&[(".yarnrc", "yarn-offline-mirror \"./mirror\"\n")][..], ".yarnrc sets yarn-offline-mirror"),
        (&[(".yarnrc", "yarn-path \".yarn/releases/none.cjs\"\n")], "which is not in the build context"),
        (
            &[("yarn.lock", "\"lib@file:lib\":\n  version \"0.0.0\"\n")],
            "yarn.lock takes lib@file:lib from the project",
        ),
        (
            &[("yarn.lock", "\"@prisma/client@^5\":\n  version \"5.0.0\"\n")],
            "the install script of @prisma/client",
        ),
        (&[("node_modules/x/index.js", "")], "would overwrite what is installed"),
        (&[("package.json", r#"{"scripts": {"postinstall": "x"}}"#)], "the script postinstall"),
    ] {
        declines(&with(files, more), &dockerfile("yarn install --frozen-lockfile"), reason);
    }
}

#[test]
fn later_yarns() {
    let lock = "__metadata:\n  version: 8\n\n\"polka@npm:0.5.2\":\n  version: 0.5.2\n  resolution: \"polka@npm:0.5.2\"\n\n\"site@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"site@workspace:.\"\n";
    let files = &[
        ("package.json", PACKAGE),
        ("yarn.lock", lock),
        (
            ".yarnrc.yml",
            "nodeLinker: node-modules\n\nyarnPath: .yarn/releases/yarn-4.5.0.cjs\nenableScripts: false\n",
        ),
        (".yarn/releases/yarn-4.5.0.cjs", ""),
        ("server.js", ""),
    ];
    let run = "yarn install --immutable";
    let copies =
        "COPY package.json yarn.lock .yarnrc.yml ./\nCOPY .yarn/releases/yarn-4.5.0.cjs ./.yarn/releases/\n";
    rewrites(files, &dockerfile(run), &result(copies, run));
    let run = "corepack enable && yarn";
    assumes(files, &dockerfile(run), &result(copies, run), "as --immutable would");
    let run = "corepack enable && yarn install --immutable";
    assumes(
        files,
        &dockerfile(run),
        &result(copies, run),
        "packageManager that corepack adds to package.json",
    );
    for (more, reason) in [
        (&[(".yarn/cache/polka.zip", "")][..], ".yarn/cache comes with the project"),
        (&[(".pnp.cjs", "")], ".pnp.cjs comes with the project"),
        (&[(".yarnrc.yml", "cacheFolder: ./cache\n")], ".yarnrc.yml sets cacheFolder"),
        (&[(".yarnrc.yml", "yarnPath: ../yarn.cjs\n")], "which is not in the build context"),
        (&[("yarn.lock", "__metadata:\n\n\"lib@portal:./lib\":\n  version: 0\n")], "from the project"),
        (
            &[("yarn.lock", "__metadata:\n\n\"lib@workspace:lib\":\n  version: 0\n")],
            "yarn.lock takes lib from the project",
        ),
    ] {
        declines(&with(files, more), &dockerfile("yarn install --immutable"), reason);
    }
}

#[test]
fn pnpm() {
    let lock = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      polka:\n        specifier: 0.5.2\n        version: 0.5.2\n";
    let files = &[("package.json", PACKAGE), ("pnpm-lock.yaml", lock), ("server.js", "")];
    let copies = "COPY package.json pnpm-lock.yaml ./\n";
    let run = "corepack enable && pnpm install --frozen-lockfile --ignore-scripts";
    assumes(
        files,
        &dockerfile(run),
        &result(copies, run),
        "packageManager that corepack adds to package.json",
    );
    let versioned = PACKAGE.replacen('{', "{\"packageManager\": \"pnpm@9.15.9\",", 1);
    rewrites(&with(files, &[("package.json", &versioned)]), &dockerfile(run), &result(copies, run));
    let told = |file: &str| file.replacen("COPY", "ENV COREPACK_ENABLE_AUTO_PIN=0\nCOPY", 1);
    rewrites(files, &told(&dockerfile(run)), &told(&result(copies, run)));
    let run = "pnpm fetch && pnpm install --offline --frozen-lockfile --ignore-scripts";
    rewrites(files, &dockerfile(run), &result("COPY pnpm-lock.yaml package.json ./\n", run));
    let run = "pnpm install --frozen-lockfile --prod";
    assumes(files, &dockerfile(run), &result(copies, run), "no package runs an install script");
    assumes(files, &dockerfile("pnpm i"), &result(copies, "pnpm i"), "as --frozen-lockfile would");
    let patched = "lockfileVersion: '9.0'\n\npatchedDependencies:\n  polka@0.5.2:\n    hash: 0\n    path: patches/polka.patch\n\nimporters:\n";
    let run = "pnpm install --frozen-lockfile --ignore-scripts";
    rewrites(
        &with(files, &[("pnpm-lock.yaml", patched), ("patches/polka.patch", "")]),
        &dockerfile(run),
        &result("COPY package.json pnpm-lock.yaml ./\nCOPY patches/polka.patch ./patches/\n", run),
    );
    let workspace = &[
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n"),
        ("packages/a/package.json", r#"{"dependencies": {"b": "workspace:*"}}"#),
        ("packages/b/package.json", "{}"),
        (
            "pnpm-lock.yaml",
            "importers:\n  packages/a:\n    dependencies:\n      b:\n        version: link:../b\n",
        ),
    ];
    rewrites(
        &with(files, workspace),
        &dockerfile(run),
        &result(
            "COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./\nCOPY packages/a/package.json ./packages/a/\nCOPY packages/b/package.json ./packages/b/\n",
            run,
        ),
    );
    for (more, reason) in [
        (&[("pnpm-lock.yaml", patched)][..], "patches/polka.patch is not in the build context"),
        (
            &[("pnpm-lock.yaml", "patchedDependencies:\n  polka@0.5.2: 0123\n")],
            "which patches pnpm applies is not known",
        ),
        (&[("pnpm-lock.yaml", "      lib:\n        version: link:../lib\n")], "takes a package from ../lib"),
        (
            &[("pnpm-lock.yaml", "      lib:\n        version: file:lib\n")],
            "takes a package from the project",
        ),
        (&[(".pnpmfile.cjs", "require('./hooks')")], ".pnpmfile.cjs may read other files"),
        (&[("pnpm-workspace.yaml", "packages:\n  - '!x'\n")], "the workspaces !x are not understood"),
        (
            &[("pnpm-workspace.yaml", "configDependencies:\n  a: 1\n")],
            "pnpm-workspace.yaml sets configDependencies",
        ),
        (&[("package.json", r#"{"scripts": {"pnpm:devPreinstall": "x"}}"#)], "the script pnpm:devPreinstall"),
        (&[("node_modules/.pnpm/x", "")], "would overwrite"),
    ] {
        declines(&with(files, more), &dockerfile("pnpm install --frozen-lockfile"), reason);
    }
    for (run, reason) in [
        ("pnpm install express", "it adds express"),
        ("pnpm install --filter web", "what the option --filter reads is not known"),
        ("pnpm install --store-dir .store", "it writes into .store"),
        ("pnpm build && pnpm install", "before the install, may read the project"),
    ] {
        declines(files, &dockerfile(run), reason);
    }
}

#[test]
fn bun() {
    let package = r#"{"name": "site"}"#;
    let files =
        &[("package.json", package), ("bun.lock", "{}"), ("bunfig.toml", "[install]\nexact = true\n")];
    let run = "bun install --frozen-lockfile";
    let copies = "COPY package.json bun.lock bunfig.toml ./\n";
    rewrites(files, &dockerfile(run), &result(copies, run));
    assumes(files, &dockerfile("bun install"), &result(copies, "bun install"), "as --frozen-lockfile would");
    assumes(
        &with(files, &[("package.json", PACKAGE)]),
        &dockerfile("bun ci"),
        &result(copies, "bun ci"),
        "no package runs an install script",
    );
    for (more, reason) in [
        (
            &[("package.json", r#"{"patchedDependencies": {"a@1": "patches/a.patch"}}"#)][..],
            "has packages patched",
        ),
        (&[("bunfig.toml", "preload = [\"./x.ts\"]\n")], "bunfig.toml may name files"),
        (
            &[("bun.lock", "{\"packages\": {\"lib\": [\"lib@file:lib\", {}]}}")],
            "takes a package from the project",
        ),
        (&[("package.json", r#"{"scripts": {"postinstall": "x"}}"#)], "the script postinstall"),
        (&[("package.json", r#"{"dependencies": {"lib": "file:lib"}}"#)], "takes lib from file:lib"),
        (&[("node_modules/x/y", "")], "would overwrite"),
    ] {
        declines(&with(files, more), &dockerfile(run), reason);
    }
    declines(files, &dockerfile("bun install lodash"), "it adds lodash");
    declines(files, &dockerfile("bun install --cwd client"), "what the option --cwd reads is not known");
}
