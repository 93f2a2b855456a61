//! Things that go wrong, done for real: to the process, the database, the disk, the clock and the network.

mod clock;
mod database_away;
mod disk_full;
mod event_streams;
mod hostile;
mod kill;
mod streams;
mod wire;
mod wrong_keys;
