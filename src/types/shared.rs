//! A value that is replaced while it is in use, as the settings are when they are read again.

use std::sync::{Arc, PoisonError, RwLock};

/// A replaceable value. Cheap to clone; clones share it.
#[derive(Debug)]
pub struct Shared<T> {
    value: Arc<RwLock<Arc<T>>>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared { value: self.value.clone() }
    }
}

impl<T> Shared<T> {
    /// Begins with `value`.
    pub fn new(value: T) -> Shared<T> {
        Shared { value: Arc::new(RwLock::new(Arc::new(value))) }
    }

    /// The value now; later changes do not touch it.
    pub fn get(&self) -> Arc<T> {
        // a panic while it is held cannot leave one pointer half-changed
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place.
    pub fn set(&self, value: T) {
        *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}
