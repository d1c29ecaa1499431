//! Wires the loops.

pub mod demo;
