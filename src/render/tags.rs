//! What is to be known of the tags of HTML and MJML: which of them hold what.

/// The tags that mrml knows.
pub(crate) const MJML: [&str; 33] = [
    "mjml",
    "mj-head",
    "mj-body",
    "mj-attributes",
    "mj-all",
    "mj-class",
    "mj-breakpoint",
    "mj-font",
    "mj-preview",
    "mj-style",
    "mj-title",
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-title",
    "mj-accordion-text",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-column",
    "mj-divider",
    "mj-group",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-table",
    "mj-text",
    "mj-wrapper",
];

/// In these, HTML is swallowed or breaks the columns.
const NO_HTML: [&str; 13] = [
    "mjml",
    "mj-head",
    "mj-body",
    "mj-wrapper",
    "mj-section",
    "mj-group",
    "mj-column",
    "mj-hero",
    "mj-navbar",
    "mj-social",
    "mj-accordion",
    "mj-accordion-element",
    "mj-carousel",
];

/// Besides those that take no HTML, these hold elements and no text.
const STRUCTURE: [&str; 8] = ["table", "tbody", "thead", "tfoot", "tr", "colgroup", "mj-table", "mj-attributes"];

const VOID: [&str; 16] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "!doctype", "mj-font",
];

const RAW: [&str; 7] = ["style", "script", "title", "textarea", "mj-style", "mj-title", "mj-preview"];

/// Whether only tags of MJML may stand in it.
pub(crate) fn takes_no_html(tag: &str) -> bool {
    NO_HTML.contains(&tag)
}

/// Whether only elements may stand in it, and no text.
pub(crate) fn holds_elements_only(tag: &str) -> bool {
    takes_no_html(tag) || STRUCTURE.contains(&tag)
}

/// Whether it never closes.
pub(crate) fn is_void(tag: &str) -> bool {
    VOID.contains(&tag)
}

/// Whether nothing in it is markup.
pub(crate) fn is_raw(tag: &str) -> bool {
    RAW.contains(&tag)
}
