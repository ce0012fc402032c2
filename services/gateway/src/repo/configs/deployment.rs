//! What belongs to a deployment and never changes: the salt of derivations, and the pepper that blinds places.
//!
//! Made once, by whichever process comes first. Without this record no user key opens anything any more, so it must be
//! in every copy of the storage.

use coffer_core::{Random, SecretKey};
use coffer_crypto::space::SALT_BYTES;
use coffer_store::records::{Outcome, Partition, Sealed, SealedCommit, Sort, StoreError, Table};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::records::corrupt;

const TABLE: Table = Table::new("config_deployment");

/// Salt and pepper.
#[derive(Debug)]
pub struct Deployment {
    /// The salt of every derivation. No secret, but sealed all the same.
    pub salt: [u8; SALT_BYTES],
    /// Blinds places and names.
    pub pepper: SecretKey,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Record {
    #[serde(with = "serde_bytes")]
    salt: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pepper: Vec<u8>,
}

impl Deployment {
    /// The deployment that `records` belong to; it is made if there is none.
    pub async fn load(records: &Sealed, random: &dyn Random) -> Result<Self, StoreError> {
        let (partition, sort) = (Partition::new(TABLE, "all"), Sort::of("d").build());
        loop {
            if let Some(found) = records.get_as::<Record>(&partition, &sort).await? {
                return Self::of(&found.value);
            }
            let mut made = Record { salt: vec![0; SALT_BYTES], pepper: vec![0; 32] };
            random.fill(&mut made.salt);
            random.fill(&mut made.pepper);
            let commit = SealedCommit::new().absent(&sort).put_as(&sort, &made, None);
            match records.commit(&partition, commit).await? {
                Outcome::Committed(_) => return Self::of(&made),
                Outcome::Refused { .. } => {}
            }
        }
    }

    fn of(record: &Record) -> Result<Self, StoreError> {
        let wrong = || corrupt("the salt of configurations is not as long as it was made");
        let salt = <[u8; SALT_BYTES]>::try_from(record.salt.as_slice()).map_err(|_| wrong())?;
        let pepper = <&[u8; 32]>::try_from(record.pepper.as_slice()).map_err(|_| wrong())?;
        Ok(Self { salt, pepper: SecretKey::init_with(|key| key.copy_from_slice(pepper)) })
    }
}
