//! x
/// x
pub struct Workspace;
