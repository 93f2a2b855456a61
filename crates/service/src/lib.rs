//! What the product does: permission, validation, one transaction, audit, publishing; background work.
//!
//! **Invariants.** A write goes permission → validation → one transaction → published on this node → answer, so
//! whoever writes reads their own write. Nothing here knows HTTP; nothing here holds SQL text. A request takes one
//! snapshot and answers from it alone. Time comes from [`Clock`] and nowhere else.

mod account_links;
mod accounts;
mod api_key_screen;
mod api_keys;
mod audience;
mod audit;
mod audit_details;
mod availability;
mod bootstrap;
mod caller;
mod change;
mod clock;
pub mod config;
mod demo;
mod environment_access;
mod environment_copies;
mod environment_metrics;
mod environments;
mod error;
mod explanations;
mod external_sign_in;
mod feature_exports;
mod feature_imports;
mod feature_list;
mod feature_overview;
mod feature_owners;
mod feature_segments;
mod feature_state_rows;
mod feature_states;
mod feature_views;
mod features;
mod flag_resolution;
mod flag_writes;
mod flagd_integrations;
mod flagd_reports;
mod grants;
mod guards;
mod identify;
mod identities;
mod identity_cache;
mod identity_copies;
mod identity_overrides;
mod identity_search;
mod identity_traits;
mod import;
mod invites;
mod keys;
mod letters;
mod lifecycle;
mod live_changes;
mod members;
mod multivariate_options;
mod operations;
mod organisation_members;
mod organisations;
pub mod outbound;
mod override_order;
mod own_flag_switches;
mod own_flags;
mod passwords;
mod projects;
mod providers;
mod published;
mod rollouts;
mod scheduled;
mod secrets;
mod segment_lookups;
mod segment_overrides;
mod segment_rules;
mod segment_trials;
mod segments;
mod served_features;
mod served_overrides;
mod server_keys;
mod sign_in;
mod sign_in_providers;
mod sign_in_tickets;
mod sign_up;
mod snapshots;
mod state_values;
mod state_words;
mod stream_tokens;
mod tags;
mod text_rules;
mod throttle;
mod traits;
mod usage;
mod usage_reports;
mod version_edits;
mod version_states;
mod versioning;
mod versions;
mod weights;
mod work;

pub use account_links::{AccountLinkGuest, WaitingLink};
pub use accounts::MemberPatch;
pub use api_keys::{ApiKeyPatch, ApiKeyRequest};
pub use audience::Audience;
pub use audit::{AuditFormat, AuditPlace, AuditPlaces, AuditRecord};
pub use bootstrap::{BootstrapRequest, Bootstrapped};
pub use caller::Caller;
pub use clock::Clock;
pub use config::ServiceConfig;
pub use demo::Demo;
pub use environment_access::{KeyNeed, OpenEnvironment};
pub use environment_metrics::{EnvironmentMetrics, FirstEvaluation};
pub use environments::EnvironmentPatch;
pub use error::{
    AuthenticationProblem, BoxError, ExternalProblem, GuardFault, Noun, Part, PasswordProblem,
    Problem, RolloutFault, RolloutProblem, ServiceError, ServiceResult, VersioningProblem,
};
pub use explanations::Explanation;
pub use external_sign_in::{CameIn, Leaving, Returning};
pub use feature_list::FeatureQuery;
pub use feature_overview::{EVALUATION_DAYS, Overview, OverviewQuery, OverviewRow, OverviewSort};
pub use feature_segments::{FeatureSegmentPatch, FeatureSegmentRequest, FeatureSegmentView};
pub use feature_state_rows::{NewStateRequest, StateIdentity, StatePlaces};
pub use feature_states::{StatePatch, StateQuery, ValueChange};
pub use feature_views::FeatureView;
pub use features::{FEATURE_LIMIT, FeaturePatch, FeatureRequest};
pub use flag_resolution::{Recognised, SentContext, Wanted};
pub use flag_writes::FeatureReference;
pub use flagd_integrations::FlagdIntegrationPatch;
pub use flagd_reports::{FlagdFinding, FlagdReport};
pub use flagstaff_store::{
    Action, ActorFilter, AuditFilter, AuditListing, AuditPart, AuditVerdict, EvaluationSum,
    FeatureSort, LinkPurpose, Page, PageRequest, RequestSum, RolloutHook, StateOwners, Store,
    StoreError, StoredAuditEntry, TagFilter, UsageLabels, UsageStep, VersionFilter,
};
pub use grants::{GrantLevel, GrantPatch, GrantRequest, Held};
pub use guards::{
    COUNT_LIMIT, GUARD_LIMIT, GuardRequest, HEALTH_SOURCE_LIMIT, HealthRequest, HookCall,
    HookReply, NewHook, Reporter, SignalCounts, SignalOutcome, SignalRequest,
};
pub use identify::{Identification, Identified, SentTrait, ShownTrait};
pub use identity_overrides::IdentityOverrideRequest;
pub use identity_search::{FoundIdentities, IdentityQuestion};
pub use identity_traits::{TraitKind, TraitPatch};
pub use import::{ImportRequest, Imported};
pub use invites::{Invitation, InviteRequest, NewlyInvited};
pub use keys::KeyValidity;
pub use lifecycle::{
    DUE_LIMIT, DueFeature, DueFeatures, UnusedFeature, UnusedFeatures, UnusedQuery,
};
pub use live_changes::OverrideChange;
pub use multivariate_options::{OptionPatch, OptionRequest};
pub use operations::{DatabaseFacts, Facts, Readiness};
pub use organisations::{OrganisationPatch, OrganisationView};
pub use own_flag_switches::OwnFlagSwitch;
pub use own_flags::{OwnFlags, OwnFlagsSource};
pub use projects::{ProjectPatch, ProjectView};
pub use published::{Form, Published};
pub use rollouts::{
    Applied, ApplyMode, ApplyRequest, DriveRequest, RolloutPatch, RolloutQuery, RolloutRequest,
    RolloutView, VariantReference,
};
pub use scheduled::ScheduledVersion;
pub use segment_overrides::{OVERRIDE_LIMIT, SegmentOverrideRequest};
pub use segment_rules::{CONDITION_LIMIT, CONDITION_TEXT_LIMIT, RULE_DEPTH_LIMIT, RULE_LIMIT};
pub use segment_trials::{TRIAL_LIMIT, TRIAL_SHOWN, TrialRequest, TriedContext, TriedIdentities};
pub use segments::{SEGMENT_LIMIT, SegmentPatch, SegmentQuery, SegmentRequest};
pub use served_features::{ServedChanges, ServedFeature, WriteMode};
pub use server_keys::{ServerKeyPatch, ServerKeyRequest};
pub use sign_in_providers::SignInProvider;
pub use sign_up::SignUpRequest;
pub use stream_tokens::StreamToken;
pub use tags::{TAG_LIMIT, TagPatch};
pub use traits::{TRAIT_KEY_LIMIT, TRAIT_VALUE_LIMIT, TraitRequest};
pub use usage::{EvaluationCount, RequestKind, SdkLabels};
pub use usage_reports::{LabelFilter, UsagePeriod, UsagePlace};
pub use versions::{VersionPlace, VersionPlan, VersionUpdate, VersionView};
pub use weights::WeightChange;
pub use work::Work;

use arc_swap::ArcSwapOption;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, OnceCell};

/// The product. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

struct Parts {
    store: Store,
    clock: Clock,
    config: ServiceConfig,
    environments: snapshots::Environments,
    keys: keys::Keys,
    identities: identity_cache::IdentityCache,
    identity_writes: work::IdentityWrites,
    usage: usage::Usage,
    attempts: throttle::Attempts<IpAddr>,
    account_attempts: throttle::Attempts<String>,
    link_wishes: throttle::Attempts<String>,
    mailer: OnceLock<outbound::Mailer>,
    distant_flags: ArcSwapOption<OwnFlags>,
    providers: OnceLock<sign_in_providers::Providers>,
    /// Wakes whoever sends mail.
    mail_waiting: Notify,
    api_key_screen: api_key_screen::ApiKeyScreen,
    availability: availability::Availability,
    news: work::News,
    stream_secret: OnceCell<stream_tokens::Secret>,
    /// Tells this process from others on the same database.
    node: String,
    /// Wakes whoever waits for the next scheduled change: it may be another now.
    schedule_changed: Notify,
    /// Wakes whoever carries out the plans of rollouts.
    rollouts_changed: Notify,
    /// Wakes whoever lets guards of rollouts look.
    guards_changed: Notify,
    metric_sources: OnceLock<guards::MetricSources>,
    /// Wakes whoever makes exports and imports of features.
    feature_files_waiting: Notify,
}

impl Service {
    /// Puts the product together. Has to be called within an async runtime: traits are written by a task.
    #[must_use]
    pub fn new(store: Store, clock: Clock, config: ServiceConfig) -> Self {
        let (identity_writes, waiting) = work::IdentityWrites::new();
        let identities =
            identity_cache::IdentityCache::new(config.memory.identity_weight, store.is_shared());
        let parts = Arc::new(Parts {
            environments: snapshots::Environments::new(config.memory.snapshot_weight),
            keys: keys::Keys::default(),
            identities,
            identity_writes,
            usage: usage::Usage::default(),
            attempts: throttle::Attempts::within(throttle::MINUTE),
            account_attempts: throttle::Attempts::within(throttle::HOUR),
            link_wishes: throttle::Attempts::within(throttle::HOUR),
            mailer: OnceLock::new(),
            distant_flags: ArcSwapOption::empty(),
            providers: OnceLock::new(),
            mail_waiting: Notify::new(),
            api_key_screen: api_key_screen::ApiKeyScreen::default(),
            availability: availability::Availability::default(),
            news: work::News::default(),
            stream_secret: OnceCell::new(),
            node: uuid::Uuid::new_v4().to_string(),
            schedule_changed: Notify::new(),
            rollouts_changed: Notify::new(),
            guards_changed: Notify::new(),
            metric_sources: OnceLock::new(),
            feature_files_waiting: Notify::new(),
            store,
            clock,
            config,
        });
        tokio::spawn(work::run_identity_writes(Arc::downgrade(&parts), waiting));
        Self(parts)
    }

    /// Tells the time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What the service was told.
    #[must_use]
    pub fn config(&self) -> &ServiceConfig {
        &self.0.config
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn environments(&self) -> &snapshots::Environments {
        &self.0.environments
    }

    fn keys(&self) -> &keys::Keys {
        &self.0.keys
    }

    fn identity_cache(&self) -> &identity_cache::IdentityCache {
        &self.0.identities
    }

    fn feature_files_waiting(&self) -> &Notify {
        &self.0.feature_files_waiting
    }

    fn usage(&self) -> &usage::Usage {
        &self.0.usage
    }

    fn api_key_screen(&self) -> &api_key_screen::ApiKeyScreen {
        &self.0.api_key_screen
    }

    fn availability(&self) -> &availability::Availability {
        &self.0.availability
    }

    fn node(&self) -> &str {
        &self.0.node
    }

    fn news(&self) -> &work::News {
        &self.0.news
    }

    fn stream_secret_cell(&self) -> &OnceCell<stream_tokens::Secret> {
        &self.0.stream_secret
    }

    fn schedule_changed(&self) -> &Notify {
        &self.0.schedule_changed
    }

    fn guards_changed(&self) -> &Notify {
        &self.0.guards_changed
    }

    /// What guards of rollouts can ask.
    fn metric_sources(&self) -> ServiceResult<&guards::MetricSources> {
        if let Some(sources) = self.0.metric_sources.get() {
            return Ok(sources);
        }
        let made = guards::MetricSources::new(self.config()).map_err(ServiceError::Internal)?;
        // Of two that were made at once, one is kept.
        Ok(self.0.metric_sources.get_or_init(|| made))
    }

    fn rollouts_changed(&self) -> &Notify {
        &self.0.rollouts_changed
    }

    fn attempts(&self) -> &throttle::Attempts<IpAddr> {
        &self.0.attempts
    }

    fn account_attempts(&self) -> &throttle::Attempts<String> {
        &self.0.account_attempts
    }

    fn link_wishes(&self) -> &throttle::Attempts<String> {
        &self.0.link_wishes
    }

    fn mail_waiting(&self) -> &Notify {
        &self.0.mail_waiting
    }

    /// Who sends mail; `None` where the settings name no server, and before the work has begun.
    fn mailer(&self) -> Option<&outbound::Mailer> {
        self.0.mailer.get()
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}
