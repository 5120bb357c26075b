//! What there is to say of a text: its diagnostics, its code actions, and what is shown over a line.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use dockeropt_transforms::Surroundings;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, DiagnosticSeverity, Hover,
    HoverContents, MarkupContent, MarkupKind, NumberOrString, Position, Range, Url,
};

use super::FIX_ALL;
use super::edits::{Abilities, edit, number};
use crate::choices::Choices;
use crate::cli::ChoiceArgs;
use crate::fix::caught;
use crate::pipeline::{self, Applicability, Options, Outcome, ReportedFix};
use crate::project::Contexts;

/// What holds for all texts.
pub(super) struct Setting {
    arguments: ChoiceArgs,
    current: PathBuf,
    contexts: Contexts,
    pub(super) abilities: Abilities,
}

impl Setting {
    pub(super) fn new(arguments: &ChoiceArgs, abilities: Abilities) -> anyhow::Result<Self> {
        let current = std::env::current_dir()?;
        Ok(Self { arguments: arguments.clone(), current, contexts: Contexts::default(), abilities })
    }
}

/// A text that is open in the editor.
pub(super) struct Document {
    uri: Url,
    /// Where it is stored, or `-` if it isn't.
    path: PathBuf,
    pub(super) text: String,
    pub(super) version: i32,
}

/// A text that was looked at.
struct Looked {
    options: std::sync::Arc<Options>,
    outcome: Outcome,
}

impl Looked {
    /// All fixes that there are, those first that are made without being asked for.
    fn fixes(&self) -> impl Iterator<Item = &ReportedFix> {
        self.outcome.fixes.iter().chain(&self.outcome.held_back)
    }
}

impl Document {
    pub(super) fn new(uri: &Url, text: String, version: i32) -> Self {
        let path = uri.to_file_path().unwrap_or_else(|()| PathBuf::from("-"));
        Self { uri: uri.clone(), path, text, version }
    }

    pub(super) fn uri(&self) -> &Url {
        &self.uri
    }

    /// Looks at it as `fix` does, with the configuration as it is now. What lies around it is read once for
    /// whoever has its `surroundings`.
    fn look(&self, setting: &Setting, surroundings: &Surroundings<'_>) -> Result<Looked, String> {
        let choices = Choices::new(&setting.arguments, &setting.current, false);
        let options = choices.and_then(|choices| choices.options(&self.path));
        let options = options.map_err(|error| format!("{error:#}"))?;
        let outcome = caught(|| pipeline::optimize_in(&self.text, &options, surroundings))?;
        Ok(Looked { options, outcome })
    }

    pub(super) fn diagnostics(&self, setting: &Setting) -> Vec<Diagnostic> {
        let looked = match self.look(setting, &setting.contexts.around(&self.path)) {
            Ok(looked) => looked,
            Err(message) => return vec![diagnostic(self.lines(1, 1), DiagnosticSeverity::ERROR, message)],
        };
        let Outcome { diagnostics, warnings, .. } = &looked.outcome;
        let errors = diagnostics.iter().map(|it| (it, DiagnosticSeverity::ERROR));
        let warnings = warnings.iter().map(|it| (it, DiagnosticSeverity::WARNING));
        let said = errors
            .chain(warnings)
            .map(|(it, severity)| diagnostic(self.lines(it.line, it.line), severity, it.message.clone()));
        said.chain(looked.fixes().map(|fix| self.of_fix(fix))).collect()
    }

    fn of_fix(&self, fix: &ReportedFix) -> Diagnostic {
        let severity = match fix.applicability {
            Applicability::Safe => DiagnosticSeverity::INFORMATION,
            Applicability::Unsafe | Applicability::Display => DiagnosticSeverity::HINT,
        };
        let why = fix.notes.first().map(|note| format!(": {note}")).unwrap_or_default();
        Diagnostic {
            code: Some(NumberOrString::String(fix.transform.to_owned())),
            data: Some(fix.fingerprint.clone().into()),
            ..diagnostic(self.lines(fix.start_line, fix.end_line), severity, format!("{}{why}", fix.title))
        }
    }

    /// The range of lines, counted from 1.
    fn lines(&self, start: usize, end: usize) -> Range {
        let last = self.text.split('\n').nth(end.saturating_sub(1)).unwrap_or_default();
        let width = last.trim_end_matches('\r').encode_utf16().count();
        let line = |line: usize| number(line.saturating_sub(1));
        Range::new(Position::new(line(start), 0), Position::new(line(end), number(width)))
    }

    /// What can be done in a range: a fix that concerns it, and all that is done without being asked.
    pub(super) fn actions(
        &self,
        setting: &Setting,
        asked: &CodeActionParams,
        others: &HashMap<Url, Document>,
    ) -> Vec<CodeActionOrCommand> {
        let surroundings = setting.contexts.around(&self.path);
        let Ok(looked) = self.look(setting, &surroundings) else { return Vec::new() };
        let wants = |kind: &str| {
            let is_part = |of: &CodeActionKind| {
                kind.strip_prefix(of.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            asked.context.only.as_ref().is_none_or(|only| only.iter().any(is_part))
        };
        let mut actions = Vec::new();
        let (first, last) = (asked.range.start.line, asked.range.end.line);
        let meets = |fix: &&ReportedFix| {
            let lines = self.lines(fix.start_line, fix.end_line);
            lines.start.line <= last && first <= lines.end.line
        };
        for fix in looked.fixes().filter(meets).filter(|_| wants(CodeActionKind::QUICKFIX.as_str())) {
            let alone = || pipeline::alone(&self.text, &looked.options, &surroundings, &looked.outcome, fix);
            let Ok(Some(result)) = caught(alone) else { continue };
            let Some(edit) = edit(self, &result, setting.abilities, others) else { continue };
            // What it needs is made with it.
            let is_safe = result.fixes.iter().all(|made| made.applicability == Applicability::Safe);
            let others = result.fixes.iter().filter(|made| made.fingerprint != fix.fingerprint);
            let others: Vec<&str> = others.map(|made| made.title.as_str()).collect();
            let mut title = fix.title.clone();
            if !others.is_empty() {
                title += &format!(", with: {}", others.join("; "));
            }
            if !is_safe {
                title += " (unsafe)";
            }
            actions.push(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![self.of_fix(fix)]),
                edit: Some(edit),
                is_preferred: is_safe.then_some(true),
                ..CodeAction::default()
            });
        }
        if wants(FIX_ALL)
            && let Some(edit) = edit(self, &looked.outcome, setting.abilities, others)
        {
            actions.push(CodeAction {
                title: "Make all fixes of dockeropt".to_owned(),
                kind: Some(CodeActionKind::from(FIX_ALL)),
                edit: Some(edit),
                ..CodeAction::default()
            });
        }
        actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()
    }

    /// What the fixes of a line do, and why others are not made.
    pub(super) fn hover(&self, setting: &Setting, line: u32) -> Option<Hover> {
        let looked = self.look(setting, &setting.contexts.around(&self.path)).ok()?;
        let mut text = String::new();
        for fix in looked.fixes() {
            let lines = self.lines(fix.start_line, fix.end_line);
            if (lines.start.line..=lines.end.line).contains(&line) {
                describe(&mut text, fix);
            }
        }
        for refusal in &looked.outcome.declined {
            if self.lines(refusal.line, refusal.line).start.line == line {
                let _ = writeln!(text, "`{}` does nothing here: {}\n", refusal.transform, refusal.reason);
            }
        }
        let contents = MarkupContent { kind: MarkupKind::Markdown, value: text.trim_end().to_owned() };
        (!text.is_empty()).then_some(Hover { contents: HoverContents::Markup(contents), range: None })
    }
}

fn describe(text: &mut String, fix: &ReportedFix) {
    let state = if fix.applicability == Applicability::Safe { "safe" } else { "unsafe" };
    let _ = writeln!(text, "**{}** (`{}`, {state})\n", fix.title, fix.transform);
    for note in &fix.notes {
        let _ = writeln!(text, "- {note}");
    }
    for claim in &fix.claims {
        let _ = writeln!(text, "- what differs: {claim}");
    }
    for assumption in &fix.assumes {
        let _ = writeln!(text, "- assumes: {assumption}");
    }
    text.push('\n');
}

fn diagnostic(range: Range, severity: DiagnosticSeverity, message: String) -> Diagnostic {
    let source = Some("dockeropt".to_owned());
    Diagnostic { range, severity: Some(severity), source, message, ..Diagnostic::default() }
}
