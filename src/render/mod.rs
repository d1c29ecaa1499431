//! A template and a reader in, a mail out. `campaign` compiles at launch and in `check`; `deliver` merges and writes.
//!
//! A template goes this way, once for each revision: files ([`Library`]) → front matter, layout, partials (`expand`) →
//! Handlebars expressions out of harm's way (`protect`) → MJML or CSS inlining (`markup`) → numbered links (`links`) →
//! the text part (`text`) → label and footer (`law`) → Handlebars templates ([`Compiled`]). Per mail only the last step
//! is left: [`Compiled::merge`] and [`mime::mail`], and of that only what is not the same in every mail (`fold`).

mod blame;
mod check;
mod compile;
pub mod dkim;
mod expand;
mod expr;
mod fold;
mod front;
mod helpers;
pub mod korean;
pub mod law;
mod library;
mod links;
mod markup;
mod merge;
pub mod mime;
mod options;
mod pieces;
mod program;
mod protect;
mod scan;
mod tags;
mod text;
mod transfer;
mod words;

pub use check::{Known, check};
pub use compile::Compiled;
pub use fold::Needs;
pub use library::Library;
pub use merge::{Links, Merged, Reader, RenderError, Rendered};
pub use options::{CompileOptions, SiteFacts, Utm};
