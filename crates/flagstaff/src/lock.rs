//! One process at a time has a SQLite file: two would each answer from what they remember.

use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use flagstaff_store::Store;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held for as long as the process has the database; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct DatabaseLock {
    _file: Option<File>,
}

/// Whether a database is free.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody has it.
    Nobody,
    /// Another process has it; its id where it could be read.
    Process(Option<u32>),
}

impl DatabaseLock {
    /// Takes the database for this process. A Postgres database is shared: it has no lock.
    ///
    /// # Errors
    /// When another process has it, or the lock file cannot be written.
    pub(crate) fn take(store: &Store) -> Result<Self, Failure> {
        let Some(path) = store.path() else {
            return Ok(Self { _file: None });
        };
        let lock = lock_path(path);
        let mut file = open(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
        match file.try_lock() {
            Ok(()) => {
                // For people who look who holds it; nothing depends on it.
                let _ = file
                    .set_len(0)
                    .and_then(|()| write!(file, "{}", std::process::id()));
                Ok(Self { _file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = read_process(&mut file);
                let holder = holder.map_or_else(String::new, |id| format!(" (process {id})"));
                Err(Failure::Failed(anyhow!(
                    "another flagstaff is running on {}{holder}: stop it first",
                    path.display()
                )))
            }
            Err(TryLockError::Error(error)) => Err(Failure::Failed(
                anyhow::Error::new(error).context(format!("cannot lock {}", lock.display())),
            )),
        }
    }

    /// Looks whether somebody has the database, without taking it.
    ///
    /// # Errors
    /// When the lock file is there but cannot be opened.
    pub(crate) fn holder(path: &Path) -> std::io::Result<Holder> {
        let lock = lock_path(path);
        if !lock.exists() {
            return Ok(Holder::Nobody);
        }
        let mut file = open(&lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Holder::Nobody),
            Err(TryLockError::WouldBlock) => Ok(Holder::Process(read_process(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn open(lock: &Path) -> std::io::Result<File> {
    // Not emptied: it may hold the id of whoever has the lock.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(lock)
}

fn read_process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
