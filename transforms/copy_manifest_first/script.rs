//! The commands of a RUN: which of them can come to stand above the project.

use dockeropt_facts::command::{Call, call};
use dockeropt_facts::effects::{Effects, Reach, names_files_relatively, of_script};
use dockeropt_facts::manifest_first::Placed;
use dockeropt_facts::shell_state::{leaks_of_pipeline, stale_program, visit};
use dockeropt_facts::tables::{Class, Verb};
use dockeropt_facts::{Body, Project, Step, Value};
use dockeropt_syntax::LogicalSpan;
use dockeropt_syntax::shell::{Entry, JoinerKind, List, Pipeline, Simple};

use super::answer::{Answer, Needs, Question};
use super::project_copy::ProjectCopy;
use super::{absolute_path, bundler, cargo, composer, dotnet, go, java, npm, pip, pnpm, python, yarn};

/// Who answers for a program.
type Answering = fn(&Question<'_>) -> Result<Answer, String>;

/// The programs that install the dependencies of a project.
struct Ecosystem {
    /// What they are called.
    programs: &'static [&'static str],
    /// What they are asked to do, as the first word that is no option: a word that is not here has nothing
    /// to do with dependencies. Empty stands for no such word.
    verbs: &'static [&'static str],
    /// What the names of their manifests look like.
    manifests: &'static [&'static str],
    answer: Answering,
}

const ECOSYSTEMS: [Ecosystem; 16] = [
    Ecosystem {
        programs: &["pip", "pip3", "pip3.9", "pip3.10", "pip3.11", "pip3.12", "pip3.13", "pip2", "pip2.7"],
        verbs: &["install"],
        manifests: &["requirements*.txt", "*requirements.txt", "constraints*.txt", "requirements"],
        answer: pip::answer,
    },
    Ecosystem {
        programs: &["poetry"],
        verbs: &["install", "sync"],
        manifests: &["pyproject.toml", "poetry.lock"],
        answer: python::poetry,
    },
    Ecosystem {
        programs: &["uv"],
        verbs: &["sync", "pip"],
        manifests: &["pyproject.toml", "uv.lock", "requirements*.txt", "requirements"],
        answer: python::uv,
    },
    Ecosystem {
        programs: &["pipenv"],
        verbs: &["install", "sync"],
        manifests: &["Pipfile", "Pipfile.lock"],
        answer: python::pipenv,
    },
    Ecosystem {
        programs: &["pdm"],
        verbs: &["install", "sync"],
        manifests: &["pyproject.toml", "pdm.lock"],
        answer: python::pdm,
    },
    Ecosystem {
        programs: &["npm"],
        verbs: &["ci", "clean-install", "install-clean", "install", "i"],
        manifests: &["package.json", "package-lock.json", "npm-shrinkwrap.json"],
        answer: npm::npm,
    },
    Ecosystem {
        programs: &["yarn", "yarnpkg"],
        verbs: &["install", ""],
        manifests: &["package.json", "yarn.lock"],
        answer: yarn::yarn,
    },
    Ecosystem {
        programs: &["pnpm"],
        verbs: &["install", "i", "fetch"],
        manifests: &["package.json", "pnpm-lock.yaml"],
        answer: pnpm::pnpm,
    },
    Ecosystem {
        programs: &["bun"],
        verbs: &["install", "i", "ci"],
        manifests: &["package.json", "bun.lock", "bun.lockb"],
        answer: npm::bun,
    },
    Ecosystem {
        programs: &["go"],
        verbs: &["mod", "build", "install"],
        manifests: &["go.mod", "go.sum"],
        answer: go::answer,
    },
    Ecosystem {
        programs: &["cargo"],
        verbs: &["fetch", "build", "install", "b"],
        manifests: &["Cargo.toml", "Cargo.lock"],
        answer: cargo::answer,
    },
    Ecosystem {
        programs: &["mvn", "mvnw"],
        verbs: &java::MAVEN_GOALS,
        manifests: &["pom.xml"],
        answer: java::maven,
    },
    Ecosystem {
        programs: &["gradle", "gradlew"],
        verbs: &java::GRADLE_TASKS,
        manifests: &[
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
            "*.gradle",
        ],
        answer: java::gradle,
    },
    Ecosystem {
        programs: &["dotnet"],
        verbs: &["restore", "build", "publish"],
        manifests: &["*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"],
        answer: dotnet::answer,
    },
    Ecosystem {
        programs: &["bundle", "bundler"],
        verbs: &["install", ""],
        manifests: &["Gemfile", "Gemfile.lock"],
        answer: bundler::answer,
    },
    Ecosystem {
        programs: &["composer", "composer.phar"],
        verbs: &["install", "i"],
        manifests: &["composer.json", "composer.lock"],
        answer: composer::answer,
    },
];

/// The ecosystem of a command that installs dependencies of a project.
fn ecosystem(call: &Call<'_, '_>) -> Option<&'static Ecosystem> {
    let words: Vec<&str> = call.arguments().map(Option::unwrap_or_default).collect();
    if call.program.starts_with("python") {
        // `python -m pip install`
        let managed = call.managed.as_ref().filter(|managed| managed.verb == Verb::Install);
        return managed.map(|_| &ECOSYSTEMS[0]);
    }
    let is_verb = |word: &&str| !word.is_empty() && !word.starts_with('-');
    let known = |ecosystem: &&Ecosystem| {
        let verbs = ecosystem.verbs;
        ecosystem.programs.contains(&call.program)
            && match words.iter().copied().find(is_verb) {
                Some(verb) => {
                    verbs.contains(&verb) || words.iter().any(|word| verbs.contains(word) && !word.is_empty())
                }
                None => {
                    let asks = ["--version", "-v", "--help", "-h", "-V"];
                    verbs.contains(&"") && !words.iter().any(|word| asks.contains(word))
                }
            }
    };
    ECOSYSTEMS.iter().find(known)
}

/// Whether a command is an install of packages by their names: no manifest is read.
fn is_by_name(call: &Call<'_, '_>) -> bool {
    let Some(managed) = &call.managed else { return false };
    let simple = call.simple;
    let manifest = ["-r", "--requirement", "--requirements", "-e", "--editable"];
    let global = ["-g", "--global", "--location"];
    let is_name = |at: &usize| simple.words[*at].literal().is_some_and(|word| !word.starts_with(['.', '/']));
    let by_name = !managed.operands.is_empty() && managed.operands.iter().all(is_name);
    (by_name && !managed.has_option(simple, &manifest)) || managed.has_option(simple, &global)
}

/// What the manifests are called that some commands install from; none if no command does.
pub(super) fn manifests(calls: &[Call<'_, '_>]) -> Option<Vec<&'static str>> {
    let mut found: Vec<&str> = Vec::new();
    for call in calls.iter().filter(|call| !is_by_name(call)) {
        found.extend(ecosystem(call).into_iter().flat_map(|ecosystem| ecosystem.manifests));
    }
    found.dedup();
    (!found.is_empty()).then_some(found)
}

/// The script of a RUN.
pub(super) struct Script<'s> {
    pub(super) step: &'s Step<'s>,
    pub(super) list: &'s List<'s>,
    text: &'s str,
    project: &'s Project,
    copy: &'s ProjectCopy<'s>,
    in_image: bool,
    has_flags: bool,
    /// The folder of the next command.
    folder: String,
}

/// What comes to stand above the project.
pub(super) struct Above {
    /// So many commands of the RUN.
    pub(super) count: usize,
    /// What they need.
    pub(super) needs: Needs,
    /// Those that need the manifests.
    pub(super) installs: Vec<Placed>,
    /// Those that need nothing of the project.
    pub(super) others: Vec<Placed>,
    /// Commands that are put behind them.
    pub(super) added: Vec<Placed>,
    /// A cleanup from the rest of the RUN, to be made by the first commands, too.
    pub(super) cleanup: Option<String>,
    /// Programs that the commands leave where they were.
    pub(super) forgets: Vec<String>,
}

impl<'s> Script<'s> {
    /// The script of a step.
    pub(super) fn new(
        step: &'s Step<'s>,
        project: &'s Project,
        copy: &'s ProjectCopy<'s>,
        in_image: bool,
    ) -> Result<Self, String> {
        let Some(run) = step.run() else { return Err("it is no RUN".to_owned()) };
        let list = match &run.body {
            Body::Script(list) => list,
            Body::Heredoc { .. } => return Err("the install is in a heredoc".to_owned()),
            _ => return Err("the install is in a script that is not read".to_owned()),
        };
        let is_and = |entry: &Entry<'_>| entry.joiner.is_none_or(|joiner| joiner.kind == JoinerKind::And);
        if !list.entries.iter().all(is_and) {
            return Err("the commands of the RUN are not just joined by &&".to_owned());
        }
        for mount in &run.mounts {
            let apart = mount
                .target
                .as_ref()
                .and_then(|target| target.text())
                .is_some_and(|target| !Reach::path(target).overlaps(&Reach::path(&copy.destination)));
            if !apart && mount.kind != "ssh" {
                return Err(format!("the RUN has a mount in {}", copy.destination));
            }
        }
        let Some(folder) = step.state.workdir.text() else {
            return Err("the folder of the RUN is decided by the base image".to_owned());
        };
        Ok(Self {
            step,
            list,
            text: &step.instruction.logical.text,
            project,
            copy,
            in_image,
            has_flags: !run.flags.is_empty(),
            folder: folder.to_owned(),
        })
    }

    /// The commands that can come to stand above the project; nothing if none of them needs it.
    pub(super) fn above(&mut self) -> Result<Option<Above>, String> {
        let mut above = Above {
            count: 0,
            needs: Needs::default(),
            installs: Vec::new(),
            others: Vec::new(),
            added: Vec::new(),
            cleanup: None,
            forgets: Vec::new(),
        };
        // So many commands are worth it: those behind the last install are left where they are.
        let mut end = 0;
        for (at, entry) in self.list.entries.iter().enumerate() {
            let command = self.text[entry.pipeline.span.range()].to_owned();
            let placed = |folder: &str| Placed { command: command.clone(), folder: folder.to_owned() };
            match self.answer(&entry.pipeline)? {
                Verdict::Passes(needs) => {
                    if needs.files.is_empty() {
                        above.others.push(placed(&self.folder));
                    } else {
                        above.installs.push(placed(&self.folder));
                        end = at + 1;
                    }
                    above.needs.merge(needs);
                }
                Verdict::Cleans => {
                    above.others.push(placed(&self.folder));
                    // A cleanup belongs to what it cleans.
                    if end == at {
                        end = at + 1;
                    }
                }
                Verdict::Apart => above.others.push(placed(&self.folder)),
                Verdict::Folder(folder) => self.folder = folder,
                Verdict::Prepared(needs, command) => {
                    above.added.push(Placed { command, folder: self.folder.clone() });
                    above.needs.merge(needs);
                    end = at;
                    break;
                }
                Verdict::Other => break,
            }
        }
        if above.needs.files.is_empty() {
            // What stands before the install may need the project.
            let later = &self.list.entries[end..];
            let found = later.iter().find(|entry| {
                let mut found = false;
                visit_calls(&entry.pipeline, &mut |call| {
                    found |= ecosystem(call).is_some() && !is_by_name(call);
                });
                found
            });
            let before = self
                .list
                .entries
                .iter()
                .map(|entry| &entry.pipeline)
                .take_while(|pipeline| found.is_some_and(|found| found.pipeline.span != pipeline.span));
            return match before.last().filter(|_| found.is_some()) {
                Some(pipeline) => {
                    let words: Vec<&str> =
                        self.text[pipeline.span.range()].split_whitespace().take(3).collect();
                    Err(format!("`{}`, before the install, may read the project", words.join(" ")))
                }
                None => Ok(None),
            };
        }
        above.count = end;
        self.check_split(&mut above)?;
        Ok(Some(above))
    }

    /// The commands, if none of them needs anything of the project.
    pub(super) fn without_project(&mut self) -> Option<Vec<Placed>> {
        let mut commands = Vec::new();
        for entry in &self.list.entries {
            let command = self.text[entry.pipeline.span.range()].to_owned();
            match self.answer(&entry.pipeline).ok()? {
                Verdict::Passes(needs) if !needs.files.is_empty() => return None,
                Verdict::Passes(_) | Verdict::Cleans | Verdict::Apart => {
                    commands.push(Placed { command, folder: self.folder.clone() });
                }
                Verdict::Folder(folder) => self.folder = folder,
                Verdict::Prepared(..) | Verdict::Other => return None,
            }
        }
        Some(commands)
    }

    /// Whether the RUN can be split behind its first commands.
    fn check_split(&self, above: &mut Above) -> Result<(), String> {
        let (first, rest) = self.list.entries.split_at(above.count);
        if first.is_empty() || rest.is_empty() {
            return Ok(());
        }
        if self.has_flags {
            return Err("the RUN has flags, which hold for all of it".to_owned());
        }
        if self.list.comment.is_some() {
            return Err("the script ends with a comment".to_owned());
        }
        let mut leaks = Vec::new();
        first.iter().for_each(|entry| leaks_of_pipeline(&entry.pipeline, &mut leaks));
        if let Some(leak) = leaks.first() {
            return Err(format!("the RUN can't be split: {}", leak.describe()));
        }
        let pipelines =
            |entries: &'s [Entry<'s>]| entries.iter().map(|entry| &entry.pipeline).collect::<Vec<_>>();
        let (first, rest) = (pipelines(first), pipelines(rest));
        if let Some(program) = stale_program(&first, &rest) {
            if above.needs.moves_programs {
                return Err(format!("the shell remembers where it found `{program}`, which may be replaced"));
            }
            above.forgets.push(program);
        }
        for pipeline in rest {
            let mut removes = None;
            let mut cleans = false;
            visit_calls(pipeline, &mut |call| {
                let managed = call.managed.as_ref().map(|managed| managed.verb);
                cleans |= managed == Some(Verb::Clean);
                if matches!(managed, Some(Verb::Remove)) || matches!(call.program, "rm" | "rmdir" | "unlink")
                {
                    removes = Some(call.program.to_owned());
                }
            });
            if let Some(program) = removes {
                return Err(format!("`{program}` removes later what the first commands may have made"));
            }
            if cleans {
                above.cleanup = Some(self.text[pipeline.span.range()].to_owned());
            }
        }
        Ok(())
    }

    fn answer(&self, pipeline: &'s Pipeline<'s>) -> Result<Verdict, String> {
        let Some(simple) = pipeline.simple() else {
            let mut installs = false;
            visit_calls(pipeline, &mut |call| installs |= ecosystem(call).is_some());
            return match installs {
                true => Err("the install is in a control structure or a pipeline".to_owned()),
                false => Ok(Verdict::Other),
            };
        };
        let Some(call) = call(simple) else { return Ok(Verdict::Other) };
        if call.program == "cd" {
            let target = call.arguments().next().flatten();
            return Ok(match target.filter(|target| !target.starts_with('-')) {
                Some(target) => Verdict::Folder(absolute_path(&self.folder, target)),
                None => Verdict::Other,
            });
        }
        if let Some(ecosystem) = ecosystem(&call) {
            return self.ask(ecosystem, &call);
        }
        if call.managed.as_ref().is_some_and(|managed| managed.verb == Verb::Clean) && is_plain(simple) {
            return Ok(Verdict::Cleans);
        }
        let settings = matches!(
            (call.program, call.arguments().next().flatten()),
            ("corepack", Some("enable" | "prepare")) | ("poetry", Some("config"))
        );
        if settings && is_plain(simple) && !call.arguments().any(|word| word == Some("--local")) {
            return Ok(Verdict::Passes(Needs::default()));
        }
        if self.is_apart(pipeline) { Ok(Verdict::Apart) } else { Ok(Verdict::Other) }
    }

    fn ask(&self, ecosystem: &Ecosystem, call: &Call<'_, '_>) -> Result<Verdict, String> {
        let simple = call.simple;
        if call.sudo || call.at > 0 {
            return Err("the install runs by way of another command".to_owned());
        }
        if !is_plain(simple) {
            return Err("the install is given variables, or files to read or write".to_owned());
        }
        let words: Option<Vec<&str>> = call.arguments().collect();
        let Some(mut words) = words else {
            return Err("a word of the install is decided when the image is built".to_owned());
        };
        if call.program.starts_with("python") {
            words.retain(|word| !matches!(*word, "-m" | "pip"));
        }
        let question = Question {
            project: self.project,
            copy: self.copy,
            folder: &self.folder,
            program: simple.words[call.at].literal().unwrap_or_default(),
            words: &words,
            in_image: self.in_image,
        };
        Ok(match (ecosystem.answer)(&question)? {
            Answer::Other => Verdict::Other,
            Answer::Passes(needs) => Verdict::Passes(needs),
            Answer::Prepared(needs, command) => Verdict::Prepared(needs, command),
        })
    }

    /// Whether a command neither reads nor writes what the project brings.
    fn is_apart(&self, pipeline: &Pipeline<'s>) -> bool {
        let entries = vec![Entry { pipeline: pipeline.clone(), joiner: None }];
        let list = List { entries, span: pipeline.span, comment: None };
        let mut unknown = false;
        visit(&list, &mut |simple| {
            unknown |= call(simple).is_none_or(|call| call.class() == Some(Class::Shell));
        });
        let copied = Effects { reads: Reach::default(), writes: Reach::path(&self.copy.destination) };
        let own = of_script(&list, self.text, &Value::known(self.folder.clone()));
        !unknown && !names_files_relatively(&list) && own.independent(&copied)
    }

    /// Where a command of the script stands.
    pub(super) fn span(&self, at: usize) -> LogicalSpan {
        self.list.entries[at].pipeline.span
    }
}

/// What can become of a command.
enum Verdict {
    /// It needs only these files.
    Passes(Needs),
    /// It removes what a manager keeps.
    Cleans,
    /// It has nothing to do with the project.
    Apart,
    /// It goes to another folder.
    Folder(String),
    /// It stays, and another command is put above the project.
    Prepared(Needs, String),
    /// It may need the project.
    Other,
}

/// Whether a command has no assignments and sends its output nowhere but away.
fn is_plain(simple: &Simple<'_>) -> bool {
    let away = |target: Option<&str>| {
        target.is_some_and(|target| target == "/dev/null" || target.chars().all(|c| c.is_ascii_digit()))
    };
    let harmless = |name: &str| matches!(name, "DEBIAN_FRONTEND" | "PIP_NO_CACHE_DIR" | "CI" | "NODE_ENV");
    simple.assignments.iter().all(|it| harmless(it.name) && it.value.literal().is_some())
        && simple.redirections.iter().all(|it| it.operator.starts_with('>') && away(it.target.literal()))
}

fn visit_calls(pipeline: &Pipeline<'_>, found: &mut dyn FnMut(&Call<'_, '_>)) {
    dockeropt_facts::shell_state::visit_pipeline(pipeline, &mut |simple| {
        if let Some(call) = call(simple) {
            found(&call);
        }
    });
}
