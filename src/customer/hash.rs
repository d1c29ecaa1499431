//! How erased people are remembered without keeping who they were: by keyed hashes, so that an import cannot bring
//! them back and the table tells nothing to whoever has the database without the site's key.

/// The key of the erasure hash. It never rotates: with another key, old erasures would be forgotten.
#[derive(Clone)]
pub struct ErasureKey([u8; 32]);

impl ErasureKey {
    /// A key of 32 bytes, derived from the site's secret.
    pub fn new(key: [u8; 32]) -> ErasureKey {
        ErasureKey(key)
    }

    /// The hash of a normalised address.
    pub fn address(&self, email: &str) -> String {
        self.hash(b"address:", email)
    }

    /// The hash of an external id.
    pub fn external(&self, id: &str) -> String {
        self.hash(b"external:", id)
    }

    fn hash(&self, what: &[u8], text: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(what).update(text.as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureKey(…)")
    }
}
