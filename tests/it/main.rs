//! The suite: behaviour through the public door. One binary, a module for each behaviour.

mod catcher;
mod database;
mod demo_people;
mod demo_shop;
mod relationship;
mod segment;
mod support;
mod track;
mod web;
