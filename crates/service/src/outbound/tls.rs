//! How connections to other servers are encrypted: rustls with ring, and the roots that browsers trust.

use crate::error::BoxError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Roots that browsers trust, and those of a file.
///
/// # Errors
/// A file that cannot be read, or holds no certificate.
pub(super) fn client_config(more_roots: Option<&Path>) -> Result<ClientConfig, BoxError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = more_roots {
        let mut is_empty = true;
        for certificate in CertificateDer::pem_file_iter(path)? {
            roots.add(certificate?)?;
            is_empty = false;
        }
        if is_empty {
            return Err("the file holds no certificate".into());
        }
    }
    // Named here rather than installed for the whole process: commands and tests need no order of steps.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// The reason for which another server's certificate is not trusted, where an error comes of that.
pub(super) fn distrust<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(each) = cause {
        if let Some(found @ rustls::Error::InvalidCertificate(_)) = each.downcast_ref() {
            return Some(found);
        }
        // What an I/O error wraps is not its source but stands for it.
        let wrapped = each.downcast_ref::<std::io::Error>();
        cause = match wrapped.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => each.source(),
        };
    }
    None
}
