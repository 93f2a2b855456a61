//! `flagstaff backup`, `restore` and `move`: everything in the database, out and in again.

use crate::clock;
use crate::command::{BackupArgs, MoveArgs, RestoreArgs};
use crate::config::DatabaseUrl;
use crate::failure::Failure;
use crate::lock::DatabaseLock;
use crate::product::{SETTING, missing_file, open_existing, take_store};
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use flagstaff_store::{BackupError, BackupSummary, Store};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a backup. A server may have the database; what it changes meanwhile is not in the file.
///
/// # Errors
/// When the database cannot be read, the file is there already, or cannot be written.
pub(crate) async fn back_up(args: &BackupArgs, settings: &Settings) -> Result<(), Failure> {
    let store = open_existing(&settings.server.database_url, SETTING).await?;
    if args.to == Path::new("-") {
        let out = BufWriter::new(std::io::stdout());
        let summary = store.back_up(out, clock::now()).await?;
        // Standard output is the backup.
        say(std::io::stderr(), "backed up", &summary)?;
        store.close().await;
        return Ok(());
    }
    let file = NewFile::create(&args.to)?;
    let summary = store
        .back_up(BufWriter::new(&file.file), clock::now())
        .await;
    store.close().await;
    let summary = summary.with_context(|| format!("cannot write {}", args.to.display()))?;
    file.keep()?;
    say(std::io::stdout(), "backed up", &summary)?;
    Ok(())
}

/// Fills the empty database of the settings.
///
/// # Errors
/// When the file is no whole backup that this version can read, or the database is in use or not empty.
pub(crate) async fn restore(args: &RestoreArgs, settings: &Settings) -> Result<(), Failure> {
    let from: Box<dyn std::io::Read + Send> = if args.file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let opened = File::open(&args.file)
            .with_context(|| format!("cannot read {}", args.file.display()))
            .map_err(Failure::Usage)?;
        Box::new(opened)
    };
    let target = Target::open(&settings.server.database_url, SETTING).await?;
    let restored = target.store.restore(from, clock::now()).await;
    let summary = target.close(restored).await?;
    say(std::io::stdout(), "restored", &summary)?;
    Ok(())
}

/// Copies one database into another, which has to be empty.
///
/// # Errors
/// When one of them cannot be opened or is in use, or the second is not empty.
pub(crate) async fn copy(args: &MoveArgs, settings: &Settings) -> Result<(), Failure> {
    let from = address("--from", args.from.as_deref(), args.from_file.as_deref())?;
    let to = address("--to", args.to.as_deref(), args.to_file.as_deref())?;
    let (from, named_by) = match from {
        Some(from) => (from, "--from"),
        None => (settings.server.database_url.clone(), SETTING),
    };
    let to = to.ok_or_else(|| Failure::usage(anyhow!("--to is missing")))?;
    if from.expose() == to.expose() {
        return Err(Failure::usage(anyhow!(
            "both addresses are those of one database"
        )));
    }
    if let Some(missing) = missing_file(from.expose()) {
        return Err(Failure::Failed(anyhow!("{missing} does not exist")));
    }
    // What a server changes from now on would be left behind, so there must be none.
    let (source, _lock) = take_store(&from, named_by).await?;
    let target = Target::open(&to, "--to").await?;
    let copied = source.copy_to(&target.store, clock::now()).await;
    let summary = target.close(copied).await?;
    source.close().await;
    say(std::io::stdout(), "copied", &summary)?;
    Ok(())
}

/// A database that is to be filled.
struct Target {
    store: Store,
    _lock: DatabaseLock,
    /// A file that was not there before, and goes again when nothing comes into it.
    made: Option<PathBuf>,
}

impl Target {
    async fn open(url: &DatabaseUrl, named_by: &'static str) -> Result<Self, Failure> {
        let made = missing_file(url.expose()).map(PathBuf::from);
        let (store, lock) = take_store(url, named_by).await?;
        Ok(Self {
            store,
            _lock: lock,
            made,
        })
    }

    async fn close(
        self,
        filled: Result<BackupSummary, BackupError>,
    ) -> Result<BackupSummary, Failure> {
        self.store.close().await;
        if let (Err(_), Some(made)) = (&filled, &self.made) {
            for ending in ["", "-wal", "-shm", ".lock"] {
                let mut name = made.clone().into_os_string();
                name.push(ending);
                // Most of them are not there.
                let _ = std::fs::remove_file(name);
            }
        }
        Ok(filled.context("nothing was changed")?)
    }
}

/// A file under another name until it is whole.
struct NewFile {
    file: File,
    partial: PathBuf,
    to: PathBuf,
    is_whole: bool,
}

impl NewFile {
    fn create(to: &Path) -> Result<Self, Failure> {
        if to.exists() {
            return Err(Failure::Failed(anyhow!(
                "{} is there already: nothing is overwritten",
                to.display()
            )));
        }
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It holds keys and password hashes.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&partial);
        let file = opened.with_context(|| format!("cannot write {}", partial.display()))?;
        Ok(Self {
            file,
            partial,
            to: to.to_owned(),
            is_whole: false,
        })
    }

    /// Gives it its name, once it is on the disk.
    fn keep(mut self) -> Result<(), Failure> {
        let kept = self
            .file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.partial, &self.to));
        kept.with_context(|| format!("cannot write {}", self.to.display()))?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_whole {
            // Whatever happened is told already.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// An address from an option or from a file.
fn address(
    option: &str,
    text: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<DatabaseUrl>, Failure> {
    let text = match (text, file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))
            .map_err(Failure::Usage)?
            .trim()
            .to_owned(),
        (None, None) => return Ok(None),
    };
    let url = DatabaseUrl::try_from(text);
    let url = url.map_err(|problem| Failure::usage(anyhow!("{option} {problem}")))?;
    Ok(Some(url))
}

fn say(mut out: impl Write, what: &str, summary: &BackupSummary) -> std::io::Result<()> {
    for table in &summary.tables {
        writeln!(out, "{:>10}  {}", table.rows, table.name)?;
    }
    writeln!(
        out,
        "{what} {} rows of {} tables at migration {}",
        summary.rows(),
        summary.tables.len(),
        summary.schema_version
    )
}
