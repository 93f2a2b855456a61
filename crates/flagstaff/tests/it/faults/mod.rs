//! Things that go wrong, done for real: to the process, the database, the disk, the clock and the network.

mod database_away;
mod kill;
