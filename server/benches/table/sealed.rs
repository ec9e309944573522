//! TLS for the load generator: it trusts whoever answers, for it has started that program itself.

use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// The client's side of one encrypted connection.
pub(crate) struct Sealed(ClientConnection);

/// What all connections share.
pub(crate) fn config() -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Sealed {
    pub(crate) fn new(config: &Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        ClientConnection::new(Arc::clone(config), name).map(Self).map_err(io::Error::other)
    }

    /// Something is to be sent, `waiting` is more of it.
    pub(crate) fn wants_to_send(&self, waiting: &[u8]) -> bool {
        self.0.wants_write() || !(waiting.is_empty() || self.0.is_handshaking())
    }

    /// Sends what goes of `waiting`, and takes it away there.
    pub(crate) fn send(&mut self, stream: &mut TcpStream, waiting: &mut Vec<u8>) -> io::Result<()> {
        while self.wants_to_send(waiting) {
            if !self.0.is_handshaking() {
                let sealed = self.0.writer().write(waiting)?;
                waiting.drain(..sealed);
            }
            while self.0.wants_write() {
                self.0.write_tls(stream)?;
            }
        }
        Ok(())
    }

    /// Opens `raw`, piece by piece.
    pub(crate) fn open(
        &mut self,
        mut raw: &[u8],
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while !raw.is_empty() {
            self.0.read_tls(&mut raw)?;
            self.0.process_new_packets().map_err(io::Error::other)?;
            loop {
                let mut reader = self.0.reader();
                let bytes = match reader.fill_buf() {
                    Ok([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                };
                take(bytes)?;
                let count = bytes.len();
                reader.consume(count);
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
