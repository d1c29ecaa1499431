//! The suite: behaviour through the public door. One binary, a module for each behaviour.

mod support;

mod database;
mod track;
mod web;
