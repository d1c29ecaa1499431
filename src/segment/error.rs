//! A mistake in an expression, with its place in it.

use std::ops::Range;

/// What is wrong with an expression, where in it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// The bytes of the expression that are meant; never cuts a character.
    pub span: Range<usize>,
    /// What sort, in kebab-case, such as `unknown-field`.
    pub code: &'static str,
    /// What was found and what is expected. One sentence without a full stop.
    pub message: String,
    /// What to do; the nearest right name.
    pub help: Option<String>,
}

impl ExprError {
    pub(super) fn new(span: Range<usize>, code: &'static str, message: impl Into<String>) -> ExprError {
        ExprError { span, code, message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> ExprError {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn maybe_help(mut self, help: Option<String>) -> ExprError {
        self.help = help.or(self.help);
        self
    }
}
