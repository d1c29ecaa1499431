//! Dangol: an engagement engine for e-mail. Begin with ARCHITECTURE.md; each folder is a stage of the data's loop.

pub mod config;
pub mod db;
pub mod event;
pub mod track;
pub mod types;
pub mod web;
