//! Who may be spoken to: whoever proves to have the pinned key, or any key where none is pinned.
//!
//! A server here makes its own certificate, so its names and dates are its own words about
//! itself and are not judged; the key is what it cannot make up twice. A certificate that is
//! renewed with the same key is the same server, and one that has run out is not a danger.
//!
//! Invariant: the handshake's signature is always verified, and before the key is compared: a
//! certificate is public, and showing somebody else's proves nothing.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use parlor_shared::Fingerprint;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, OtherError,
    SignatureScheme,
};
use sha2::{Digest as _, Sha256};

/// The server proved to have another key than the pinned one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the key {found} is not the pinned {known}")]
pub(super) struct OtherKey {
    pub(super) known: Fingerprint,
    pub(super) found: Fingerprint,
}

/// A connection that has not begun to speak yet.
pub(super) fn client(host: &str, pin: Option<Fingerprint>) -> Result<ClientConnection, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Pinned { pin, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A resumed session would show no certificate, and with it no key.
    config.resumption = Resumption::disabled();
    // Somebody between may choose by this name; a name that certificates cannot carry is not sent.
    let nameless = ServerName::from(Ipv4Addr::UNSPECIFIED);
    let name = ServerName::try_from(host.to_owned()).unwrap_or(nameless);
    ClientConnection::new(Arc::new(config), name)
}

/// The key of whoever is at the other end, once the handshake is over.
pub(super) fn key_of(connection: &ClientConnection) -> Option<Fingerprint> {
    fingerprint(connection.peer_certificates()?.first()?).ok()
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Result<Fingerprint, Error> {
    let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    Ok(Fingerprint(Sha256::digest(key.as_ref()).into()))
}

/// See the module.
struct Pinned {
    pin: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pinned").field(&self.pin).finish()
    }
}

impl Pinned {
    /// Whoever has just proved to have this certificate's key may be spoken to.
    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let found = fingerprint(certificate)?;
        match self.pin {
            Some(known) if known != found => {
                let other = OtherError(Arc::new(OtherKey { known, found }));
                Err(CertificateError::Other(other).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Judged below, when its owner has signed.
        fingerprint(end_entity).map(|_key| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls12_signature(message, certificate, signed, algorithms)?;
        self.judge(certificate).map(|()| valid)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls13_signature(message, certificate, signed, algorithms)?;
        self.judge(certificate).map(|()| valid)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
