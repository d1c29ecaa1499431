//! Through which door rows come: a file, or a request to the API. What they are judged by is the same; a few words differ.

/// Where rows come from.
#[derive(Clone, Debug)]
pub(super) enum Door {
    /// A file.
    File,
    /// A request to the API.
    Api {
        /// Something that no other request has: what it corrects is an event of its own in the log.
        request: String,
    },
}

impl Door {
    /// As the log and the ledger name it.
    pub(super) fn source(&self) -> &'static str {
        match self {
            Door::File => "import",
            Door::Api { .. } => "api",
        }
    }

    /// What tells this call's corrections from those of another, when there is no import with a number.
    pub(super) fn call(&self) -> &str {
        match self {
            Door::File => "-",
            Door::Api { request } => request,
        }
    }

    /// What to do about a row whose customer is not known.
    pub(super) fn stranger(&self) -> &'static str {
        match self {
            Door::File => ": import the customers first, or add --create",
            Door::Api { .. } => ": send them to /api/v1/customers first, or add ?create=true",
        }
    }

    /// How an order comes in.
    pub(super) fn orders(&self) -> &'static str {
        match self {
            Door::File => "`dangol import orders`",
            Door::Api { .. } => "/api/v1/orders",
        }
    }

    /// Where a redemption comes in, when not here: what a token may spend is a scope of its own.
    pub(super) fn redemptions(&self) -> Option<&'static str> {
        match self {
            Door::File => None,
            Door::Api { .. } => Some("/api/v1/rewards/redeem"),
        }
    }

    /// A file is whole, so two rows of the same content are two. A program may cut what it tells into requests in any
    /// way, and send one again, so there they are one.
    pub(super) fn counts(&self) -> bool {
        matches!(self, Door::File)
    }

    /// An order without the shop's number is known again by what else stands in its file; a request has nothing else.
    pub(super) fn needs_order_id(&self) -> bool {
        matches!(self, Door::Api { .. })
    }
}
