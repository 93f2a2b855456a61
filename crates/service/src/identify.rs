//! Who asks for flags: the identity of an SDK's request, its traits stored and sent.

use crate::Service;
use crate::environment_access::OpenEnvironment;
use crate::error::{Problem, ServiceError, ServiceResult};
use crate::secrets;
use flagstaff_core::text::python_text;
use flagstaff_core::{
    Attributes, Context, Identifier, IdentityContext, InvalidName, SnapshotIdentity, TraitId, Value,
};
use flagstaff_store::{StoredIdentity, TraitChange, TraitWrite};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// A trait as an SDK sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct SentTrait {
    /// 1 to 200 characters.
    pub key: Arc<str>,
    /// Null deletes it.
    pub value: Value,
    /// True: used now, never stored.
    pub transient: bool,
}

/// What an SDK says of who asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identification {
    /// Empty or absent: nobody in particular; nothing is stored.
    pub identifier: Option<String>,
    /// In the order they were sent; of two with one key the last counts.
    pub traits: Vec<SentTrait>,
    /// True: nothing is stored, but what is stored counts.
    pub transient: bool,
}

/// A trait as the answer shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTrait {
    /// Its row; absent for transient ones and for those this very request added to a known identity.
    pub id: Option<TraitId>,
    /// Its name.
    pub key: Arc<str>,
    /// Its value.
    pub value: Value,
    /// True when it is not stored.
    pub transient: bool,
}

/// Who asks, ready to be evaluated.
#[derive(Debug, Clone)]
pub struct Identified {
    /// As sent, or made up for somebody anonymous.
    pub identifier: Arc<str>,
    /// What they are hashed by, where it is not the composite key.
    pub hash_key: Option<Arc<str>>,
    /// Stored traits with the sent ones laid over them.
    pub attributes: Attributes,
    /// The same as the answer shows them.
    pub traits: Vec<ShownTrait>,
    /// What holds for this identity alone.
    pub overrides: Option<Arc<SnapshotIdentity>>,
}

impl Identified {
    /// The context that flags are evaluated in.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            identity: Some(IdentityContext {
                identifier: &self.identifier,
                key: self.hash_key.as_deref(),
                attributes: &self.attributes,
                overrides: self.overrides.as_ref().map(|identity| &*identity.flags),
            }),
        }
    }
}

impl Service {
    /// Finds out who asks, and stores what is new about them before it answers.
    ///
    /// # Errors
    /// An identifier that is too long or holds a NUL, and failures of the database.
    pub async fn identify(
        &self,
        open: &OpenEnvironment,
        mut identification: Identification,
    ) -> ServiceResult<Identified> {
        let environment = &open.snapshot().environment;
        if !open.server_side && !environment.allow_client_traits {
            identification.traits.clear();
        }
        keep_last(&mut identification.traits);
        let given = identification.identifier.as_deref().unwrap_or_default();
        if given.is_empty() {
            let identifier = anonymous_identifier(&identification.traits);
            return Ok(identified(
                open,
                identifier,
                None,
                identification.traits,
                true,
            ));
        }
        let identifier = identifier(given)?;
        let persists = open.snapshot().organisation.persist_trait_data;
        let known = self.known_identity(environment.id, &identifier).await?;
        if identification.transient {
            let sent = identification.traits;
            return Ok(identified(open, identifier.shared(), known, sent, true));
        }
        let writes = if persists {
            self.changes(known.as_deref(), &identification.traits)
        } else {
            Vec::new()
        };
        let known_before = known.clone();
        let stored = match known {
            Some(known) if writes.is_empty() => known,
            Some(_) | None => {
                let change = TraitChange {
                    environment_id: environment.id,
                    identifier: identifier.clone(),
                    traits: writes,
                };
                // Boxed, so that the future of a request that writes nothing stays small.
                Box::pin(self.write_traits(change)).await?.stored
            }
        };
        let mut sent = identification.traits;
        let order: Vec<Arc<str>> = sent.iter().map(|sent| Arc::clone(&sent.key)).collect();
        if persists {
            sent.retain(|sent| sent.transient);
        }
        let mut result = identified(open, identifier.shared(), Some(stored), sent, false);
        match known_before {
            Some(before) => hide_new_ids(&mut result, &before),
            None => sort_as_sent(&mut result, &order),
        }
        Ok(result)
    }

    /// What of the sent traits is to be written. Where this process is the only writer, what it knows decides;
    /// elsewhere the transaction compares with the stored rows.
    fn changes(
        &self,
        known: Option<&StoredIdentity>,
        sent: &[SentTrait],
    ) -> Vec<(Arc<str>, TraitWrite)> {
        let is_exact = !self.store().is_shared();
        let is_unchanged = |sent: &SentTrait| {
            let Some(known) = known.filter(|_| is_exact) else {
                return false;
            };
            let stored = known.traits.iter().find(|stored| stored.key == sent.key);
            match stored {
                Some(stored) => stored.value == sent.value,
                None => sent.value.is_null(),
            }
        };
        sent.iter()
            .filter(|sent| !sent.transient && !is_unchanged(sent))
            .map(|sent| {
                let write = match &sent.value {
                    Value::Null => TraitWrite::Delete,
                    value => TraitWrite::Set(value.clone()),
                };
                (Arc::clone(&sent.key), write)
            })
            .collect()
    }
}

/// Checks an identifier.
pub(crate) fn identifier(text: &str) -> ServiceResult<Identifier> {
    Identifier::parse(text).map_err(|error| {
        let problem = match error {
            InvalidName::Empty => Problem::Blank,
            InvalidName::TooLong { limit } => Problem::TooLong { limit },
            InvalidName::Nul => Problem::Nul,
        };
        ServiceError::invalid("identifier", problem)
    })
}

/// Of several traits with one key, the last one stays, in its place.
fn keep_last(traits: &mut Vec<SentTrait>) {
    if are_distinct(traits) {
        return;
    }
    let mut seen = std::collections::HashSet::new();
    traits.reverse();
    traits.retain(|sent| seen.insert(Arc::clone(&sent.key)));
    traits.reverse();
}

/// True for few traits with different keys, which is what almost everybody sends.
fn are_distinct(traits: &[SentTrait]) -> bool {
    let mut rest = traits.iter().enumerate();
    traits.len() <= 16
        && rest.all(|(position, sent)| traits[..position].iter().all(|other| other.key != sent.key))
}

/// The identifier of somebody without one: a digest of their traits, so that the same traits get the same
/// flags, or a random one without traits.
fn anonymous_identifier(traits: &[SentTrait]) -> Arc<str> {
    let mut set: Vec<_> = traits.iter().filter(|sent| !sent.value.is_null()).collect();
    if set.is_empty() {
        return Uuid::new_v4().simple().to_string().into();
    }
    set.sort_by(|a, b| a.key.cmp(&b.key));
    let mut digest = Sha256::new();
    for sent in set {
        digest.update(sent.key.as_bytes());
        digest.update(python_text(&sent.value).as_bytes());
    }
    secrets::hex(&digest.finalize()).into()
}

/// A trait that is new to a known identity is answered without its id, as recorded.
fn hide_new_ids(identified: &mut Identified, before: &StoredIdentity) {
    for shown in &mut identified.traits {
        if !before.traits.iter().any(|stored| stored.key == shown.key) {
            shown.id = None;
        }
    }
}

/// The traits of somebody new are answered in the order they were sent, transient or not.
fn sort_as_sent(result: &mut Identified, order: &[Arc<str>]) {
    let positions: HashMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(position, key)| (&**key, position))
        .collect();
    result
        .traits
        .sort_by_key(|shown| positions.get(&*shown.key).copied().unwrap_or(usize::MAX));
}

/// Lays what was sent over what is stored.
fn identified(
    open: &OpenEnvironment,
    identifier: Arc<str>,
    stored: Option<Arc<StoredIdentity>>,
    sent: Vec<SentTrait>,
    all_transient: bool,
) -> Identified {
    let snapshot = open.snapshot();
    let mut traits: Vec<ShownTrait> = Vec::new();
    for stored in stored.iter().flat_map(|stored| &stored.traits) {
        traits.push(ShownTrait {
            id: Some(stored.id),
            key: Arc::clone(&stored.key),
            value: stored.value.clone(),
            transient: false,
        });
    }
    for sent in sent {
        traits.retain(|shown| shown.key != sent.key);
        if !sent.value.is_null() {
            traits.push(ShownTrait {
                id: None,
                key: sent.key,
                value: sent.value,
                transient: sent.transient || all_transient,
            });
        }
    }
    let mut attributes = Attributes::new();
    for shown in &traits {
        attributes.insert(Arc::clone(&shown.key), shown.value.clone());
    }
    let uses_composite_key = snapshot.environment.use_identity_composite_key_for_hashing;
    let hash_key = match &stored {
        Some(stored) if !uses_composite_key => Some(stored.identity.id.to_string().into()),
        Some(_) | None => None,
    };
    let overrides = snapshot.identity(&identifier).cloned();
    Identified {
        identifier,
        hash_key,
        attributes,
        traits,
        overrides,
    }
}
