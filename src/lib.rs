//! Dangol: an engagement engine for e-mail. Begin with ARCHITECTURE.md; each folder is a stage of the data's loop.

pub mod access;
pub mod campaign;
pub mod catcher;
pub mod cli;
pub mod config;
pub mod customer;
pub mod db;
pub mod deliver;
pub mod engine;
pub mod event;
pub mod import;
pub mod permission;
pub mod relationship;
pub mod render;
pub mod report;
pub mod reward;
pub mod segment;
pub mod track;
pub mod types;
pub mod web;
