//! Making keys: for `dangol dkim keygen`, which needs no other program for it.

use super::{Algorithm, der};
use crypto_bigint::{NonZero, Odd, U1024, U2048};
use crypto_primes::{Flavor, random_prime};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

/// The usual public exponent; small, so that verifying is quick.
const E: u64 = 65_537;

/// A new private key as PEM of PKCS#8.
///
/// # Errors
/// When the system gives no random bytes.
pub fn pem(algorithm: Algorithm) -> Result<String, String> {
    // asked first, because the source of primes has no way to say that there are none
    getrandom::fill(&mut [0; 32]).map_err(|e| format!("the system gives no random bytes: {e}"))?;
    let bytes = match algorithm {
        Algorithm::Ed25519 => {
            let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
            made.map_err(|_| "the system gives no random bytes".to_owned())?.as_ref().to_vec()
        }
        Algorithm::Rsa => loop {
            if let Some(key) = rsa() {
                break key;
            }
        },
    };
    Ok(der::to_pem("PRIVATE KEY", &bytes))
}

/// An RSA key of 2048 bits (FIPS 186-5, appendix A.1) as PKCS#8; none when the two primes do not make one.
fn rsa() -> Option<Vec<u8>> {
    let mut random = UnwrapErr(SysRng);
    let a: U1024 = random_prime(&mut random, Flavor::Any, 1024);
    let b: U1024 = random_prime(&mut random, Flavor::Any, 1024);
    let (p, q) = if a > b { (a, b) } else { (b, a) };
    // primes that are close to each other are found from their product
    if (p.wrapping_sub(&q)).bits() <= 1024 - 100 {
        return None;
    }
    let n: U2048 = p.concatenating_mul(&q);
    if n.bits() != 2048 {
        return None;
    }
    let (p1, q1) = (p.wrapping_sub(&U1024::ONE), q.wrapping_sub(&U1024::ONE));
    let phi: U2048 = p1.concatenating_mul(&q1);
    let gcd: U2048 = p1.gcd(&q1).resize();
    let lambda = Option::from(NonZero::new(phi.wrapping_div(&Option::from(NonZero::new(gcd))?)))?;
    let d: U2048 = Option::from(U2048::from(E).invert_mod(&lambda))?;
    // a small private exponent is guessed by continued fractions
    if d.bits() <= 1024 {
        return None;
    }
    let wide = |n: &U1024| -> Option<NonZero<U2048>> { Option::from(NonZero::new(n.resize::<{ U2048::LIMBS }>())) };
    let dp = d.rem(&wide(&p1)?);
    let dq = d.rem(&wide(&q1)?);
    let odd: Odd<U1024> = Option::from(Odd::new(p))?;
    let qinv: U1024 = Option::from(q.invert_odd_mod(&odd))?;
    let big = |n: &U2048| der::integer(n.to_be_bytes().as_ref());
    let small = |n: &U1024| der::integer(n.to_be_bytes().as_ref());
    let version = der::integer(&[0]);
    let e = der::integer(&E.to_be_bytes());
    let key =
        der::sequence(&[version.clone(), big(&n), e, big(&d), small(&p), small(&q), big(&dp), big(&dq), small(&qinv)]);
    Some(der::sequence(&[version, der::rsa_encryption(), der::octets(&key)]))
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
