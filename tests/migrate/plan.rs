//! `migrate plan`.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{ARTICLE, Bench, CLEAN, FOUR, UBUNTU};

#[test]
fn a_plan_has_fixes_patches_and_a_page() {
    let bench = Bench::new();
    bench.repository("src/app", &[("Dockerfile", ARTICLE.as_bytes())]);
    bench.repository("src/clean", &[("Dockerfile", CLEAN.as_bytes())]);
    let said = bench.ok(&format!("migrate plan src -o plan {FOUR}"));
    assert!(said.contains("2 repositories: 1 would change, 1 need nothing, 0 failed"), "{said}");
    let transforms: Vec<_> = bench.fixes("src-app").into_iter().map(|[transform, ..]| transform).collect();
    let expected =
        ["merge-run", "no-recommends", "clean-package-cache", "clean-package-cache", "copy-after-install"];
    assert_eq!(transforms, expected);
    let body = bench.read("plan/src-app/body.md");
    assert!(body.contains("`merge-run`") && body.contains("dockeropt verify"), "{body}");
    assert!(bench.read("plan/report.html").contains("src-app"));
    assert!(!bench.path("plan/src-clean/patches").exists());
}

/// `git am` takes both stacks, and what comes out is what `fix` makes of the files.
#[test]
fn git_takes_the_patches() {
    let bench = Bench::new();
    let crlf = UBUNTU.replace('\n', "\r\n");
    let latin: &[u8] = b"FROM debian:12\n# caf\xe9 \"=\"\nRUN apt-get update\nRUN apt-get install -y curl";
    let files: [(&str, &[u8]); 5] = [
        ("Dockerfile", ARTICLE.as_bytes()),
        ("crlf/Dockerfile", crlf.as_bytes()),
        ("latin/Dockerfile", latin),
        ("with space/Dockerfile.b", UBUNTU.as_bytes()),
        ("Dockerfile.\"q\"", UBUNTU.as_bytes()),
    ];
    bench.repository("app", &files);
    bench.ok("migrate plan app -o plan");
    let name = bench.json("plan/plan.json")["repositories"][0]["name"].as_str().unwrap().to_owned();
    for (kind, option) in [("safe", ""), ("all", "--unsafe")] {
        bench.git("", &["clone", "-q", "app", &format!("am-{kind}")]);
        bench.git("", &["clone", "-q", "app", &format!("fix-{kind}")]);
        let mut patches: Vec<_> = fs::read_dir(bench.path(&format!("plan/{name}/patches/{kind}")))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        patches.sort();
        assert!(patches.len() >= 3, "{patches:?}");
        let mut arguments = vec!["am".into(), "-q".into()];
        arguments.extend(patches.iter().map(|path| path.clone().into_os_string()));
        bench.git(&format!("am-{kind}"), &arguments);
        bench.ok(&format!("fix --write {option} fix-{kind}"));
        for (path, _) in files {
            let read = |folder: &str| fs::read(bench.path(&format!("{folder}-{kind}/{path}"))).unwrap();
            assert_eq!(read("am"), read("fix"), "{kind} {path}");
        }
        let commits = bench.subjects(&format!("am-{kind}"), "origin/main..");
        assert_eq!(commits.len(), patches.len());
    }
}

#[test]
fn bad_repositories_are_recorded_and_the_others_go_on() {
    let bench = Bench::new();
    let good = bench.served("org/good", &[("Dockerfile", ARTICLE.as_bytes())]);
    fs::create_dir_all(bench.path("served/org/empty.git")).unwrap();
    bench.git("served/org/empty.git", &["init", "-q", "--bare"]);
    fs::create_dir_all(bench.path("plain")).unwrap();
    let list = format!(
        "{good}\n{good} missing\n{}\n{}\nplain\next::touch%20{}\n--upload-pack=x\n",
        bench.url("org/empty"),
        bench.url("org/none"),
        bench.path("ran").display(),
    );
    bench.write("list", list);
    let run = bench.run("migrate plan list -o plan");
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for reason in [
        "has no branch or tag `missing`",
        "is empty",
        "does not appear to be a git repository",
        "is no git repository",
        "names a program",
    ] {
        assert!(run.stderr.contains(reason), "{reason}: {}", run.stderr);
    }
    assert!(run.stderr.contains("7 repositories: 1 would change"), "{}", run.stderr);
    assert!(!bench.path("ran").exists());
    let status = bench.run("migrate status plan --format json").stdout;
    assert!(status.contains("\"failed\": 6"), "{status}");
}

#[test]
fn a_bad_file_costs_only_itself() {
    let bench = Bench::new();
    let files: [(&str, &[u8]); 4] = [
        ("Dockerfile", ARTICLE.as_bytes()),
        ("a/Dockerfile", b"FROM a\nNOSUCH b\n"),
        ("b/Dockerfile", b"F\0R\0O\0M\0"),
        ("c/Dockerfile", UBUNTU.as_bytes()),
    ];
    bench.repository("app", &files);
    bench.write("app/c/dockeropt.toml", "edition = 99\n");
    bench.commit("app");
    let run = bench.run("migrate plan app -o plan");
    assert_eq!(run.code, Some(2));
    for said in [
        "a/Dockerfile:2: unknown instruction",
        "b/Dockerfile: is a binary file",
        "c/Dockerfile: c/dockeropt.toml:1:11: there is no edition 99",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(run.stderr.contains("1 would change"), "{}", run.stderr);
}

#[test]
fn what_fix_leaves_out_is_left_out() {
    let bench = Bench::new();
    bench.repository("other", &[("Dockerfile", ARTICLE.as_bytes())]);
    let generated = format!("# Code generated by make. DO NOT EDIT.\n{ARTICLE}");
    bench.repository(
        "app",
        &[
            ("vendor/Dockerfile", ARTICLE.as_bytes()),
            ("a/node_modules/b/Dockerfile", ARTICLE.as_bytes()),
            ("Dockerfile.j2", ARTICLE.as_bytes()),
            ("gen/Dockerfile", generated.as_bytes()),
            ("build/real", UBUNTU.as_bytes()),
        ],
    );
    bench.write("secret", UBUNTU);
    symlink("../secret", bench.path("app/Dockerfile.out")).unwrap();
    symlink(bench.path("secret"), bench.path("app/Dockerfile.abs")).unwrap();
    symlink("nowhere", bench.path("app/Dockerfile.broken")).unwrap();
    symlink("build/real", bench.path("app/Dockerfile")).unwrap();
    let other = bench.path("other");
    bench.git("app", &["submodule", "--quiet", "add", other.to_str().unwrap(), "sub"]);
    bench.commit("app");
    bench.ok("migrate plan app -o plan");
    let name = bench.json("plan/plan.json")["repositories"][0]["name"].as_str().unwrap().to_owned();
    let paths: Vec<_> = bench.fixes(&name).into_iter().map(|[_, _, path, _]| path).collect();
    assert!(!paths.is_empty() && paths.iter().all(|path| path == "build/real"), "{paths:?}");
    let left_out = bench.entry(&name)["left_out"].clone();
    let expected = serde_json::json!({
        "broken link": 1, "generated": 1, "link out of the tree": 2, "submodule": 1, "template": 1,
        "vendor, node_modules": 2
    });
    assert_eq!(left_out, expected);
}

#[test]
fn clones_are_shallow_hold_no_other_files_and_are_kept() {
    let bench = Bench::new();
    let url = bench.served("org/app", &[("Dockerfile", ARTICLE.as_bytes()), ("large", &[b'x'; 100_000])]);
    bench.write("work/org/app/more", "x");
    bench.commit("work/org/app");
    let bare = bench.path("served/org/app.git");
    bench.git("work/org/app", &["push", "-q", bare.to_str().unwrap(), "main"]);
    bench.ok(&format!("migrate plan {url} -o plan"));
    let clones = || -> Vec<String> {
        let all = fs::read_dir(bench.path("cache/dockeropt")).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".git")).map(|name| format!("cache/dockeropt/{name}")).collect()
    };
    let clone = clones().remove(0);
    assert_eq!(bench.git(&clone, &["rev-list", "--count", "refs/dockeropt/base"]), "1");
    let missing = bench.git(&clone, &["rev-list", "--objects", "--missing=print", "refs/dockeropt/base"]);
    assert_eq!(missing.lines().filter(|line| line.starts_with('?')).count(), 2, "{missing}");
    let packs = || fs::read_dir(bench.path(&format!("{clone}/objects/pack"))).unwrap().count();
    let before = packs();
    bench.ok(&format!("migrate plan {url} -o plan"));
    assert_eq!((packs(), clones().len()), (before, 1), "nothing is fetched again");
    bench.write("work/org/app/Dockerfile", UBUNTU);
    bench.commit("work/org/app");
    bench.git("work/org/app", &["push", "-q", bare.to_str().unwrap(), "main"]);
    bench.ok(&format!("migrate plan {url} -o plan"));
    assert!(packs() > before && clones().len() == 1);
    assert_eq!(bench.fixes("org-app").len(), 3);
}

#[test]
fn what_is_too_large_or_takes_too_long_is_stopped() {
    let bench = Bench::new();
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..3_000_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let url = bench.served("org/huge", &[("Dockerfile", ARTICLE.as_bytes()), ("noise", &noise)]);
    bench.git("served/org/huge.git", &["config", "uploadpack.allowFilter", "false"]);
    let run = bench.run(&format!("migrate plan {url} -o plan --max-size 1"));
    assert!(run.stderr.contains("more than 1 MB, which --max-size allows"), "{}", run.stderr);
    let run = bench.run(&format!("migrate plan {url} -o plan --timeout 0"));
    assert!(run.stderr.contains("took longer than 0 s, which --timeout allows"), "{}", run.stderr);
    bench.ok(&format!("migrate plan {url} -o plan --retry-failed"));
    assert_eq!(bench.status("org-huge")["status"], "planned");
}

#[test]
fn a_repository_whose_image_others_start_from_is_marked() {
    let bench = Bench::new();
    let base = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n";
    bench.served("org/base", &[("Dockerfile", base.as_bytes())]);
    bench.served("org/named", &[("Dockerfile", base.as_bytes())]);
    bench.served("org/app", &[("Dockerfile", b"FROM registry.example.com/org/base:1\nFROM tools/odd\n")]);
    let list = ["org/base", "org/named", "org/app"].map(|name| bench.url(name));
    bench.write("list", format!("{}\n{} image=tools/odd\n{}\n", list[0], list[1], list[2]));
    bench.ok("migrate plan list -o plan");
    for name in ["org-base", "org-named"] {
        assert_eq!(bench.entry(name)["used_by"], serde_json::json!(["org-app"]), "{name}");
        let safe: Vec<_> = bench.fixes(name).into_iter().filter(|fix| fix[1] == "safe").collect();
        assert!(safe.iter().all(|fix| fix[0] == "merge-run") && !safe.is_empty(), "{safe:?}");
        let patches = fs::read_dir(bench.path(&format!("plan/{name}/patches/safe"))).unwrap();
        assert_eq!(patches.count(), 1);
    }
    bench.ok("migrate plan served/org/base.git -o plan");
    let name = bench.json("plan/plan.json")["repositories"][0]["name"].as_str().unwrap().to_owned();
    assert!(bench.fixes(&name).iter().any(|fix| fix[0] == "clean-package-cache" && fix[1] == "safe"));
}

#[test]
fn parts_of_a_list_join_to_the_whole_plan() {
    let bench = Bench::new();
    let base = "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n";
    let mut list = vec![bench.served("org/base", &[("Dockerfile", base.as_bytes())])];
    list.push(bench.served("org/app", &[("Dockerfile", b"FROM org/base\nRUN apt-get install -y gcc\n")]));
    list.push(bench.served("org/third", &[("Dockerfile", UBUNTU.as_bytes())]));
    list.push(bench.url("org/none"));
    bench.write("list", list.join("\n"));
    bench.run("migrate plan list -o plan");
    let mut parts = Vec::new();
    for part in 1..=3 {
        bench.run(&format!("migrate plan list -o part{part} --shard {part}/3"));
        parts.push(format!("part{part}"));
    }
    let alone = bench.json("part1/plan.json");
    assert_eq!(alone["repositories"][0]["used_by"], serde_json::Value::Null);
    let run = bench.run(&format!("migrate merge {} -o joined", parts.join(" ")));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let sorted = |plan: &str| {
        let mut entries = bench.json(plan)["repositories"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["name"].as_str().unwrap().to_owned());
        entries
    };
    assert_eq!(sorted("joined/plan.json"), sorted("plan/plan.json"));
    let diff = bench.command("diff").args(["-r", "joined/org-base", "plan/org-base"]).output().unwrap();
    assert!(diff.status.success(), "{}", String::from_utf8_lossy(&diff.stdout));
    bench.ok("migrate apply joined --accept safe --branch x");
    assert!(bench.run("migrate merge part1 part1 -o twice").stderr.contains("is in two plans"));
}

#[test]
fn a_project_chooses_by_its_own_configuration() {
    let bench = Bench::new();
    bench.repository(
        "src/own",
        &[("Dockerfile", UBUNTU.as_bytes()), ("dockeropt.toml", b"skip = [\"merge-run\"]\nedition = 1\n")],
    );
    bench.repository("src/other", &[("Dockerfile", UBUNTU.as_bytes())]);
    bench.write("dockeropt.toml", "skip = [\"no-recommends\"]\n");
    bench.ok("migrate plan src -o plan");
    let has = |name: &str, transform: &str| bench.fixes(name).iter().any(|fix| fix[0] == transform);
    assert!(!has("src-own", "merge-run") && has("src-own", "no-recommends"));
    assert!(has("src-other", "merge-run") && !has("src-other", "no-recommends"));
    bench.ok("migrate plan src -o plan --skip merge-run --only clean-package-cache");
    assert!(!has("src-other", "merge-run") && !has("src-other", "no-recommends"));
}

#[test]
fn secrets_stay_out_of_the_plan_and_the_page() {
    let bench = Bench::new();
    let file = UBUNTU.replace("RUN apt-get update\n", "ENV API_TOKEN=hunter2hunter2\nRUN apt-get update\n");
    bench.repository("app", &[("Dockerfile", file.as_bytes())]);
    bench.ok("migrate plan app -o plan");
    for file in ["plan/plan.json", "plan/report.html"] {
        assert!(!bench.read(file).contains("hunter2"), "{file}");
    }
    let run = bench.run("migrate plan https://user:hunter2@example.com/a -o plan");
    assert!(run.stderr.contains("credential helper") && !run.stderr.contains("hunter2"), "{}", run.stderr);
    assert!(!bench.read("plan/plan.json").contains("hunter2"));
}

#[test]
fn a_folder_inside_a_repository_is_refused_and_lists_are_read_from_standard_input() {
    let bench = Bench::new();
    bench.repository("app", &[("docker/Dockerfile", UBUNTU.as_bytes())]);
    let run = bench.run("migrate plan app/docker -o plan");
    assert!(run.stderr.contains("is in the repository"), "{}", run.stderr);
    bench.write("list", "app # ours\n\n");
    let list = fs::File::open(bench.path("list")).unwrap();
    let output = bench
        .command(crate::support::program())
        .args(["migrate", "plan", "-", "-o", "plan"])
        .stdin(list)
        .output();
    assert!(output.unwrap().status.success());
    assert_eq!(bench.json("plan/plan.json")["repositories"].as_array().unwrap().len(), 1);
}
