//! .NET.

use super::answer::{Answer, Needs, Question, folder_of, is_anything_sent, join};
use super::options::{Known, Options};

const KNOWN: Known = Known {
    flags: &[
        "--force",
        "--locked-mode",
        "--no-cache",
        "--no-self-contained",
        "--nologo",
        "--self-contained",
        "--no-restore",
        "--sc",
    ],
    values: &[
        "--arch",
        "--configuration",
        "--framework",
        "--output",
        "--os",
        "--runtime",
        "--verbosity",
        "-a",
        "-c",
        "-f",
        "-o",
        "-r",
        "-v",
    ],
};

/// `dotnet restore`, and `dotnet build` and `dotnet publish`, before which it can be put.
pub(super) fn answer(question: &Question<'_>) -> Result<Answer, String> {
    // `/p:Name=value` is a property, and so is `-p:Name=value`.
    if let Some(property) = question.words.iter().find(|word| {
        ["/p:", "-p:", "--property", "/property", "-p"].iter().any(|start| word.starts_with(start))
            && **word != "-p"
    }) {
        let restores = ["Configuration", "UseAppHost", "PublishDir", "DebugType", "DebugSymbols", "Version"];
        if !restores.iter().any(|name| property.contains(&format!(":{name}="))) {
            return Err(format!("what the option {property} does to the restore is not known"));
        }
    }
    let words: Vec<&str> = question
        .words
        .iter()
        .copied()
        .filter(|word| !word.starts_with("/p:") && !word.starts_with("-p:"))
        .collect();
    let options = Options::read(&words, &KNOWN)?;
    let (verb, target) = match options.operands[..] {
        [verb @ ("restore" | "build" | "publish")] => (verb, None),
        [verb @ ("restore" | "build" | "publish"), target] => (verb, Some(target)),
        _ => return Ok(Answer::Other),
    };
    if target.is_some_and(|target| target.contains('\0')) {
        return Err("a word of the install is decided when the image is built".to_owned());
    }
    if options.has(&["--no-restore"]) {
        return Ok(Answer::Other);
    }
    let mut reader = Reader { question, needs: Needs::default() };
    let start = reader.start(target)?;
    reader.read(&start)?;
    reader.settings(folder_of(&start));
    reader.check_settings()?;
    let mut needs = reader.needs;
    if verb == "restore" {
        return Ok(Answer::Passes(needs));
    }
    let mut command = "dotnet restore".to_owned();
    if let Some(target) = target {
        command += &format!(" {target}");
    }
    if let Some(runtime) = options.value(&["-r", "--runtime"]) {
        command += &format!(" -r {runtime}");
    } else if options.has(&["-a", "--arch", "--os"]) {
        return Err("which runtime it is for is decided by several options".to_owned());
    }
    needs.assume("a restore of its own finds what the build needs");
    Ok(Answer::Prepared(needs, vec![command]))
}

struct Reader<'r, 'q> {
    question: &'r Question<'q>,
    needs: Needs,
}

const PROJECTS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

impl Reader<'_, '_> {
    /// The project or solution that is restored, by its path in the context.
    fn start(&self, target: Option<&str>) -> Result<String, String> {
        let path =
            self.question.origin(target.unwrap_or(".")).ok_or("what it restores is not in the project")?;
        if self.question.has(&path) {
            return Ok(path);
        }
        let inside = self
            .question
            .project
            .below(&path)
            .filter(|(file, _)| folder_of(file) == path && self.question.has(file));
        let mut found: Vec<&str> = inside
            .map(|(file, _)| file)
            .filter(|file| PROJECTS.iter().chain(&[".sln", ".slnx"]).any(|end| file.ends_with(end)))
            .collect();
        // A solution counts before a project beside it.
        if found.iter().any(|file| file.contains(".sln")) {
            found.retain(|file| file.contains(".sln"));
        }
        match found[..] {
            [one] => Ok(one.to_owned()),
            [] => Err("no project of .NET is in the build context there".to_owned()),
            _ => Err("there are several projects of .NET in its folder".to_owned()),
        }
    }

    /// Reads a project or solution with all that it names.
    fn read(&mut self, path: &str) -> Result<(), String> {
        if self.needs.files.iter().any(|known| known == path) {
            return Ok(());
        }
        if self.needs.files.len() > 200 {
            return Err("there are too many projects".to_owned());
        }
        let text = self.question.text(path)?;
        self.needs.add(path);
        let folder = folder_of(path).to_owned();
        for name in
            ["Exists(", "System.IO", "BeforeTargets=\"Restore", "BeforeTargets=\"_", "AfterTargets=\"Restore"]
        {
            if text.contains(name) {
                return Err(format!("{path} acts by what it finds: {}", name.trim_end_matches('(')));
            }
        }
        let is_solution = path.contains(".sln");
        for word in text.split('"').skip(1).step_by(2) {
            let word = word.replace('\\', "/");
            let is_project = PROJECTS.iter().any(|end| word.ends_with(end));
            let is_import = [".props", ".targets"].iter().any(|end| word.ends_with(end));
            if word.contains("$(") && (is_project || is_import) {
                return Err(format!("{path} names {word}"));
            }
            if is_project || (is_import && !is_solution) {
                let named = join(&folder, &word);
                self.read(&named)?;
            }
        }
        if PROJECTS.iter().any(|end| path.ends_with(end)) {
            self.project(text, path, &folder)?;
        }
        Ok(())
    }

    fn project(&mut self, text: &str, path: &str, folder: &str) -> Result<(), String> {
        let lock = join(folder, "packages.lock.json");
        if self.question.has(&lock) {
            self.needs.add(lock);
        }
        self.needs.makes.push(join(folder, "obj"));
        self.settings(folder);
        let floating = text.split("Version=\"").skip(1).any(|rest| {
            rest.split('"')
                .next()
                .is_some_and(|version| version.contains(['*', '[', '(', ',']) && !version.contains('$'))
        });
        if floating {
            self.needs.assume(format!(
                "no newer version of a package is wanted as long as only the sources change ({path} pins none)"
            ));
        }
        Ok(())
    }

    /// The settings that count for a folder: its own, and those of the folders above it.
    fn settings(&mut self, folder: &str) {
        const NAMES: [&str; 8] = [
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
            "Directory.Build.rsp",
            "NuGet.Config",
            "NuGet.config",
            "nuget.config",
            "global.json",
        ];
        let mut folder = folder.to_owned();
        loop {
            for name in NAMES {
                let path = join(&folder, name);
                if is_anything_sent(self.question.project, &path) {
                    self.needs.add(path);
                }
            }
            if folder.is_empty() || folder == self.question.copy.source {
                return;
            }
            folder = folder_of(&folder).to_owned();
        }
    }

    /// Settings may not name files, nor packages of the project.
    fn check_settings(&mut self) -> Result<(), String> {
        for path in self.needs.files.clone() {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if name.ends_with(".rsp") {
                return Err(format!("{path} sets options"));
            }
            if name.starts_with("Directory.") {
                self.needs.files.retain(|known| *known != path);
                self.read(&path)?;
            }
            if name.eq_ignore_ascii_case("nuget.config") {
                let text = self.question.text(&path)?;
                let sources = text
                    .split("<packageSources>")
                    .nth(1)
                    .and_then(|rest| rest.split("</packageSources>").next());
                let values = sources.unwrap_or_default().split("value=\"").skip(1);
                let mut values = values.filter_map(|rest| rest.split('"').next());
                if let Some(source) = values.find(|value| !value.contains("://")) {
                    return Err(format!("{path} has packages looked for in {source}"));
                }
                if text.contains("globalPackagesFolder") || text.contains("repositoryPath") {
                    return Err(format!("{path} says where packages are kept"));
                }
            }
        }
        Ok(())
    }
}
