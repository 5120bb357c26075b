//! `package.json`: what a project of Node.js depends on and runs.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The parts of a `package.json` that decide what a build does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeManifest {
    /// Commands by name.
    pub scripts: BTreeMap<String, String>,
    /// What only development needs.
    pub dev_dependencies: BTreeMap<String, String>,
    /// What the program needs.
    pub dependencies: BTreeMap<String, String>,
}

impl NodeManifest {
    /// Reads a `package.json`.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The commands that `npm run name` runs, with those before and behind it, and those that they run.
    pub fn commands(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            for name in [format!("pre{name}"), name.clone(), format!("post{name}")] {
                let Some(command) = self.scripts.get(&name) else { continue };
                if found.contains(&command.as_str()) {
                    continue;
                }
                found.push(command);
                open.extend(runs(command));
            }
        }
        found
    }
}

/// The scripts that a command runs by npm or yarn.
pub fn runs(command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || ";&|\"'[],".contains(c)).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !matches!(*word, "npm" | "yarn" | "pnpm") {
            continue;
        }
        let mut rest = words[at + 1..].iter().filter(|word| !word.starts_with('-'));
        match (rest.next(), rest.next()) {
            (Some(&("run" | "run-script")), Some(name)) => found.push((*name).to_owned()),
            (Some(&("start" | "test" | "restart" | "stop")), _) => {
                found.push(
                    words[at + 1..].iter().find(|word| !word.starts_with('-')).map_or("", |it| it).to_owned(),
                );
            }
            (Some(name), _) if *word == "yarn" => found.push((*name).to_owned()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_scripts() {
        let manifest = NodeManifest::parse(
            r#"{"scripts": {"start": "npm run serve -- --port 80", "prestart": "node check.js",
                "serve": "ts-node server.ts", "build": "tsc"}, "devDependencies": {"ts-node": "1"}}"#,
        )
        .unwrap();
        assert_eq!(
            manifest.commands("start"),
            ["node check.js", "npm run serve -- --port 80", "ts-node server.ts"]
        );
        assert_eq!(runs("[\"npm\", \"start\"]"), ["start"]);
        assert_eq!(runs("yarn --silent serve && npm test"), ["serve", "test"]);
        assert!(NodeManifest::parse("{").is_none());
    }
}
