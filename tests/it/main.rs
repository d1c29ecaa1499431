//! The suite: behaviour through the public door. One binary, a module for each behaviour.

mod catcher;
mod database;
mod relationship;
mod segment;
mod support;

