//! bcrypt on a few threads of its own with a bounded queue.
//!
//! One bcrypt of cost 12 takes about a quarter of a second of a core: see [`Workers`].

use std::fmt;
use std::sync::Arc;

use coffer_core::Random;
use zeroize::Zeroizing;

use super::Password;
use crate::workers::{WorkError, Workers};

/// How passwords are hashed.
#[derive(Clone, Copy, Debug)]
pub struct HasherSettings {
    /// bcrypt's cost, 4 to 31: the work doubles with each step.
    pub cost: u32,
    /// Threads that hash.
    pub threads: usize,
    /// Jobs that may wait; one more is refused.
    pub queue_jobs_max: usize,
}

/// A bcrypt hash in its usual text form (`$2b$12$…`). Not printed: it can be guessed against.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash as it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store, sealed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// Why a password could be neither hashed nor checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// As many jobs as allowed are waiting already.
    #[error("too many passwords are being checked at once")]
    Overloaded,
    /// The stored hash is not bcrypt's, or the cost is out of range.
    #[error("bcrypt refuses the stored hash or the cost")]
    Bcrypt,
    /// The hashing threads have ended: the process is shutting down.
    #[error("password hashing has stopped")]
    Stopped,
}

impl From<WorkError> for HashError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Overloaded => Self::Overloaded,
            WorkError::Stopped => Self::Stopped,
        }
    }
}

/// What came of trying a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password, or there is no account.
    Wrong,
    /// It is the password.
    Right {
        /// The same password hashed at today's cost, if the hash was made at another.
        renewed: Option<PasswordHash>,
    },
}

impl Verdict {
    /// Whether it is the password.
    pub fn is_right(&self) -> bool {
        matches!(self, Self::Right { .. })
    }
}

/// Hashes and checks passwords, shared by all requests of a process.
pub struct Hasher {
    workers: Workers,
    random: Arc<dyn Random>,
    cost: u32,
    decoy: PasswordHash,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Hasher {
    /// Starts the threads, which end when the hasher is dropped. Hashes once, for the decoy that stands
    /// in for an account that does not exist, so a cost that bcrypt refuses is an error here.
    pub fn start(settings: HasherSettings, random: Arc<dyn Random>) -> Result<Self, HashError> {
        let decoy = derive_hash(&[0; 32], settings.cost, make_salt(&*random))?;
        let workers = Workers::start("bcrypt", settings.threads, settings.queue_jobs_max)?;
        Ok(Self { workers, random, cost: settings.cost, decoy })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let (cost, salt) = (self.cost, make_salt(&*self.random));
        self.workers.run(move || derive_hash(password.expose().as_bytes(), cost, salt)).await?
    }

    /// Tries a password against the hash of an account. Without an account the same work is done, and
    /// the verdict is [`Verdict::Wrong`].
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<&PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).clone();
        let (cost, salt) = (self.cost, make_salt(&*self.random));
        self.workers
            .run(move || {
                let right = bcrypt::verify(password.expose(), &hash.0).map_err(|_| HashError::Bcrypt)?;
                if !(right && exists) {
                    return Ok(Verdict::Wrong);
                }
                let outdated = hash.0.get(4..6).is_none_or(|text| text.parse() != Ok(cost));
                let renew = || derive_hash(password.expose().as_bytes(), cost, salt);
                Ok(Verdict::Right { renewed: outdated.then(renew).transpose()? })
            })
            .await?
    }
}

fn make_salt(random: &dyn Random) -> [u8; 16] {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    salt
}

fn derive_hash(password: &[u8], cost: u32, salt: [u8; 16]) -> Result<PasswordHash, HashError> {
    let hash = bcrypt::hash_with_salt_bytes(Zeroizing::new(password.to_vec()), cost, salt)
        .map_err(|_| HashError::Bcrypt)?;
    let text = String::from_utf8(hash.to_vec()).map_err(|_| HashError::Bcrypt)?;
    Ok(PasswordHash(text))
}

#[cfg(test)]
mod tests {
    use coffer_core::{SecretString, SeededRandom};

    use super::*;

    fn hasher(settings: HasherSettings) -> Hasher {
        Hasher::start(settings, Arc::new(SeededRandom::new(1))).unwrap()
    }

    fn quick() -> Hasher {
        hasher(HasherSettings { cost: 4, threads: 1, queue_jobs_max: 8 })
    }

    fn password(text: &str) -> Password {
        Password::new(SecretString::from(text)).unwrap()
    }

    #[tokio::test]
    async fn only_the_same_password_is_right() {
        let hasher = quick();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        let right = hasher.verify(password("correct horse"), Some(&hash)).await.unwrap();
        assert_eq!(right, Verdict::Right { renewed: None });
        let wrong = hasher.verify(password("correct horsf"), Some(&hash)).await.unwrap();
        assert_eq!(wrong, Verdict::Wrong);
    }

    #[tokio::test]
    async fn all_72_bytes_of_a_password_count() {
        let hasher = quick();
        let hash = hasher.hash(password(&"x".repeat(72))).await.unwrap();
        let nearly = format!("{}y", "x".repeat(71));
        assert!(hasher.verify(password(&"x".repeat(72)), Some(&hash)).await.unwrap().is_right());
        assert!(!hasher.verify(password(&nearly), Some(&hash)).await.unwrap().is_right());
    }

    #[tokio::test]
    async fn no_password_is_right_without_an_account() {
        let decoy = "\0".repeat(32);
        let hasher = quick();
        assert_eq!(hasher.verify(password("anything"), None).await, Ok(Verdict::Wrong));
        assert_eq!(hasher.verify(Password(SecretString::from(decoy)), None).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_right_and_renewed() {
        let old = quick().hash(password("correct horse")).await.unwrap();
        let today = hasher(HasherSettings { cost: 5, threads: 1, queue_jobs_max: 8 });
        let verdict = today.verify(password("correct horse"), Some(&old)).await.unwrap();
        let Verdict::Right { renewed: Some(renewed) } = verdict else { panic!("{verdict:?}") };
        let again = today.verify(password("correct horse"), Some(&renewed)).await.unwrap();
        assert_eq!(again, Verdict::Right { renewed: None });
    }

    #[test]
    fn a_cost_that_bcrypt_refuses_is_an_error_at_the_start() {
        let settings = HasherSettings { cost: 3, threads: 1, queue_jobs_max: 1 };
        assert_eq!(Hasher::start(settings, Arc::new(SeededRandom::new(1))).err(), Some(HashError::Bcrypt));
    }
}
