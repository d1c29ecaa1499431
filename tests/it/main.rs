//! The suite: behaviour through the public door. One binary, a module for each behaviour.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catcher;
mod check;
mod commands;
mod database;
mod demo_people;
mod demo_shop;
mod relationship;
mod render;
mod segment;
mod support;
mod track;
mod web;
