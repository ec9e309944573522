//! Who this server is: a key that stays, and the certificate that goes with it.
//!
//! People pin the key, so it is made once, kept in the data folder and never replaced by itself.
//! The certificate is only its wrapping: made anew at every start and long before it ends, or read
//! from the operator's files.
//!
//! Invariant: neither a reload nor a renewal that fails changes anything.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use parlor_shared::Fingerprint;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use sha2::{Digest as _, Sha256};

use crate::config::CertificateFiles;
use crate::platform::{self, PrivateFolder};

/// Where a server's own key lies in its data folder.
pub const KEY_FILE: &str = "key.pem";
const NEW_KEY_FILE: &str = "key.pem.new";
/// A key or a chain of certificates is a few kilobytes; what is larger is something else.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clients refuse certificates that are good for longer.
const LIFE: Duration = DAY.saturating_mul(365);
/// A client's clock may be behind ours.
const SLACK: Duration = DAY;
/// So long before its end an own certificate is made anew.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// Addresses of this machine in its certificate; a machine with more has them from containers.
const ADDRESSES_MAX: usize = 32;

/// Why there is no key or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, io::Error),
    #[error("{0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    #[error("{0} holds no private key in PEM form")]
    NoKey(PathBuf),
    #[error("the private key in {0} is of a kind that this program does not understand: {1}")]
    OtherKey(PathBuf, rustls::Error),
    #[error("the certificate in {certificate} was made for another key than the one in {key}")]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {0} is damaged: {1}")]
    BadCertificate(PathBuf, rustls::Error),
    #[error(
        "the server's key {0} is damaged ({1}); put it back from a backup, or remove it to get a \
         new one: then everybody is warned that this is another server"
    )]
    Damaged(PathBuf, String),
    #[error("the server's key cannot be kept as {0}: {1}")]
    Unkept(PathBuf, io::Error),
    #[error("no certificate can be made: {0}")]
    Unmade(#[from] rcgen::Error),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// See the module. Asked at each handshake which certificate to show.
pub struct Identity {
    source: Source,
    current: Mutex<Current>,
}

enum Source {
    Own(Box<KeyPair>),
    Files(CertificateFiles),
}

struct Current {
    certified: Arc<CertifiedKey>,
    /// When an own certificate begins and ends to be good.
    good: Option<(SystemTime, SystemTime)>,
}

impl Identity {
    /// From the operator's files.
    ///
    /// # Errors
    /// A file that cannot be used, and the two belonging to different keys.
    pub fn from_files(files: &CertificateFiles) -> Result<Self, IdentityError> {
        let certified = Arc::new(read_files(files)?);
        let current = Mutex::new(Current { certified, good: None });
        Ok(Self { source: Source::Files(files.clone()), current })
    }

    /// With the key that is kept in the data folder, made now if there is none.
    ///
    /// # Errors
    /// A key that is damaged or cannot be kept.
    pub fn own(folder: &Path, now: SystemTime) -> Result<Self, IdentityError> {
        let key = own_key(folder)?;
        let current = Mutex::new(make_certificate(&key, now)?);
        Ok(Self { source: Source::Own(Box::new(key)), current })
    }

    /// What the public key is told by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.current().certified)
    }

    /// Reads the operator's files again. What is wrong with them is logged, and nothing changes.
    pub fn reload(&self) {
        let Source::Files(files) = &self.source else { return };
        match read_files(files) {
            Ok(certified) => {
                let (old, new) = (self.fingerprint(), fingerprint(&certified));
                self.current().certified = Arc::new(certified);
                log::info!("the certificate was read again from {}", files.certificate.display());
                if old != new {
                    log::warn!("the key is another one now: everybody is warned; {}", new.words());
                }
            }
            Err(error) => log::error!("the certificate stays as it was: {error}"),
        }
    }

    /// Makes an own certificate anew when its end is near, or when it is not good yet because a
    /// clock was wrong.
    pub fn renew_if_due(&self, now: SystemTime) {
        let Source::Own(key) = &self.source else { return };
        let good = self.current().good;
        if good.is_some_and(|(from, upto)| from <= now && now + RENEW_BEFORE < upto) {
            return;
        }
        match make_certificate(key, now) {
            Ok(made) => {
                *self.current() = made;
                log::info!("the certificate was renewed with the same key");
            }
            Err(error) => log::error!("the certificate was not renewed: {error}"),
        }
    }

    /// The certificate that is shown now, in DER; and the rest of its chain.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.current().certified.cert.clone()
    }

    /// How TLS is spoken here: 1.2 and 1.3, with the certificate that is current at the time.
    ///
    /// # Errors
    /// When the cryptography cannot be set up.
    pub fn tls(self: &Arc<Self>) -> Result<Arc<ServerConfig>, IdentityError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        // Clients keep what they need to come back quickly; this side keeps nothing for them.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }

    /// It is replaced as a whole, so a panic elsewhere leaves it right.
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current().certified))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

fn fingerprint(certified: &CertifiedKey) -> Fingerprint {
    // All keys that ring knows have one.
    let public = certified.key.public_key();
    Fingerprint(Sha256::digest(public.as_ref().map_or(&[][..], |it| it.as_ref())).into())
}

fn own_key(path: &Path) -> Result<KeyPair, IdentityError> {
    let shown = path.join(KEY_FILE);
    let unkept = |error| IdentityError::Unkept(shown.clone(), error);
    let folder = PrivateFolder::at(path).map_err(unkept)?;
    match folder.file(KEY_FILE, false) {
        Ok(file) => {
            let text = read_bounded(file)
                .and_then(|it| String::from_utf8(it).map_err(io::Error::other))
                .map_err(|error| IdentityError::Unreadable(shown.clone(), error))?;
            KeyPair::from_pem(&text).map_err(|it| IdentityError::Damaged(shown, it.to_string()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            keep(&folder, &key).map_err(unkept)?;
            log::info!("this server has a key of its own now");
            Ok(key)
        }
        Err(error) => Err(IdentityError::Unreadable(shown, error)),
    }
}

/// Whole or not at all, whenever the power goes.
fn keep(folder: &PrivateFolder, key: &KeyPair) -> io::Result<()> {
    folder.remove(NEW_KEY_FILE)?;
    let mut file = folder.file(NEW_KEY_FILE, true)?;
    file.write_all(key.serialize_pem().as_bytes())?;
    file.sync_all()?;
    folder.rename(NEW_KEY_FILE, KEY_FILE)
}

fn make_certificate(key: &KeyPair, now: SystemTime) -> Result<Current, IdentityError> {
    let (from, upto) = (now - SLACK, now - SLACK + LIFE);
    let mut params = CertificateParams::default();
    params.not_before = from.into();
    params.not_after = upto.into();
    params.serial_number = Some(SerialNumber::from(fresh_serial().to_vec()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Parlor");
    params.subject_alt_names = names()
        .into_iter()
        .filter_map(|it| it.try_into().ok().map(SanType::DnsName))
        .chain(addresses().into_iter().map(SanType::IpAddress))
        .collect();
    let certificate = params.self_signed(key)?;
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let private = default_provider().key_provider.load_private_key(private.into())?;
    let certified = CertifiedKey::new(vec![certificate.der().clone()], private);
    Ok(Current { certified: Arc::new(certified), good: Some((from, upto)) })
}

/// Another one for each certificate: some clients refuse two of one issuer with the same.
#[expect(clippy::expect_used, reason = "a system without randomness cannot serve strangers")]
fn fresh_serial() -> [u8; 16] {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).expect("the system has a random generator");
    // A positive number without leading zeros.
    serial[0] = serial[0] & 0x3f | 0x40;
    serial
}

fn names() -> Vec<String> {
    let machine = platform::machine_name().filter(|it| !it.is_empty() && it != "localhost");
    ["localhost".to_owned()].into_iter().chain(machine).collect()
}

fn addresses() -> Vec<IpAddr> {
    let mut all = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let own = interfaces.iter().filter(|it| !it.is_loopback() && !it.is_link_local());
    all.extend(own.map(if_addrs::Interface::ip).take(ADDRESSES_MAX));
    all
}

fn read_files(files: &CertificateFiles) -> Result<CertifiedKey, IdentityError> {
    let read = |path: &Path| {
        open_regular(path)
            .and_then(read_bounded)
            .map_err(|error| IdentityError::Unreadable(path.to_owned(), error))
    };
    let (certificate, key) = (&files.certificate, &files.key);
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<_, _>>()
        .ok()
        .filter(|it: &Vec<_>| !it.is_empty())
        .ok_or_else(|| IdentityError::NoCertificate(certificate.clone()))?;
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|_none_in_it| IdentityError::NoKey(key.clone()))?;
    let private = default_provider()
        .key_provider
        .load_private_key(private)
        .map_err(|error| IdentityError::OtherKey(key.clone(), error))?;
    let certified = CertifiedKey::new(chain, private);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(IdentityError::Mismatch { certificate: certificate.clone(), key: key.clone() })
        }
        Err(error) => Err(IdentityError::BadCertificate(certificate.clone(), error)),
    }
}

/// Opening a pipe would wait for somebody to write into it.
fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large for a key"));
    }
    Ok(bytes)
}
