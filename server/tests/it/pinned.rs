//! TLS as the app speaks it: no authority is asked, the server's public key is compared with the
//! one that is known.

use std::sync::{Arc, Mutex};

use parlor_shared::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring::default_provider};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    SignatureScheme, SupportedProtocolVersion,
};
use sha2::{Digest as _, Sha256};

/// Lets only one public key through, and keeps what it was shown.
#[derive(Debug)]
pub(crate) struct Pin {
    key: Fingerprint,
    shown: Mutex<Vec<CertificateDer<'static>>>,
    provider: CryptoProvider,
}

pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let parsed = ParsedCertificate::try_from(certificate).expect("a certificate");
    Fingerprint(Sha256::digest(parsed.subject_public_key_info()).into())
}

impl Pin {
    pub(crate) fn new(key: Fingerprint) -> Arc<Self> {
        Arc::new(Self { key, shown: Mutex::default(), provider: default_provider() })
    }

    /// A connection that has said nothing yet.
    pub(crate) fn client(
        self: &Arc<Self>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConnection {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Self>::clone(self))
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a client")
    }

    /// All certificates that it was shown.
    pub(crate) fn shown(&self) -> Vec<CertificateDer<'static>> {
        self.shown.lock().expect("sound").clone()
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.shown.lock().expect("sound").push(end_entity.clone().into_owned());
        if fingerprint(end_entity) == self.key {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
