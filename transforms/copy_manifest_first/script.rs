//! The commands of a RUN: which of them can come to stand above the project.

use dockeropt_facts::command::{Call, Managed, call};
use dockeropt_facts::effects::{Effects, Reach, names_files_relatively, of_script};
use dockeropt_facts::manifest_first::Placed;
use dockeropt_facts::remembered::stale_program;
use dockeropt_facts::shell_state::{leaks_of_pipeline, visit};
use dockeropt_facts::tables::{Class, Manager, Verb};
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
    /// Whether the program may come with the project: a wrapper, or a virtual environment.
    may_come_along: bool,
    /// Whether another command may be put before it, so that its own words may be anything.
    may_be_prepared: bool,
}

/// Variables for a build that are the same to the dependencies.
const BUILD_VARIABLES: [&str; 9] =
    ["CGO_ENABLED", "GOOS", "GOARCH", "GOARM", "GOAMD64", "CI", "NODE_ENV", "DEBIAN_FRONTEND", "MAVEN_OPTS"];

const ECOSYSTEMS: [Ecosystem; 16] = [
    Ecosystem {
        programs: &["pip", "pip3", "pip3.9", "pip3.10", "pip3.11", "pip3.12", "pip3.13", "pip2", "pip2.7"],
        verbs: &["install"],
        manifests: &["requirements*.txt", "*requirements.txt", "constraints*.txt", "requirements"],
        answer: pip::answer,
        may_come_along: true,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["poetry"],
        verbs: &["install", "sync"],
        manifests: &["pyproject.toml", "poetry.lock"],
        answer: python::poetry,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["uv"],
        verbs: &["sync", "pip"],
        manifests: &["pyproject.toml", "uv.lock", "requirements*.txt", "requirements"],
        answer: python::uv,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["pipenv"],
        verbs: &["install", "sync"],
        manifests: &["Pipfile", "Pipfile.lock"],
        answer: python::pipenv,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["pdm"],
        verbs: &["install", "sync"],
        manifests: &["pyproject.toml", "pdm.lock"],
        answer: python::pdm,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["npm"],
        verbs: &["ci", "clean-install", "install-clean", "install", "i"],
        manifests: &["package.json", "package-lock.json", "npm-shrinkwrap.json"],
        answer: npm::npm,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["yarn", "yarnpkg"],
        verbs: &["install", ""],
        manifests: &["package.json", "yarn.lock"],
        answer: yarn::yarn,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["pnpm"],
        verbs: &["install", "i", "fetch"],
        manifests: &["package.json", "pnpm-lock.yaml"],
        answer: pnpm::pnpm,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["bun"],
        verbs: &["install", "i", "ci"],
        manifests: &["package.json", "bun.lock", "bun.lockb"],
        answer: npm::bun,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["go"],
        verbs: &["mod", "build", "install"],
        manifests: &["go.mod", "go.sum"],
        answer: go::answer,
        may_come_along: false,
        may_be_prepared: true,
    },
    Ecosystem {
        programs: &["cargo"],
        verbs: &["fetch", "build", "install", "b"],
        manifests: &["Cargo.toml", "Cargo.lock"],
        answer: cargo::answer,
        may_come_along: false,
        may_be_prepared: true,
    },
    Ecosystem {
        programs: &["mvn", "mvnw"],
        verbs: &java::MAVEN_GOALS,
        manifests: &["pom.xml"],
        answer: java::maven,
        may_come_along: true,
        may_be_prepared: true,
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
        may_come_along: true,
        may_be_prepared: true,
    },
    Ecosystem {
        programs: &["dotnet"],
        verbs: &["restore", "build", "publish"],
        manifests: &["*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"],
        answer: dotnet::answer,
        may_come_along: false,
        may_be_prepared: true,
    },
    Ecosystem {
        programs: &["bundle", "bundler"],
        verbs: &["install", "config", ""],
        manifests: &["Gemfile", "Gemfile.lock"],
        answer: bundler::answer,
        may_come_along: false,
        may_be_prepared: false,
    },
    Ecosystem {
        programs: &["composer", "composer.phar"],
        verbs: &["install", "i"],
        manifests: &["composer.json", "composer.lock"],
        answer: composer::answer,
        may_come_along: false,
        may_be_prepared: false,
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
    earlier: Vec<String>,
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
    /// Which commands may put other programs in the place of those that the shell has found.
    movers: Vec<usize>,
}

impl<'s> Script<'s> {
    /// The script of a step.
    pub(super) fn new(
        step: &'s Step<'s>,
        project: &'s Project,
        copy: &'s ProjectCopy<'s>,
        earlier: Vec<String>,
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
            earlier,
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
            movers: Vec::new(),
        };
        // So many commands are worth it: those behind the last install are left where they are.
        let mut end = 0;
        let mut stopped = None;
        for (at, entry) in self.list.entries.iter().enumerate() {
            let command = self.text[entry.pipeline.span.range()].to_owned();
            let placed = |folder: &str| Placed { command: command.clone(), folder: folder.to_owned() };
            match self.answer(&entry.pipeline)? {
                Verdict::Passes(needs) => {
                    above.movers.extend(needs.moves_programs.then_some(at));
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
                // The command before has done what could be done.
                Verdict::Prepared(needs, _)
                    if needs.files.iter().all(|file| above.needs.files.contains(file)) =>
                {
                    break;
                }
                Verdict::Prepared(needs, commands) => {
                    let placed = |command| Placed { command, folder: self.folder.clone() };
                    above.added.extend(commands.into_iter().map(placed));
                    above.needs.merge(needs);
                    end = at;
                    break;
                }
                Verdict::Other => {
                    stopped = Some(at);
                    break;
                }
            }
        }
        if above.needs.files.is_empty() {
            return match stopped.filter(|&at| self.installs_after(at)) {
                Some(at) => {
                    let words = self.text[self.span(at).range()].split_whitespace();
                    let words: Vec<&str> = words.take(3).collect();
                    Err(format!("`{}`, before the install, may read the project", words.join(" ")))
                }
                None => Ok(None),
            };
        }
        above.count = end;
        self.check_split(&mut above)?;
        Ok(Some(above))
    }

    /// Whether a command behind another one installs from manifests.
    fn installs_after(&self, at: usize) -> bool {
        let mut found = false;
        for entry in &self.list.entries[at + 1..] {
            visit_calls(&entry.pipeline, &mut |call| {
                found |= ecosystem(call).is_some() && !is_by_name(call);
            });
        }
        found
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
            let calls = |pipeline: &&&Pipeline<'_>| {
                let mut found = false;
                visit_calls(pipeline, &mut |call| found |= call.program == program);
                found
            };
            let looked_up = first.iter().take_while(|pipeline| !calls(pipeline)).count();
            if above.movers.iter().any(|&at| at >= looked_up) {
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
        let gem = |managed: &Managed| {
            managed.manager == Manager::Gem
                && managed.verb == Verb::Install
                && !managed.has_option(simple, &["-g", "--file", "-l", "--local"])
        };
        if call.managed.as_ref().is_some_and(gem) && is_by_name(&call) && is_plain(simple) {
            return Ok(Verdict::Passes(Needs { moves_programs: true, ..Needs::default() }));
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
        let literal: Vec<Option<&str>> = call.arguments().collect();
        let is_literal = literal.iter().all(Option::is_some);
        let mut words: Vec<&str> = literal.into_iter().map(|word| word.unwrap_or("\0")).collect();
        if call.program.starts_with("python") {
            words.retain(|word| !matches!(*word, "-m" | "pip"));
        }
        let question = Question {
            project: self.project,
            copy: self.copy,
            folder: &self.folder,
            program: simple.words[call.at].literal().unwrap_or_default(),
            words: &words,
            state: &self.step.state,
            earlier: &self.earlier,
        };
        if call.by_path && !ecosystem.may_come_along && question.origin(question.program).is_some() {
            return Err(format!("the program {} comes with the project", question.program));
        }
        if !is_literal && !ecosystem.may_be_prepared {
            return Err("a word of the install is decided when the image is built".to_owned());
        }
        let answer = (ecosystem.answer)(&question)?;
        if let Answer::Prepared(needs, commands) = answer {
            // The command stays as it is.
            if commands.iter().any(|command| command.contains('\0')) {
                return Err("a word of the install is decided when the image is built".to_owned());
            }
            let builds = |name: &str| BUILD_VARIABLES.contains(&name);
            return match simple.assignments.iter().find(|it| !builds(it.name)) {
                Some(it) => Err(format!("it sets {}, which may matter to the dependencies", it.name)),
                None => Ok(Verdict::Prepared(needs, commands)),
            };
        }
        if !is_literal && !matches!(answer, Answer::Other) {
            return Err("a word of the install is decided when the image is built".to_owned());
        }
        if !is_plain(simple) && !matches!(answer, Answer::Other) {
            return Err("the install is given variables, or files to read or write".to_owned());
        }
        Ok(match answer {
            Answer::Passes(needs) => Verdict::Passes(needs),
            _ => Verdict::Other,
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
    Prepared(Needs, Vec<String>),
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
