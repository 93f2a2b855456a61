//! The socket that the host connects to, in a folder that only this user can enter.

use std::fs::{DirBuilder, Permissions, set_permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// Addresses of sockets end at 108 bytes.
const PATH_LIMIT: usize = 100;

/// A socket that is there until this is dropped.
pub(crate) struct Socket {
    folder: PathBuf,
    path: String,
}

impl Socket {
    /// Makes the folder and listens.
    ///
    /// # Errors
    /// Where neither the folder for temporary files nor `/tmp` will do.
    pub(crate) fn bind(temporary: &Path) -> io::Result<(Self, UnixListener)> {
        let name = format!(
            "rollops-plugin-{:016x}",
            getrandom::u64().map_err(io::Error::other)?
        );
        let folder = folder(temporary).join(name);
        // Whatever the umask is, it only takes rights away.
        DirBuilder::new().mode(0o700).create(&folder)?;
        let path = folder.join("plugin.sock").display().to_string();
        let socket = Self { folder, path };
        set_permissions(&socket.folder, Permissions::from_mode(0o700))?;
        let listener = UnixListener::bind(&socket.path)?;
        set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        Ok((socket, listener))
    }

    /// The one line that the host waits for.
    pub(crate) fn handshake(&self) -> String {
        format!("ROLLOPS_PLUGIN|1|ROLLOPS_TARGET_PLUGIN_V1|{}", self.path)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// The host makes an address of the path, so it has to be one that stands for itself there.
fn folder(temporary: &Path) -> PathBuf {
    let longest = "/rollops-plugin-0123456789abcdef/plugin.sock".len();
    let is_plain = |text: &str| {
        let mut bytes = text.bytes();
        text.len() + longest <= PATH_LIMIT
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"/._-+~".contains(&byte))
    };
    let will_do = temporary.is_absolute() && temporary.to_str().is_some_and(is_plain);
    if will_do {
        temporary
    } else {
        Path::new("/tmp")
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rol_2_a_folder_that_makes_no_address_is_passed_by() {
        assert_eq!(folder(Path::new("/var/tmp")), Path::new("/var/tmp"));
        let long = format!("/{}", "x".repeat(60));
        for text in ["tmp", "/a b", "/a%b", "/a?b", "/a|b", "/ü", &long] {
            assert_eq!(folder(Path::new(text)), Path::new("/tmp"), "{text}");
        }
    }

    #[tokio::test]
    async fn rol_2_the_folder_is_ours_alone_and_goes_away() {
        let temporary = tempfile::Builder::new()
            .prefix("x")
            .tempdir_in("/tmp")
            .unwrap();

        let (socket, listener) = Socket::bind(temporary.path()).unwrap();

        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&socket.folder), 0o700);
        assert_eq!(mode(Path::new(&socket.path)), 0o600);
        drop((socket, listener));
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    }
}
