//! The API: what the shop's programs tell lands as the rows of files do, twice is once, and hostile bodies harm nothing.
//! Over real HTTP, with the database and the stages behind it; each answer is held against the OpenAPI document.

mod again;
mod document;
mod hostile;
mod redeem;
mod rows;
mod shop;
mod tokens;
