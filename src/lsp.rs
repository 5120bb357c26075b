//! `lsp`: the fixes in an editor, by the Language Server Protocol.
//!
//! Texts are kept whole; when the editor pauses, those that changed are looked at, and their fixes are
//! published as diagnostics. Edits are worked out when the editor asks for them.

mod document;
mod edits;

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Exit,
    Notification as _, PublishDiagnostics,
};
use lsp_types::request::{CodeActionRequest, HoverRequest, Request as _, Shutdown};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, HoverParams,
    HoverProviderCapability, InitializeParams, PublishDiagnosticsParams, SaveOptions, ServerCapabilities,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    Url,
};
use serde::de::DeserializeOwned;

use crate::cli::ChoiceArgs;
use document::{Document, Setting};
use edits::Abilities;

/// How long the editor must pause before texts are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the server on standard input and output until the editor ends it.
pub(crate) fn run(arguments: &ChoiceArgs) -> anyhow::Result<ExitCode> {
    let (connection, threads) = Connection::stdio();
    let capabilities = serde_json::to_value(capabilities())?;
    let parameters = connection.initialize(capabilities).context("the editor did not say hello")?;
    let parameters: InitializeParams = serde_json::from_value(parameters)?;
    let abilities = Abilities::of(&parameters.capabilities);
    let server = Server {
        connection: &connection,
        setting: Setting::new(arguments, abilities)?,
        documents: HashMap::new(),
        stale: BTreeSet::new(),
        is_ending: false,
    };
    let code = server.serve()?;
    drop(connection);
    threads.join()?;
    Ok(code)
}

/// Fixing everything that needs no look, as editors do on saving.
pub(crate) const FIX_ALL: &str = "source.fixAll.dockeropt";

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::FULL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions::default())),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::from(FIX_ALL)]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

struct Server<'c> {
    connection: &'c Connection,
    setting: Setting,
    documents: HashMap<Url, Document>,
    /// What changed since it was looked at.
    stale: BTreeSet<Url>,
    /// Whether the editor has said that it will end the server.
    is_ending: bool,
}

impl Server<'_> {
    fn serve(mut self) -> anyhow::Result<ExitCode> {
        loop {
            let message = match self.stale.is_empty() {
                true => self.connection.receiver.recv().ok(),
                false => match self.connection.receiver.recv_timeout(PAUSE) {
                    Ok(message) => Some(message),
                    Err(error) if error.is_timeout() => {
                        self.publish()?;
                        continue;
                    }
                    Err(_) => None,
                },
            };
            match message {
                // The editor is gone.
                None => return Ok(ExitCode::SUCCESS),
                Some(Message::Request(request)) => {
                    let response = match request.method.as_str() {
                        _ if self.is_ending => {
                            let message = "the server was told to shut down".to_owned();
                            Response::new_err(request.id, ErrorCode::InvalidRequest as i32, message)
                        }
                        Shutdown::METHOD => {
                            self.is_ending = true;
                            self.stale.clear();
                            Response::new_ok(request.id, ())
                        }
                        _ => self.answer(request),
                    };
                    self.send(response)?;
                }
                Some(Message::Notification(Notification { method, .. })) if method == Exit::METHOD => {
                    // As the protocol has it.
                    return Ok(if self.is_ending { ExitCode::SUCCESS } else { ExitCode::FAILURE });
                }
                Some(Message::Notification(notification)) => self.note(notification)?,
                Some(Message::Response(_)) => {}
            }
        }
    }

    fn send(&self, message: impl Into<Message>) -> anyhow::Result<()> {
        self.connection.sender.send(message.into()).context("the editor does not listen")
    }

    /// Looks at the texts that changed.
    fn publish(&mut self) -> anyhow::Result<()> {
        for uri in std::mem::take(&mut self.stale) {
            let Some(document) = self.documents.get(&uri) else { continue };
            let diagnostics = document.diagnostics(&self.setting);
            let parameters = PublishDiagnosticsParams { uri, diagnostics, version: Some(document.version) };
            self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), parameters))?;
        }
        Ok(())
    }

    fn note(&mut self, notification: Notification) -> anyhow::Result<()> {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(DidOpenTextDocumentParams { text_document: opened }) = read(params) else {
                    return Ok(());
                };
                let document = Document::new(&opened.uri, opened.text, opened.version);
                self.stale.insert(opened.uri.clone());
                self.documents.insert(opened.uri, document);
            }
            DidChangeTextDocument::METHOD => {
                let Some(changed) = read::<DidChangeTextDocumentParams>(params) else { return Ok(()) };
                let (uri, version) = (changed.text_document.uri, changed.text_document.version);
                if let Some(change) = changed.content_changes.into_iter().next_back() {
                    self.stale.insert(uri.clone());
                    self.documents.insert(uri.clone(), Document::new(&uri, change.text, version));
                }
            }
            DidCloseTextDocument::METHOD => {
                let Some(DidCloseTextDocumentParams { text_document }) = read(params) else { return Ok(()) };
                let uri = text_document.uri;
                self.stale.remove(&uri);
                self.documents.remove(&uri);
                let parameters = PublishDiagnosticsParams::new(uri, Vec::new(), None);
                self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), parameters))?;
            }
            // What lies around other texts may have changed with it.
            DidSaveTextDocument::METHOD => self.stale.extend(self.documents.keys().cloned()),
            _ => {}
        }
        Ok(())
    }

    fn answer(&self, request: Request) -> Response {
        let Request { id, method, params } = request;
        match method.as_str() {
            CodeActionRequest::METHOD => {
                let actions = read::<CodeActionParams>(params).and_then(|asked| {
                    Some(self.documents.get(&asked.text_document.uri)?.actions(
                        &self.setting,
                        &asked,
                        &self.documents,
                    ))
                });
                Response::new_ok(id, actions)
            }
            HoverRequest::METHOD => {
                let hover = read::<HoverParams>(params).and_then(|asked| {
                    let place = asked.text_document_position_params;
                    self.documents.get(&place.text_document.uri)?.hover(&self.setting, place.position.line)
                });
                Response::new_ok(id, hover)
            }
            _ => {
                Response::new_err(id, ErrorCode::MethodNotFound as i32, format!("{method} is not known here"))
            }
        }
    }
}

fn read<T: DeserializeOwned>(parameters: serde_json::Value) -> Option<T> {
    serde_json::from_value(parameters).ok()
}
