//! Which certificates are trusted, where the address is https.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Where distributions keep what the machine trusts: the certificate of a company is there, and in no browser.
const OF_THE_MACHINE: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What browsers trust, what the machine trusts, and what the file holds.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn config(more: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let machine = OF_THE_MACHINE.iter().find(|path| Path::new(path).is_file());
    if let Some(Ok(certificates)) = machine.map(CertificateDer::pem_file_iter) {
        roots.add_parsable_certificates(certificates.flatten());
    }
    if let Some(path) = more {
        let certificates = CertificateDer::pem_file_iter(path)
            .map_err(|_| "the file cannot be read".to_owned())?;
        let (added, _) = roots.add_parsable_certificates(certificates.flatten());
        if added == 0 {
            return Err("the file holds no certificate".to_owned());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        std::fs::write(&path, "nothing").unwrap();

        assert_eq!(
            config(Some(&path)).unwrap_err(),
            "the file holds no certificate"
        );
        let nowhere = Path::new("/nowhere.pem");
        assert_eq!(
            config(Some(nowhere)).unwrap_err(),
            "the file cannot be read"
        );
        assert!(config(None).is_ok());
    }
}
