//! `dockeropt lsp` as an editor uses it: over standard input and output, in the protocol's own types.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

use std::fs;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Exit, Initialized,
    Notification as NotificationKind, PublishDiagnostics,
};
use lsp_types::request::{CodeActionRequest, HoverRequest, Initialize, Request as RequestKind, Shutdown};
use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic,
    DiagnosticSeverity, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DocumentChangeOperation, DocumentChanges, HoverContents, HoverParams, InitializeParams,
    InitializedParams, NumberOrString, OneOf, Position, PublishDiagnosticsParams, Range, ResourceOp,
    TextDocumentContentChangeEvent, TextDocumentIdentifier, TextDocumentItem, TextDocumentPositionParams,
    TextEdit, Url, VersionedTextDocumentIdentifier, WorkspaceEdit,
};

const DOCKERFILE: &str = "FROM debian:bookworm-slim\nRUN apt-get update\nRUN apt-get install -y less\n";

/// An editor, and the server that it started.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: i32,
}

impl Editor {
    fn start(folder: &Path, capabilities: serde_json::Value) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_dockeropt"))
            .args(["lsp", "--stdio"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let mut editor = Self { server, input, output: BufReader::new(output), asked: 0 };
        let parameters = InitializeParams {
            capabilities: serde_json::from_value(capabilities).unwrap(),
            ..InitializeParams::default()
        };
        let answer = editor.ask::<Initialize>(parameters);
        let kinds = serde_json::to_value(answer.capabilities.code_action_provider).unwrap();
        assert_eq!(kinds["codeActionKinds"], serde_json::json!(["quickfix", "source.fixAll.dockeropt"]));
        editor.tell::<Initialized>(InitializedParams {});
        editor
    }

    fn send(&mut self, message: impl Into<Message>) {
        message.into().write(&mut self.input).unwrap();
        self.input.flush().unwrap();
    }

    fn tell<N: NotificationKind>(&mut self, parameters: N::Params) {
        self.send(Notification::new(N::METHOD.to_owned(), parameters));
    }

    fn read(&mut self) -> Message {
        Message::read(&mut self.output).unwrap().unwrap()
    }

    fn ask<R: RequestKind>(&mut self, parameters: R::Params) -> R::Result {
        self.asked += 1;
        let id = RequestId::from(self.asked);
        self.send(Request::new(id.clone(), R::METHOD.to_owned(), parameters));
        loop {
            if let Message::Response(Response { id: of, response_result, .. }) = self.read() {
                assert_eq!(of, id);
                return serde_json::from_value(response_result.unwrap()).unwrap();
            }
        }
    }

    fn open(&mut self, uri: &Url, text: &str) -> Vec<Diagnostic> {
        let document = TextDocumentItem::new(uri.clone(), "dockerfile".to_owned(), 1, text.to_owned());
        self.tell::<DidOpenTextDocument>(DidOpenTextDocumentParams { text_document: document });
        self.diagnostics(uri, Some(1))
    }

    fn change(&mut self, uri: &Url, version: i32, text: &str) -> Vec<Diagnostic> {
        self.tell::<DidChangeTextDocument>(DidChangeTextDocumentParams {
            text_document: VersionedTextDocumentIdentifier::new(uri.clone(), version),
            content_changes: vec![TextDocumentContentChangeEvent {
                range: None,
                range_length: None,
                text: text.to_owned(),
            }],
        });
        self.diagnostics(uri, Some(version))
    }

    /// Those that are published next.
    fn diagnostics(&mut self, uri: &Url, version: Option<i32>) -> Vec<Diagnostic> {
        let Message::Notification(notification) = self.read() else { panic!("a notification is due") };
        let published: PublishDiagnosticsParams = notification.extract(PublishDiagnostics::METHOD).unwrap();
        assert_eq!((&published.uri, published.version), (uri, version));
        published.diagnostics
    }

    fn actions(&mut self, uri: &Url, line: u32, only: Option<&str>) -> Vec<CodeAction> {
        let only = only.map(|kind| vec![CodeActionKind::from(kind.to_owned())]);
        let answer = self.ask::<CodeActionRequest>(CodeActionParams {
            text_document: TextDocumentIdentifier::new(uri.clone()),
            range: Range::new(Position::new(line, 0), Position::new(line, 0)),
            context: CodeActionContext { only, ..CodeActionContext::default() },
            work_done_progress_params: Default::default(),
            partial_result_params: Default::default(),
        });
        let action = |action| match action {
            CodeActionOrCommand::CodeAction(action) => action,
            CodeActionOrCommand::Command(command) => panic!("{command:?}"),
        };
        answer.unwrap().into_iter().map(action).collect()
    }

    fn hover(&mut self, uri: &Url, line: u32) -> Option<String> {
        let answer = self.ask::<HoverRequest>(HoverParams {
            text_document_position_params: TextDocumentPositionParams::new(
                TextDocumentIdentifier::new(uri.clone()),
                Position::new(line, 3),
            ),
            work_done_progress_params: Default::default(),
        });
        answer.map(|hover| match hover.contents {
            HoverContents::Markup(markup) => markup.value,
            other => panic!("{other:?}"),
        })
    }

    fn end(mut self) {
        self.ask::<Shutdown>(());
        // What comes too late is told so.
        self.send(Request::new(RequestId::from(0), HoverRequest::METHOD.to_owned(), ()));
        let Message::Response(late) = self.read() else { panic!("an answer is due") };
        assert_eq!(late.response_result.unwrap_err().code, ErrorCode::InvalidRequest as i32);
        self.tell::<Exit>(());
        drop(self.input);
        assert!(self.server.wait().unwrap().success());
    }
}

/// A project folder with a Dockerfile.
fn project(text: &str) -> (tempfile::TempDir, Url) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Dockerfile");
    fs::write(&path, text).unwrap();
    let uri = Url::from_file_path(path).unwrap();
    (folder, uri)
}

/// A text with edits made as an editor makes them; all texts here are ASCII.
fn applied(text: &str, edits: &[TextEdit]) -> String {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |position: Position| starts[position.line as usize] + position.character as usize;
    let mut result = text.to_owned();
    for edit in edits.iter().rev() {
        result.replace_range(offset(edit.range.start)..offset(edit.range.end), &edit.new_text);
    }
    result
}

/// The edits of an action, in a client that takes no more than edits by URI.
fn plain<'a>(action: &'a CodeAction, uri: &Url) -> &'a [TextEdit] {
    &action.edit.as_ref().unwrap().changes.as_ref().unwrap()[uri]
}

#[test]
fn fixes_are_diagnostics_and_code_actions() {
    let (folder, uri) = project(DOCKERFILE);
    let mut editor = Editor::start(folder.path(), serde_json::json!({}));
    let found = editor.open(&uri, DOCKERFILE);
    let joins = &found[0];
    assert_eq!(joins.code, Some(NumberOrString::String("merge-run".to_owned())));
    assert_eq!(joins.severity, Some(DiagnosticSeverity::INFORMATION));
    assert_eq!(joins.range, Range::new(Position::new(1, 0), Position::new(2, 27)));
    let hover = editor.hover(&uri, 1).unwrap();
    assert!(hover.contains("(`merge-run`, safe)"), "{hover}");
    assert_eq!(editor.hover(&uri, 40), None);
    // One by one, the editor's choice first.
    let actions = editor.actions(&uri, 2, Some("quickfix"));
    let join = &actions[0];
    assert_eq!((join.is_preferred, join.diagnostics.as_ref().unwrap().len()), (Some(true), 1));
    assert_eq!(
        applied(DOCKERFILE, plain(join, &uri)),
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y less\n"
    );
    // What a fix needs is made with it, and named.
    let clean = actions.iter().find(|it| it.title.ends_with(", with: Join 2 RUNs")).unwrap();
    assert!(applied(DOCKERFILE, plain(clean, &uri)).ends_with("&& rm -rf /var/lib/apt/lists/*\n"));
    // All at once is what `fix --write` does.
    let all = editor.actions(&uri, 0, Some("source.fixAll"));
    let written = Command::new(env!("CARGO_BIN_EXE_dockeropt"))
        .args(["fix", "--write", "--allow-dirty", "Dockerfile"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(written.status.success());
    let expected = fs::read_to_string(folder.path().join("Dockerfile")).unwrap();
    assert_eq!(applied(DOCKERFILE, plain(&all[0], &uri)), expected);
    // Then there is nothing safe to do any more.
    let left = editor.change(&uri, 2, &expected);
    assert!(left.iter().all(|it| it.severity == Some(DiagnosticSeverity::HINT)), "{left:?}");
    assert!(editor.actions(&uri, 0, Some("source.fixAll.dockeropt")).is_empty());
    editor.end();
}

#[test]
fn what_is_wrong_and_what_is_set_is_followed() {
    let (folder, uri) = project(DOCKERFILE);
    fs::write(folder.path().join("dockeropt.toml"), "skip = [\"merge-run\"]\n").unwrap();
    let mut editor = Editor::start(folder.path(), serde_json::json!({}));
    let is_join = |it: &Diagnostic| it.code == Some(NumberOrString::String("merge-run".to_owned()));
    assert_eq!(editor.open(&uri, DOCKERFILE), []);
    fs::remove_file(folder.path().join("dockeropt.toml")).unwrap();
    assert!(editor.change(&uri, 2, DOCKERFILE).iter().any(is_join));
    let refused = editor.change(&uri, 3, "FROM a\nCOPPY x y\n");
    assert_eq!((refused.len(), refused[0].severity), (1, Some(DiagnosticSeverity::ERROR)));
    assert_eq!(refused[0].range.start, Position::new(1, 0));
    // A configuration that can't be read is said, and the server lives on.
    fs::write(folder.path().join("dockeropt.toml"), "disble = 1\n").unwrap();
    let wrong = editor.change(&uri, 4, DOCKERFILE);
    assert!(wrong[0].message.contains("disble"), "{wrong:?}");
    let document = TextDocumentIdentifier::new(uri.clone());
    editor.tell::<DidCloseTextDocument>(DidCloseTextDocumentParams { text_document: document });
    assert_eq!(editor.diagnostics(&uri, None), []);
    // A text that is stored nowhere.
    fs::remove_file(folder.path().join("dockeropt.toml")).unwrap();
    let unnamed = Url::parse("untitled:Untitled-1").unwrap();
    assert!(editor.open(&unnamed, DOCKERFILE).iter().any(is_join));
    editor.end();
}

#[test]
fn an_ignore_file_is_made_where_the_editor_can() {
    let text = "FROM debian:bookworm-slim\nCOPY . /app\n";
    let (folder, uri) = project(text);
    fs::create_dir(folder.path().join(".vscode")).unwrap();
    fs::write(folder.path().join(".vscode/settings.json"), "{}").unwrap();
    let able = serde_json::json!({"workspace": {"workspaceEdit": {
        "documentChanges": true, "resourceOperations": ["create"],
    }}});
    let mut editor = Editor::start(folder.path(), able);
    editor.open(&uri, text);
    let all = editor.actions(&uri, 0, Some("source.fixAll"));
    let WorkspaceEdit { document_changes: Some(DocumentChanges::Operations(operations)), .. } =
        all[0].edit.as_ref().unwrap()
    else {
        panic!("{all:?}")
    };
    let [DocumentChangeOperation::Op(ResourceOp::Create(create)), DocumentChangeOperation::Edit(edit)] =
        &operations[..]
    else {
        panic!("{operations:?}")
    };
    let ignore = Url::from_file_path(folder.path().join(".dockerignore")).unwrap();
    assert_eq!((&create.uri, &edit.text_document.uri), (&ignore, &ignore));
    assert!(matches!(&edit.edits[0], OneOf::Left(edit) if edit.new_text == ".vscode\n"));
    editor.end();
    // Others are not offered what they can't do.
    let mut editor = Editor::start(folder.path(), serde_json::json!({}));
    editor.open(&uri, text);
    assert!(editor.actions(&uri, 0, Some("source.fixAll")).is_empty());
    editor.end();
}
