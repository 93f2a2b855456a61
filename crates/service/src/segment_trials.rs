//! Segments tried before they are stored: on a context, and on the identities of an environment.

use crate::error::ServiceResult;
use crate::flag_resolution::{SentContext, Wanted};
use crate::segment_rules::check_counts;
use crate::{Caller, OpenEnvironment, Recognised, Service};
use flagstaff_core::explain::SegmentTrace;
use flagstaff_core::{
    Attributes, Context, EnvironmentPermission, Hash, Identity, IdentityContext, Rule, SegmentId,
    Snapshot, Trial, TrialSegment,
};
use flagstaff_store::StoredIdentity;
use std::time::{Duration, Instant};

/// Identities that one trial looks at.
pub const TRIAL_LIMIT: usize = 10_000;
/// Identities that are shown of those in the segment.
pub const TRIAL_SHOWN: usize = 20;
/// How long a trial on identities goes on looking.
const TRIAL_TIME: Duration = Duration::from_secs(2);
/// Identities that are read at once.
const BATCH: usize = 500;

/// A segment as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRequest {
    /// The stored segment it would replace; `None` for a new one.
    pub id: Option<SegmentId>,
    /// Its name.
    pub name: String,
    /// What places identities in its percentages; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// What came of a trial on a context.
#[derive(Debug)]
pub struct TriedContext {
    /// Who was recognised.
    pub recognised: Recognised,
    /// Whether and why they would be in the segment.
    pub trace: SegmentTrace,
}

/// What came of a trial on stored identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriedIdentities {
    /// The first that would be in the segment, in the order in which they became known.
    pub first: Vec<Identity>,
    /// How many would be, of those looked at.
    pub matching: usize,
    /// How many were looked at.
    pub looked_at: usize,
    /// True where nobody else is known.
    pub is_everybody: bool,
}

impl Service {
    /// Tries a segment on a context. Stored traits of the identity it names count.
    ///
    /// # Errors
    /// As [`Service::open_to_explain`] and [`Service::recognise`]; rules beyond the limits of a segment.
    pub async fn try_on_context(
        &self,
        caller: &Caller,
        api_key: &str,
        request: &TrialRequest,
        sent: SentContext,
    ) -> ServiceResult<TriedContext> {
        let open = self.open_to_explain(caller, api_key, &sent).await?;
        let trial = trial(&open, request)?;
        let recognised = self.recognise(&open, sent, Wanted::Flags).await?;
        let trace = trial.explain(&recognised.context());
        Ok(TriedContext { recognised, trace })
    }

    /// Tries a segment on the stored identities of an environment, the oldest first, as far as the limits of count
    /// and time reach.
    ///
    /// # Errors
    /// As [`Service::identities`]; rules beyond the limits of a segment.
    pub async fn try_on_identities(
        &self,
        caller: &Caller,
        api_key: &str,
        request: &TrialRequest,
    ) -> ServiceResult<TriedIdentities> {
        let permission = EnvironmentPermission::ViewIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let open = OpenEnvironment {
            published: self.published(place.environment.id).await?,
            server_side: true,
        };
        let trial = trial(&open, request)?;
        let mut tried = TriedIdentities::default();
        let (mut last, start) = (None, Instant::now());
        while tried.looked_at < TRIAL_LIMIT && start.elapsed() < TRIAL_TIME {
            let question = self
                .store()
                .stored_identities(place.environment.id, last, BATCH);
            let batch = self.ask(question).await?;
            tried.is_everybody = batch.len() < BATCH;
            last = batch.last().map(|stored| stored.identity.id);
            tried.looked_at += batch.len();
            look_at(&trial, open.snapshot(), batch, &mut tried);
            if tried.is_everybody {
                break;
            }
            // Whoever waits for an answer meanwhile gets it.
            tokio::task::yield_now().await;
        }
        Ok(tried)
    }
}

fn trial(open: &OpenEnvironment, request: &TrialRequest) -> ServiceResult<Trial> {
    check_counts(&request.rules)?;
    Ok(open.snapshot().try_segment(&TrialSegment {
        id: request.id,
        name: &request.name,
        hash: request.hash,
        rules: &request.rules,
    }))
}

fn look_at(
    trial: &Trial,
    snapshot: &Snapshot,
    batch: Vec<StoredIdentity>,
    tried: &mut TriedIdentities,
) {
    let uses_composite_key = snapshot.environment.use_identity_composite_key_for_hashing;
    for stored in batch {
        let mut attributes = Attributes::new();
        for each in stored.traits {
            attributes.insert(each.key, each.value);
        }
        let id = stored.identity.id.to_string();
        let overrides = snapshot.identity(&stored.identity.identifier);
        let context = Context {
            identity: Some(IdentityContext {
                identifier: &stored.identity.identifier,
                key: Some(id.as_str()).filter(|_| !uses_composite_key),
                attributes: &attributes,
                overrides: overrides.map(|identity| &*identity.flags),
            }),
        };
        if trial.matches(&context) {
            tried.matching += 1;
            if tried.first.len() < TRIAL_SHOWN {
                tried.first.push(stored.identity);
            }
        }
    }
}
