use flagstaff_core::{
    ApiKeyId, EnvironmentId, FeatureId, IdentityId, MemberId, OrganisationId, ProjectId, SegmentId,
};
use flagstaff_store::{
    Action, Actor, ActorFilter, AuditEntry, AuditFilter, AuditListing, AuditSubjects, Change, Noun,
    PageRequest, Store, Touched,
};
use flagstaff_testkit::{NOW, Shop, audit_entry, change, contract, later};

const MINUTE: i64 = 60_000_000;

fn entry(organisation: OrganisationId, summary: &str) -> AuditEntry {
    audit_entry(Some(organisation), summary)
}

/// Six entries, a minute apart: the summaries are their numbers and a word.
async fn six_entries(store: &Store) -> OrganisationId {
    let shop = Shop::open(store).await;
    let organisation = shop.organisation.id;
    let subjects = |feature, segment, identity| AuditSubjects {
        feature_id: feature,
        segment_id: segment,
        identity_id: identity,
    };
    let entries = [
        AuditEntry {
            project_id: Some(ProjectId::new(5)),
            subjects: subjects(Some(FeatureId::new(7)), None, None),
            action: Action::Create,
            ..entry(organisation, "1 feature")
        },
        AuditEntry {
            project_id: Some(ProjectId::new(5)),
            environment_id: Some(EnvironmentId::new(6)),
            noun: Noun::FeatureState,
            subjects: subjects(Some(FeatureId::new(7)), Some(SegmentId::new(8)), None),
            ..entry(organisation, "2 override of a segment")
        },
        AuditEntry {
            noun: Noun::FeatureState,
            subjects: subjects(Some(FeatureId::new(70)), None, Some(IdentityId::new(9))),
            ..entry(organisation, "3 override of an identity")
        },
        AuditEntry {
            actor: Actor::Member {
                id: MemberId::new(3),
                name: "GRÖSSE@example.com".to_owned(),
            },
            action: Action::Delete,
            noun: Noun::Segment,
            ..entry(organisation, "4 by a member, 100% sure")
        },
        AuditEntry {
            actor: Actor::ApiKey {
                id: ApiKeyId::new(3),
                name: "terraform".to_owned(),
            },
            ..entry(organisation, "5 by a program")
        },
        entry(organisation, "6 by the system"),
    ];
    for (number, entry) in (0..).zip(entries) {
        let change = Change {
            audit: vec![entry],
            at: later(number * MINUTE),
            ..change(Touched::default())
        };
        shop.write().await.commit(change).await.unwrap();
    }
    organisation
}

/// The numbers of the entries that are found, newest first.
async fn found(store: &Store, organisation: OrganisationId, filter: AuditFilter) -> String {
    let part = store
        .audit_part(Some(organisation), &filter, None, 100)
        .await
        .unwrap();
    assert_eq!(part.older, None);
    part.entries
        .iter()
        .map(|entry| &entry.summary[..1])
        .collect()
}

contract! {
    async fn entries_are_found_by_what_they_tell_of(store: Store) {
        let organisation = six_entries(&store).await;
        let check = async |expected: &str, filter: AuditFilter| {
            let numbers = found(&store, organisation, filter.clone()).await;
            assert_eq!(numbers, expected, "{filter:?}");
        };
        let all = AuditFilter::default;
        let feature = Some(FeatureId::new(7));

        check("654321", all()).await;
        check("21", AuditFilter { project: Some(ProjectId::new(5)), ..all() }).await;
        check("2", AuditFilter { environment: Some(EnvironmentId::new(6)), ..all() }).await;
        check("21", AuditFilter { feature, ..all() }).await;
        check("2", AuditFilter { feature, segment: Some(SegmentId::new(8)), ..all() }).await;
        check("", AuditFilter { feature, segment: Some(SegmentId::new(80)), ..all() }).await;
        check("2", AuditFilter { feature, environment: Some(EnvironmentId::new(6)), ..all() }).await;
        check("1", AuditFilter { feature, action: Some(Action::Create), ..all() }).await;
        check("2", AuditFilter { segment: Some(SegmentId::new(8)), ..all() }).await;
        check("3", AuditFilter { identity: Some(IdentityId::new(9)), ..all() }).await;
        check("", AuditFilter { feature, identity: Some(IdentityId::new(9)), ..all() }).await;
        check("32", AuditFilter { noun: Some(Noun::FeatureState), ..all() }).await;
        check("4", AuditFilter { action: Some(Action::Delete), ..all() }).await;
        let member = Some(ActorFilter::Member(MemberId::new(3)));
        check("4", AuditFilter { actor: member, ..all() }).await;
        check("", AuditFilter { actor: member, feature, ..all() }).await;
        check("5", AuditFilter { actor: Some(ActorFilter::ApiKey(ApiKeyId::new(3))), ..all() }).await;
        check("6321", AuditFilter { actor: Some(ActorFilter::System), ..all() }).await;
        check("21", AuditFilter { actor: Some(ActorFilter::System), feature, ..all() }).await;
        check("32", AuditFilter { search: Some("OVERRIDE".to_owned()), ..all() }).await;
        check("4", AuditFilter { search: Some("größe".to_owned()), ..all() }).await;
        check("4", AuditFilter { search: Some("0% s".to_owned()), ..all() }).await;
        check("", AuditFilter { search: Some("0_ s".to_owned()), ..all() }).await;
        check("", AuditFilter { search: Some("a\0b".to_owned()), ..all() }).await;
        check("6543", AuditFilter { since: Some(later(2 * MINUTE)), ..all() }).await;
        check("21", AuditFilter { until: Some(later(2 * MINUTE)), ..all() }).await;
        check("2", AuditFilter { since: Some(later(1)), until: Some(later(2 * MINUTE)), feature, ..all() }).await;
        check("", AuditFilter { until: Some(NOW), ..all() }).await;
        let other = found(&store, OrganisationId::new(999), all()).await;
        assert_eq!(other, "", "another chain");
        let other = found(&store, OrganisationId::new(999), AuditFilter { feature, ..all() }).await;
        assert_eq!(other, "", "another chain with the same numbers");
    }

    async fn a_part_says_where_the_next_one_begins(store: Store) {
        let organisation = Some(six_entries(&store).await);
        let mut summaries = Vec::new();
        let mut before = None;
        let mut parts = 0;

        loop {
            let part = store.audit_part(organisation, &AuditFilter::default(), before, 4).await.unwrap();
            summaries.extend(part.entries.into_iter().map(|entry| entry.sequence));
            parts += 1;
            before = part.older;
            if before.is_none() {
                break;
            }
        }

        assert_eq!(summaries, [6, 5, 4, 3, 2, 1]);
        assert_eq!(parts, 2);
    }

    async fn what_is_rare_in_a_long_log_is_found_step_by_step(database: Database) {
        let store = database.open().await;
        let organisation = Some(six_entries(&store).await);
        database.execute(
            "WITH RECURSIVE numbers (i) AS (SELECT 7 UNION ALL SELECT i + 1 FROM numbers WHERE i < 45000)
            INSERT INTO audit_entries (organisation_id, sequence, previous_hash, hash, at, actor_kind, actor_name,
                action, noun, summary, words_folded)
            SELECT 1, i, '', '', 1795219200000000 + i, 'system', 'test', 'update', 'tag', 'more', 'more test'
            FROM numbers",
        ).await;
        let filter = AuditFilter { noun: Some(Noun::Segment), ..AuditFilter::default() };
        let mut before = None;
        let mut counts = Vec::new();

        loop {
            let part = store.audit_part(organisation, &filter, before, 10).await.unwrap();
            counts.push(part.entries.len());
            before = part.older;
            if before.is_none() {
                break;
            }
        }

        assert_eq!(counts, [0, 0, 1]);
        store.close().await;
    }

    async fn pages_are_counted_over_several_chains(store: Store) {
        let organisation = six_entries(&store).await;
        let page = |page, size| PageRequest { page, size };
        let whole = AuditListing { organisations: vec![organisation], ..AuditListing::default() };
        let count = async |listing: AuditListing| {
            store.audit_page(&listing, page(1, 50)).await.unwrap().total
        };

        let second = store.audit_page(&whole, page(2, 4)).await.unwrap();

        assert_eq!(second.total, 6);
        let sequences: Vec<_> = second.items.iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [2, 1]);
        let by_id = store.audit_entry(second.items[0].id).await.unwrap();
        assert_eq!(by_id.as_ref(), Some(&second.items[0]));
        assert_eq!(store.audit_entry(999_999).await.unwrap(), None);
        let project = ProjectId::new(5);
        assert_eq!(count(AuditListing { projects: vec![project], ..AuditListing::default() }).await, 2);
        assert_eq!(count(AuditListing { project: Some(project), ..whole.clone() }).await, 2);
        let environments = vec![EnvironmentId::new(6), EnvironmentId::new(60)];
        assert_eq!(count(AuditListing { environments, ..whole.clone() }).await, 1);
        assert_eq!(count(AuditListing { is_system: Some(true), ..whole.clone() }).await, 4);
        assert_eq!(count(AuditListing { is_system: Some(false), ..whole.clone() }).await, 2);
        let nouns = vec![Noun::Segment, Noun::FeatureState];
        assert_eq!(count(AuditListing { nouns, ..whole.clone() }).await, 3);
        assert_eq!(count(AuditListing { search: Some("Override".to_owned()), ..whole }).await, 2);
        assert_eq!(count(AuditListing::default()).await, 0, "nobody's log");
    }
}
