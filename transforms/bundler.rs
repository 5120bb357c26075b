//! Calls of Bundler.

use dockeropt_facts::command::Call;

/// Whether a call is one of Bundler.
pub(crate) fn is_called(call: &Call<'_, '_>) -> bool {
    matches!(call.program, "bundle" | "bundler")
}

/// `gem install bundler`: Bundler alone.
pub(crate) fn is_installed(call: &Call<'_, '_>) -> bool {
    let operands = call.managed.iter().flat_map(|managed| &managed.operands);
    let mut names = operands.map(|&at| call.simple.words[at].literal().unwrap_or_default()).peekable();
    names.peek().is_some() && names.all(|name| name.split(':').next() == Some("bundler"))
}

/// `bundle exec rake assets:precompile` and its like: Ruby code of which it is known what it is for.
pub(crate) fn is_precompile(call: &Call<'_, '_>) -> bool {
    let mut words = call.arguments();
    let mut program = Some(call.program);
    if is_called(call) {
        if words.next() != Some(Some("exec")) {
            return false;
        }
        program = words.next().flatten();
    }
    let is_rails = program.is_some_and(|it| matches!(it.rsplit('/').next(), Some("rake" | "rails")));
    let mut tasks = words.peekable();
    let is_task = |word: Option<&str>| {
        word.is_some_and(|it| {
            matches!(it, "assets:precompile" | "assets:clean" | "assets:clobber") || it.contains('=')
        })
    };
    is_rails && tasks.peek().is_some() && tasks.all(is_task)
}
