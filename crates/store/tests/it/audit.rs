use flagstaff_core::{EnvironmentId, MemberId, OrganisationId, ProjectId};
use flagstaff_store::{
    Action, Actor, AuditEntry, AuditSubjects, AuditVerdict, Change, Noun, Store, Touched,
};
use flagstaff_testkit::{Database, NOW, Shop, audit_entry, change, contract};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// Runs a statement past the store, as somebody with a database client could.
async fn tamper(database: &Database, sql: &'static str) {
    if database.url().starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
}

async fn three_entries(store: &Store) -> OrganisationId {
    let shop = Shop::open(store).await;
    let organisation = shop.organisation.id;
    for summary in ["one", "two", "three"] {
        let audit = vec![audit_entry(Some(organisation), summary)];
        let change = Change {
            audit,
            ..change(shop.touched())
        };
        shop.write().await.commit(change).await.unwrap();
    }
    organisation
}

contract! {
    async fn entries_are_kept_as_they_were_told(store: Store) {
        let shop = Shop::open(&store).await;
        let uuid = Uuid::new_v4();
        let entry = AuditEntry {
            organisation_id: Some(shop.organisation.id),
            project_id: Some(ProjectId::new(5)),
            environment_id: Some(EnvironmentId::new(6)),
            actor: Actor::Member { id: MemberId::new(7), name: "ada@example.com".to_owned() },
            action: Action::Delete,
            noun: Noun::Segment,
            object_id: Some(8),
            object_uuid: Some(uuid),
            summary: "Segment deleted: größe\0".to_owned(),
            details: Some("{\"name\":\"x\"}".to_owned()),
            subjects: AuditSubjects::default(),
        };
        let change = Change { audit: vec![entry], ..change(Touched::default()) };

        shop.write().await.commit(change).await.unwrap();

        let log = store.audit_entries(Some(shop.organisation.id), 0, 10).await.unwrap();
        assert_eq!(log.len(), 1);
        let kept = &log[0];
        assert_eq!((kept.sequence, kept.previous_hash.as_str(), kept.at), (1, "", NOW.micros()));
        assert_eq!((kept.project_id, kept.environment_id), (Some(5), Some(6)));
        assert_eq!((kept.actor_kind.as_str(), kept.actor_id), ("member", Some(7)));
        assert_eq!((kept.actor_name.as_str(), kept.action.as_str()), ("ada@example.com", "delete"));
        assert_eq!((kept.noun.as_str(), kept.object_id), ("segment", Some(8)));
        assert_eq!(kept.object_uuid, Some(uuid.to_string()));
        assert_eq!(kept.summary, "Segment deleted: größe\u{fffd}");
        assert_eq!(kept.details.as_deref(), Some("{\"name\":\"x\"}"));
        assert_eq!(kept.hash, kept.expected_hash());
    }

    async fn each_organisation_has_a_chain_of_its_own(store: Store) {
        let organisation = three_entries(&store).await;

        let log = store.audit_entries(Some(organisation), 0, 10).await.unwrap();
        let rest = store.audit_entries(Some(organisation), 1, 1).await.unwrap();

        let sequences: Vec<_> = log.iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [1, 2, 3]);
        assert_eq!(log[1].previous_hash, log[0].hash);
        assert_eq!(rest, log[1..2]);
        let verdict = store.verify_audit(Some(organisation)).await.unwrap();
        assert_eq!(verdict, AuditVerdict::Whole { entries: 3 });
        assert_eq!(store.verify_audit(None).await.unwrap(), AuditVerdict::Whole { entries: 1 });
        crate::assert_not_found(
            store.verify_audit(Some(OrganisationId::new(999))).await,
            Noun::Organisation,
        );
    }

    async fn a_changed_entry_breaks_its_chain(database: Database) {
        let store = database.open().await;
        let organisation = three_entries(&store).await;

        tamper(&database, "UPDATE audit_entries SET summary = 'nothing' WHERE summary = 'two'").await;

        let verdict = store.verify_audit(Some(organisation)).await.unwrap();
        assert_eq!(verdict, AuditVerdict::Broken { sequence: 2 });
        store.close().await;
    }

    async fn a_missing_last_entry_breaks_its_chain(database: Database) {
        let store = database.open().await;
        let organisation = three_entries(&store).await;

        tamper(&database, "DELETE FROM audit_entries WHERE summary = 'three'").await;

        let verdict = store.verify_audit(Some(organisation)).await.unwrap();
        assert_eq!(verdict, AuditVerdict::Broken { sequence: 3 });
        store.close().await;
    }

    async fn a_missing_entry_in_the_middle_breaks_its_chain(database: Database) {
        let store = database.open().await;
        let organisation = three_entries(&store).await;

        tamper(&database, "DELETE FROM audit_entries WHERE summary = 'one'").await;

        let verdict = store.verify_audit(Some(organisation)).await.unwrap();
        assert_eq!(verdict, AuditVerdict::Broken { sequence: 1 });
        store.close().await;
    }

    async fn a_long_chain_is_followed_to_its_end(store: Store) {
        let shop = Shop::open(&store).await;
        let organisation = Some(shop.organisation.id);
        let audit = (0..1500).map(|number| audit_entry(organisation, &number.to_string()));
        let change = Change { audit: audit.collect(), ..change(Touched::default()) };
        shop.write().await.commit(change).await.unwrap();

        let verdict = store.verify_audit(organisation).await.unwrap();

        assert_eq!(verdict, AuditVerdict::Whole { entries: 1500 });
    }

    async fn a_chain_outlives_its_organisation(store: Store) {
        let organisation = three_entries(&store).await;
        let mut write = store.write().await.unwrap();
        write.delete_organisation(organisation, NOW).await.unwrap();
        let audit = vec![audit_entry(Some(organisation), "gone")];

        write.commit(Change { audit, ..change(Touched::default()) }).await.unwrap();

        let verdict = store.verify_audit(Some(organisation)).await.unwrap();
        assert_eq!(verdict, AuditVerdict::Whole { entries: 4 });
    }
}
