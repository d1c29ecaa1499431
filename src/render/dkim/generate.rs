//! Making keys: for `dangol dkim keygen`, which needs no other program for it.

use super::Algorithm;
use super::pem::write;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;

/// A new private key as PEM of PKCS#8.
///
/// # Errors
/// When the system gives no random bytes.
pub fn pem(algorithm: Algorithm) -> Result<String, String> {
    let made = match algorithm {
        Algorithm::Ed25519 => Ed25519KeyPair::generate().and_then(|pair| pair.as_der()),
        Algorithm::Rsa => KeyPair::generate(KeySize::Rsa2048).and_then(|pair| pair.as_der()),
    };
    let made: Pkcs8V1Der<'_> = made.map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(write("PRIVATE KEY", made.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    #[test]
    fn keys_are_such_as_sign_and_no_two_are_alike() {
        for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
            // reading it checks every number of an RSA key against the others
            let keys = [(); 2].map(|()| Key::from_pem(&pem(algorithm).unwrap()).unwrap());
            assert_eq!(keys[0].algorithm(), algorithm);
            assert_ne!(keys[0].public(), keys[1].public());
            assert!(keys[0].sign(b"headers").is_ok());
        }
    }
}
