//! The flags of one context, for protocols that store nothing: OFREP and flagd's RPC.
//!
//! Stored traits and overrides of the identity count, and what is sent lies over them; nobody becomes known by asking.

use crate::Service;
use crate::environment_access::OpenEnvironment;
use crate::error::{ServiceError, ServiceResult};
use crate::identify::identifier;
use flagstaff_core::{
    Attributes, Context, Flag, IdentityContext, Resolution, Resolver, Snapshot, SnapshotIdentity,
    Value,
};
use flagstaff_store::StoredIdentity;
use std::sync::Arc;

/// What a caller says of who asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SentContext {
    /// The identity's identifier. Empty or absent: nobody in particular.
    pub targeting_key: Option<Arc<str>>,
    attributes: Vec<(Arc<str>, Value)>,
}

impl SentContext {
    /// A context without attributes.
    #[must_use]
    pub fn of(targeting_key: Option<impl Into<Arc<str>>>) -> Self {
        Self {
            targeting_key: targeting_key.map(Into::into),
            attributes: Vec::new(),
        }
    }

    /// Adds an attribute; the last one of a name counts, and null takes a stored one away. Names that begin with `$`
    /// are dropped: that is how conditions write paths, and how flagd marks what it adds by itself.
    pub fn insert(&mut self, name: &str, value: Value) {
        if !name.starts_with('$') {
            self.attributes.push((name.into(), value));
        }
    }

    /// How many attributes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.attributes.len()
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// True where an identity is named: what is stored about it counts.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        self.targeting_key().is_some()
    }

    fn targeting_key(&self) -> Option<&Arc<str>> {
        self.targeting_key.as_ref().filter(|key| !key.is_empty())
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The flag of this exact name.
    Flag(&'a str),
    /// All flags.
    Flags,
}

/// Who asks, as far as it is known, ready to be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Recognised {
    /// `None` for nobody in particular: whatever needs an identifier does not match.
    identifier: Option<Arc<str>>,
    /// What they are hashed by, where it is not the composite key.
    hash_key: Option<Arc<str>>,
    /// Stored traits with what was sent laid over them.
    attributes: Attributes,
    /// What holds for this identity alone.
    overrides: Option<Arc<SnapshotIdentity>>,
}

impl Recognised {
    /// The context that flags are evaluated in. An empty identifier is nobody's.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            identity: Some(IdentityContext {
                identifier: self.identifier.as_deref().unwrap_or_default(),
                key: self.hash_key.as_deref(),
                attributes: &self.attributes,
                overrides: self.overrides.as_ref().map(|identity| &*identity.flags),
            }),
        }
    }

    /// The identity's identifier; `None` for nobody in particular.
    #[must_use]
    pub fn identifier(&self) -> Option<&str> {
        self.identifier.as_deref()
    }

    /// What they are hashed by, where it is not the composite key.
    #[must_use]
    pub fn hash_key(&self) -> Option<&str> {
        self.hash_key.as_deref()
    }

    /// Stored traits with what was sent laid over them.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// True for nobody in particular of whom nothing is known: all of them get the same.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.identifier.is_none() && self.attributes.is_empty()
    }

    /// What holds for this identity alone.
    #[must_use]
    pub fn overrides(&self) -> Option<&SnapshotIdentity> {
        self.overrides.as_deref()
    }
}

impl Service {
    /// Finds out who asks. Reads what is stored about them, and stores nothing.
    ///
    /// # Errors
    /// An identifier that is too long or holds a NUL; failures of the database;
    /// [`ServiceError::Unavailable`] while it is away, where what is wanted depends on traits that are not in memory.
    pub async fn recognise(
        &self,
        open: &OpenEnvironment,
        mut sent: SentContext,
        wanted: Wanted<'_>,
    ) -> ServiceResult<Recognised> {
        let snapshot = open.snapshot();
        if !open.server_side && !snapshot.environment.allow_client_traits {
            sent.attributes.clear();
        }
        let Some(key) = sent.targeting_key() else {
            return Ok(Recognised {
                attributes: layered(None, sent.attributes),
                ..Recognised::default()
            });
        };
        let identifier = identifier(key)?;
        let known = match self
            .known_identity(snapshot.environment.id, &identifier)
            .await
        {
            Err(ServiceError::Unavailable(_)) if !reads_what_is_stored(snapshot, wanted) => None,
            other => other?,
        };
        let uses_composite_key = snapshot.environment.use_identity_composite_key_for_hashing;
        let hash_key = match &known {
            Some(stored) if !uses_composite_key => Some(stored.identity.id.to_string().into()),
            Some(_) | None => None,
        };
        Ok(Recognised {
            hash_key,
            attributes: layered(known.as_deref(), sent.attributes),
            overrides: snapshot.identity(identifier.as_str()).cloned(),
            identifier: Some(identifier.shared()),
        })
    }
}

/// What was sent, laid over what is stored.
fn layered(stored: Option<&StoredIdentity>, sent: Vec<(Arc<str>, Value)>) -> Attributes {
    let mut attributes = Attributes::new();
    for stored in stored.iter().flat_map(|stored| &stored.traits) {
        attributes.insert(Arc::clone(&stored.key), stored.value.clone());
    }
    for (name, value) in sent {
        if value.is_null() {
            attributes.remove(&name);
        } else {
            attributes.insert(name, value);
        }
    }
    attributes
}

/// False where the snapshot and the identifier are enough: no segment is asked about, and hashing takes no row id.
fn reads_what_is_stored(snapshot: &Snapshot, wanted: Wanted<'_>) -> bool {
    let rules = &snapshot.rules;
    let features = match wanted {
        Wanted::Flags => 0..rules.features().len(),
        Wanted::Flag(name) => match rules.feature_index(name) {
            Some(index) => index..index + 1,
            None => 0..0,
        },
    };
    let uses_composite_key = snapshot.environment.use_identity_composite_key_for_hashing;
    features.into_iter().any(|feature| {
        let has_variants = !rules.features()[feature].state.variants.is_empty();
        rules.is_overridden_by_segments(feature) || (has_variants && !uses_composite_key)
    })
}

impl OpenEnvironment {
    /// One flag by the exact name of its feature; `None` where there is none that whoever opened the environment may see.
    #[must_use]
    pub fn resolution<'s>(
        &'s self,
        recognised: &'s Recognised,
        name: &str,
    ) -> Option<Resolution<'s>> {
        let (snapshot, audience) = (self.snapshot(), self.audience());
        let index = snapshot.rules.feature_index(name)?;
        if !audience.may_know(&snapshot.features[index].feature) {
            return None;
        }
        let mut resolver = snapshot.resolver(&recognised.context());
        let is_seen = audience.sees(resolver.flag(index).enabled);
        is_seen.then(|| resolver.resolve(index))
    }

    /// All flags that whoever opened the environment may see, in the order of the features.
    #[must_use]
    pub fn resolutions<'s>(&'s self, recognised: &'s Recognised) -> Vec<Resolution<'s>> {
        let mut resolutions = Vec::with_capacity(self.snapshot().features.len());
        self.for_each_flag(recognised, |resolver, flag| {
            resolutions.push(resolver.resolve(flag.feature));
        });
        resolutions
    }

    /// The same one by one, for who needs a resolution only where it is not written down yet.
    pub fn for_each_flag<'s>(
        &'s self,
        recognised: &'s Recognised,
        mut act: impl FnMut(&mut Resolver<'s>, Flag<'s>),
    ) {
        let (snapshot, audience) = (self.snapshot(), self.audience());
        let mut resolver = snapshot.resolver(&recognised.context());
        for (index, part) in snapshot.features.iter().enumerate() {
            if !audience.may_know(&part.feature) {
                continue;
            }
            let flag = resolver.flag(index);
            if audience.sees(flag.enabled) {
                act(&mut resolver, flag);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, ServiceConfig};
    use flagstaff_store::Store;
    use flagstaff_testkit::{NOW, Shop};
    use tempfile::TempDir;

    struct Fixture {
        service: Service,
        open: OpenEnvironment,
        _folder: TempDir,
    }

    /// A feature `plain` and a feature `overridden` for a segment, opened with a server-side key.
    async fn fixture() -> Fixture {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("flagstaff.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate(NOW).await.unwrap();
        let shop = Shop::open(&store).await;
        shop.feature("plain").await;
        let overridden = shop.feature("overridden").await;
        let segment = shop.segment("pro").await;
        shop.override_for_segment(&overridden, &segment, 0).await;
        let service = Service::new(store, Clock::new(|| NOW), ServiceConfig::default());
        let open = OpenEnvironment {
            published: service.published(shop.id()).await.unwrap(),
            server_side: true,
        };
        Fixture {
            service,
            open,
            _folder: folder,
        }
    }

    impl Fixture {
        async fn recognise(
            &self,
            targeting_key: Option<&str>,
            wanted: Wanted<'_>,
        ) -> ServiceResult<Recognised> {
            let mut sent = SentContext::of(targeting_key);
            sent.insert("plan", Value::text("pro"));
            self.service.recognise(&self.open, sent, wanted).await
        }

        fn database_is_away(&self, is_away: bool) {
            self.service.availability().found(is_away);
        }
    }

    #[tokio::test]
    async fn with_the_database_away_only_what_depends_on_stored_traits_is_refused() {
        let fixture = fixture().await;
        fixture.database_is_away(true);

        let nobody = fixture.recognise(None, Wanted::Flags).await;
        let plain = fixture.recognise(Some("ada"), Wanted::Flag("plain")).await;
        let missing = fixture
            .recognise(Some("ada"), Wanted::Flag("missing"))
            .await;
        let overridden = fixture
            .recognise(Some("ada"), Wanted::Flag("overridden"))
            .await;
        let all = fixture.recognise(Some("ada"), Wanted::Flags).await;

        assert!(nobody.is_ok() && plain.is_ok() && missing.is_ok());
        assert!(matches!(overridden, Err(ServiceError::Unavailable(_))));
        assert!(matches!(all, Err(ServiceError::Unavailable(_))));
    }

    #[tokio::test]
    async fn who_was_looked_for_before_the_database_went_away_is_answered_all_the_same() {
        let fixture = fixture().await;
        fixture.recognise(Some("ada"), Wanted::Flags).await.unwrap();
        fixture.database_is_away(true);

        let ada = fixture.recognise(Some("ada"), Wanted::Flags).await.unwrap();

        let flags = fixture.open.resolutions(&ada);
        assert_eq!(flags.len(), 2);
        assert_eq!(ada.attributes().get("plan"), Some(&Value::text("pro")));
    }

    #[tokio::test]
    async fn names_that_begin_with_a_dollar_and_null_are_no_attributes() {
        let fixture = fixture().await;
        let mut sent = SentContext::of(Some("ada"));
        sent.insert("$flagd", Value::text("x"));
        sent.insert("gone", Value::text("x"));
        sent.insert("gone", Value::Null);
        sent.insert("twice", Value::Integer(1));
        sent.insert("twice", Value::Integer(2));

        let ada = fixture
            .service
            .recognise(&fixture.open, sent, Wanted::Flags)
            .await
            .unwrap();

        let attributes: Vec<_> = ada.attributes().iter().collect();
        assert_eq!(attributes, [("twice", &Value::Integer(2))]);
    }
}
