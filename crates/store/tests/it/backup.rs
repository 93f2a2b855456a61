use flagstaff_store::{BackupError, BackupSummary, Store};
use flagstaff_testkit::{Database, NOW, Shop, contract, name, new_feature, on_postgres, on_sqlite};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, Sender, channel};

async fn file_of(database: &Database) -> (Vec<u8>, BackupSummary) {
    let store = database.open().await;
    let mut file = Vec::new();
    let summary = store.back_up(&mut file, NOW).await.unwrap();
    store.close().await;
    (file, summary)
}

async fn restore(file: &[u8], database: &Database) -> Result<BackupSummary, BackupError> {
    let store = database.open().await;
    let restored = store.restore(file, NOW).await;
    store.close().await;
    restored
}

/// A database in which every table has rows, and some gave ids to rows that are gone.
async fn filled(database: &Database) {
    database.fill(600).await;
    database
        .execute("DELETE FROM outbox WHERE id > 550; DELETE FROM sessions")
        .await;
}

/// Carries everything to another database and from there to a third, which is of the first's kind.
async fn carry(first: &Database, second: Database, third: Database) {
    filled(first).await;
    let before = first.contents().await;

    let (file, written) = file_of(first).await;
    let restored = restore(&file, &second).await.unwrap();
    let store = second.open().await;
    let target = third.open().await;
    let copied = store.copy_to(&target, NOW).await.unwrap();
    store.close().await;
    target.close().await;

    assert!(
        before
            .iter()
            .all(|(table, rows)| table == "sessions" || !rows.is_empty())
    );
    assert_eq!(restored, written);
    assert_eq!(copied, written);
    assert_eq!(file_of(&second).await.1, written);
    for (before, after) in before.iter().zip(&third.contents().await) {
        assert!(before == after, "table {} differs", before.0);
    }
    second.remove().await;
    third.remove().await;
}

#[test]
fn a_file_becomes_a_file_again() {
    on_sqlite(async |database, _| {
        carry(
            &database,
            Database::sqlite().await,
            Database::sqlite().await,
        )
        .await;
    });
}

#[test]
fn a_file_becomes_a_server_and_a_file_again() {
    on_sqlite(async |database, _| {
        if let Some(server) = Database::postgres().await {
            carry(&database, server, Database::sqlite().await).await;
        }
    });
}

#[test]
fn a_server_becomes_a_file_and_a_server_again() {
    on_postgres(async |database, _| {
        if let Some(server) = Database::postgres().await {
            carry(&database, Database::sqlite().await, server).await;
        }
    });
}

/// Says when the first byte is written, and takes it when it is told to.
struct Halting {
    began: Option<Sender<()>>,
    go_on: Receiver<()>,
    file: Vec<u8>,
}

impl Write for Halting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(began) = self.began.take() {
            began.send(()).unwrap();
            self.go_on.recv().unwrap();
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

contract! {
    async fn a_backup_holds_every_table_of_the_catalogue_with_every_column(database: Database) {
        let (file, summary) = file_of(&database).await;

        let mut carried: Vec<_> = summary.tables.iter().map(|table| table.name.clone()).collect();
        carried.sort_unstable();
        let catalogue = database.catalogue().await;
        let known: Vec<_> = catalogue.iter().map(|(table, _)| table.clone()).collect();
        assert_eq!(carried, known);
        let text = text_of(&file);
        for (table, columns) in catalogue {
            let start = format!("{{\"table\":\"{table}\",\"columns\":{{");
            let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
            let listed = line[start.len()..].trim_end_matches('}');
            let mut listed: Vec<_> = listed.split(',').map(|each| each.split('"').nth(1).unwrap()).collect();
            listed.sort_unstable();
            assert_eq!(listed, columns, "{table}");
        }
    }

    async fn ids_that_were_given_once_are_not_given_again(store: Store, database: Database) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("first").await;
        // Nothing in the product removes such a row; the table remembers its id all the same.
        database.set_last_id("features", feature.id.get() + 40).await;
        let (file, _) = file_of(&database).await;
        let target = Database::sqlite().await;

        restore(&file, &target).await.unwrap();

        let copy = target.open().await;
        let write = copy.write().await;
        let mut write = write.unwrap();
        let next = write.insert_feature(&new_feature(shop.project.id, "next"), NOW).await.unwrap();
        assert_eq!(next.id.get(), feature.id.get() + 41);
        assert!(copy.feature_by_name(shop.project.id, &name("first")).await.unwrap().is_some());
        drop(write);
        copy.close().await;
        target.remove().await;
    }

    async fn what_is_changed_meanwhile_is_not_in_a_backup(store: Store, other: Store) {
        let shop = Shop::open(&store).await;
        shop.feature("before").await;
        let (began, has_begun) = channel();
        let (tell, go_on) = channel();
        let mut file = Halting { began: Some(began), go_on, file: Vec::new() };

        let backup = tokio::spawn(async move {
            other.back_up(&mut file, NOW).await.unwrap();
            file.file
        });
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
        shop.feature("meanwhile").await;
        tell.send(()).unwrap();
        let file = backup.await.unwrap();

        let text = text_of(&file);
        assert!(text.contains("\"before\""));
        assert!(!text.contains("\"meanwhile\""));
    }

    async fn a_database_that_holds_something_is_left_alone(store: Store, database: Database) {
        let (file, _) = file_of(&database).await;
        let shop = Shop::open(&store).await;
        shop.feature("mine").await;
        let before = database.contents().await;

        let refused = restore(&file, &database).await;

        assert!(matches!(refused, Err(BackupError::NotEmpty)), "{refused:?}");
        assert_eq!(database.contents().await, before);
    }

    async fn a_file_that_is_not_whole_changes_nothing(store: Store, database: Database) {
        let shop = Shop::open(&store).await;
        shop.feature("checkout").await;
        let (file, _) = file_of(&database).await;
        let target = if store.is_shared() { Database::postgres().await.unwrap() } else { Database::sqlite().await };
        let before = target.contents().await;
        let end = file.len();

        for place in (1..20).map(|part| end * part / 20).chain([end - 9, end - 1]) {
            let refused = restore(&file[..place], &target).await.unwrap_err();
            assert!(matches!(refused, BackupError::Truncated { .. }), "cut at {place} of {end}: {refused}");
        }
        for place in (2..20).map(|part| end * part / 20) {
            let mut altered = file.clone();
            altered[place] ^= 0x10;
            assert!(restore(&altered, &target).await.is_err(), "changed at {place} of {end}");
        }

        assert_eq!(target.contents().await, before);
        assert!(restore(&file, &target).await.is_ok());
        target.remove().await;
    }
}

fn text_of(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap()
}

/// Restores what becomes of a backup's text, and gives the error in words.
fn check(change: impl FnOnce(String) -> Vec<u8> + Send + 'static, expected: &'static str) {
    on_sqlite(async move |database, _| {
        let shop = Shop::open(&database.open().await).await;
        shop.feature("checkout").await;
        let (file, _) = file_of(&database).await;
        let target = Database::sqlite().await;

        let refused = restore(&change(text_of(&file)), &target).await.unwrap_err();

        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(target.open().await.is_empty().await.unwrap());
        target.remove().await;
    });
}

#[test]
fn a_file_of_a_later_form_is_refused() {
    check(
        |text| packed(&text.replace("\"format_version\":1", "\"format_version\":2")),
        "the backup is of format 2 and this version reads formats up to 1",
    );
}

#[test]
fn a_file_of_a_later_schema_is_refused() {
    check(
        |text| {
            let (before, after) = text.split_once("\"schema_version\":").unwrap();
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
            packed(&format!("{before}\"schema_version\":9999{after}"))
        },
        "the data is at migration 9999 and this version knows migrations up to",
    );
}

#[test]
fn something_else_is_no_backup() {
    check(|_| b"SQLite format 3".to_vec(), "not compressed with gzip");
    check(|_| Vec::new(), "it is empty");
    check(
        |_| packed("{\"flags\": []}\n"),
        "its first line is not that of a backup",
    );
}

#[test]
fn a_changed_row_is_noticed() {
    check(
        |text| packed(&text.replacen("\"checkout\"", "\"checkin\"", 1)),
        "the rows of table `features` are others",
    );
}

#[test]
fn a_missing_row_is_noticed() {
    check(
        |text| {
            let lines = text.lines().filter(|line| !line.contains("\"checkout\""));
            packed(&lines.map(|line| format!("{line}\n")).collect::<String>())
        },
        "the rows of table `features` are others",
    );
}

/// Whoever changes a row with its checksum is caught by the last line.
#[test]
fn a_changed_next_id_is_noticed() {
    check(
        |text| packed(&text.replacen("\"last_id\":1}", "\"last_id\":2}", 1)),
        "does not end what stands before it",
    );
}

#[test]
fn what_follows_the_last_line_is_noticed() {
    check(
        |text| packed(&format!("{text}[1]\n")),
        "it goes on after its last line",
    );
    check(
        |text| {
            let mut file = packed(&text);
            file.extend_from_slice(b"more");
            file
        },
        "something was added to it",
    );
}

#[test]
fn a_table_that_is_left_out_is_noticed() {
    check(
        |text| {
            let (before, rest) = text.split_once("{\"table\":\"members\"").unwrap();
            let (_, after) = rest.split_once("{\"table\":\"memberships\"").unwrap();
            packed(&format!("{before}{{\"table\":\"memberships\"{after}"))
        },
        "does not begin table `members`",
    );
}

#[test]
fn a_new_file_that_nothing_was_migrated_in_is_filled() {
    on_sqlite(async |database, _| {
        let shop = Shop::open(&database.open().await).await;
        shop.feature("checkout").await;
        let (file, written) = file_of(&database).await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("new.db").display());
        let store = Store::connect(&url).await.unwrap();

        let restored = store.restore(&*file, NOW).await.unwrap();

        assert_eq!(restored, written);
        let state = store.migration_state().await.unwrap();
        assert_eq!(state.applied, state.known);
        let feature = store
            .feature_by_name(shop.project.id, &name("checkout"))
            .await;
        assert!(feature.unwrap().is_some());
        store.close().await;
    });
}

#[test]
fn nothing_is_backed_up_of_a_file_without_tables() {
    on_sqlite(async |_, _| {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("new.db").display());
        let store = Store::connect(&url).await.unwrap();

        let refused = store.back_up(&mut Vec::new(), NOW).await.unwrap_err();

        assert_eq!(
            refused.to_string(),
            "the database holds nothing of flagstaff"
        );
        store.close().await;
    });
}
