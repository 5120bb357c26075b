//! Results as edits of an editor's texts.

use std::collections::HashMap;
use std::ops;
use std::path::Path;

use lsp_types::{
    ClientCapabilities, CreateFile, CreateFileOptions, DocumentChangeOperation, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, Position, Range, ResourceOp, ResourceOperationKind,
    TextDocumentEdit, TextEdit, Url, WorkspaceEdit,
};
use similar::{DiffTag, TextDiff};

use super::document::Document;
use crate::diff::PATIENCE;
use crate::pipeline::{IgnoreChange, Outcome};

/// What the editor can do with edits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Abilities {
    /// It takes edits with the version of the text that they are for.
    versions: bool,
    /// It can make a file.
    creates: bool,
}

impl Abilities {
    pub(super) fn of(client: &ClientCapabilities) -> Self {
        let edits = client.workspace.as_ref().and_then(|workspace| workspace.workspace_edit.as_ref());
        let versions = edits.and_then(|edits| edits.document_changes).unwrap_or(false);
        let operations = edits.and_then(|edits| edits.resource_operations.as_ref());
        let creates = operations.is_some_and(|known| known.contains(&ResourceOperationKind::Create));
        Self { versions, creates: versions && creates }
    }
}

/// What an outcome does to a text and to the ignore file of its context; `None` if that is nothing, or more
/// than the editor can do.
pub(super) fn edit(
    document: &Document,
    outcome: &Outcome,
    abilities: Abilities,
    others: &HashMap<Url, Document>,
) -> Option<WorkspaceEdit> {
    let mut changed: Vec<Changed> = Vec::new();
    let edits = text_edits(&document.text, &outcome.after);
    if !edits.is_empty() {
        changed.push(Changed {
            uri: document.uri().clone(),
            version: Some(document.version),
            is_new: false,
            edits,
        });
    }
    if let Some(change) = &outcome.ignore {
        changed.extend(of_ignore(change, others).filter(|it| !it.is_new || abilities.creates));
    }
    if changed.is_empty() {
        return None;
    }
    Some(match abilities.versions {
        true => WorkspaceEdit {
            document_changes: Some(DocumentChanges::Operations(
                changed.into_iter().flat_map(Changed::operations).collect(),
            )),
            ..WorkspaceEdit::default()
        },
        false => WorkspaceEdit::new(changed.into_iter().map(|it| (it.uri, it.edits)).collect()),
    })
}

/// The edits of one text.
struct Changed {
    uri: Url,
    version: Option<i32>,
    /// Whether the file is to be made.
    is_new: bool,
    edits: Vec<TextEdit>,
}

impl Changed {
    fn operations(self) -> Vec<DocumentChangeOperation> {
        let Self { uri, version, is_new, edits } = self;
        let create = || {
            let options = CreateFileOptions { overwrite: None, ignore_if_exists: Some(false) };
            let create = CreateFile { uri: uri.clone(), options: Some(options), annotation_id: None };
            DocumentChangeOperation::Op(ResourceOp::Create(create))
        };
        let mut operations: Vec<_> = is_new.then(create).into_iter().collect();
        operations.push(DocumentChangeOperation::Edit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        }));
        operations
    }
}

/// What happens to an ignore file, unless the editor has another text of it.
fn of_ignore(change: &IgnoreChange, others: &HashMap<Url, Document>) -> Option<Changed> {
    let path = std::path::absolute(Path::new(&change.path)).ok()?;
    let uri = Url::from_file_path(path).ok()?;
    let before = change.before.as_deref().unwrap_or_default();
    let open = others.get(&uri);
    if open.is_some_and(|open| open.text != before) {
        return None;
    }
    let is_new = change.before.is_none() && open.is_none();
    let edits = text_edits(before, &change.after);
    Some(Changed { uri, version: open.map(|open| open.version), is_new, edits })
}

/// The lines that differ, as edits.
fn text_edits(before: &str, after: &str) -> Vec<TextEdit> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let position = |line: usize| match diff.old_slice(line) {
        Some(_) => Position::new(number(line), 0),
        None => end(before, diff.old_len()),
    };
    let text = |lines: ops::Range<usize>| lines.filter_map(|line| diff.new_slice(line)).collect::<String>();
    let changes = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    changes
        .map(|op| {
            let lines = op.old_range();
            TextEdit::new(Range::new(position(lines.start), position(lines.end)), text(op.new_range()))
        })
        .collect()
}

/// Where a text ends that has so many lines: behind the last one, if nothing ends it.
fn end(text: &str, lines: usize) -> Position {
    if text.is_empty() || text.ends_with(['\n', '\r']) {
        return Position::new(number(lines), 0);
    }
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    Position::new(number(lines - 1), number(last.encode_utf16().count()))
}

/// A line or a column as the protocol counts.
pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_are_replaced() {
        let edits = text_edits("a\nb\nc\n", "a\nx\ny\nc\n");
        assert_eq!(
            edits,
            [TextEdit::new(Range::new(Position::new(1, 0), Position::new(2, 0)), "x\ny\n".into())]
        );
    }

    #[test]
    fn an_end_without_a_newline_is_counted_in_code_units() {
        let edits = text_edits("a\n😀b", "a\n😀b\nc");
        let range = Range::new(Position::new(1, 0), Position::new(1, 3));
        assert_eq!(edits, [TextEdit::new(range, "😀b\nc".into())]);
        let edits = text_edits("a\n", "a\nb\n");
        let range = Range::new(Position::new(1, 0), Position::new(1, 0));
        assert_eq!(edits, [TextEdit::new(range, "b\n".into())]);
        assert_eq!(text_edits("a", "a"), []);
    }
}
