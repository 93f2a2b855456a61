//! A certificate authority of a test, and servers with its certificates.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// An authority that nobody trusts who does not read its file.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Makes keys and a certificate.
    ///
    /// # Panics
    /// When the machine has no randomness, or no place for the file.
    #[must_use]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("authority.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    /// The file with its certificate; there as long as the authority.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// What a server of this name or address shows.
    #[must_use]
    pub fn server(&self, name: &str) -> TlsAcceptor {
        self.server_until(name, 2999)
    }

    /// The same with a certificate that ran out long ago.
    #[must_use]
    pub fn outdated_server(&self, name: &str) -> TlsAcceptor {
        self.server_until(name, 2001)
    }

    fn server_until(&self, name: &str, year: i32) -> TlsAcceptor {
        let mut parameters = CertificateParams::new([name.to_owned()]).expect("a name");
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let signed = parameters.signed_by(&key, &self.issuer);
        let chain = vec![signed.expect("a certificate").der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key.into());
        TlsAcceptor::from(Arc::new(config.expect("a fitting key")))
    }
}
