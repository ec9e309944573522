//! Which SMTP server, and how it is spoken to: read and checked once, at the start.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use parlor_shared::EmailAddress;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Where `--smtp` may stand instead, so that a password is not in the list of processes.
const ENVIRONMENT: &str = "PARLOR_SMTP";

/// Submission with STARTTLS (RFC 6409), and within TLS (RFC 8314).
const PORT_STARTTLS: u16 = 587;
const PORT_TLS: u16 = 465;

/// The part of the command line that is about mail.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct MailArgs {
    /// Server that sends mail: smtp://user:password@host:587 or smtps://…; better given in the
    /// environment as PARLOR_SMTP, where other users of this machine do not see the password.
    #[arg(long, value_name = "URL", global = true)]
    pub smtp: Option<String>,
    /// Address that mail comes from.
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub mail_from: Option<String>,
    /// File with certificates (PEM) that the mail server's is signed by, beside the usual ones.
    #[arg(long, value_name = "FILE", global = true)]
    pub smtp_ca: Option<PathBuf>,
}

/// A mail server that can be tried. Nothing of it was tried yet.
#[derive(Clone)]
pub struct MailConfig {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
    pub(super) from: EmailAddress,
    /// What this server is called in a letter: its shown address.
    pub(super) place: String,
}

/// What protects the way to the SMTP server.
#[derive(Clone)]
pub(super) enum Security {
    /// Nothing: the same machine, or as the operator said in so many words.
    None,
    /// TLS is begun on the plain connection, or nothing is said.
    StartTls(TlsParameters),
    /// TLS from the first byte.
    Tls(TlsParameters),
}

#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl fmt::Debug for MailConfig {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::None => "plain",
            Security::StartTls(_) => "STARTTLS",
            Security::Tls(_) => "TLS",
        };
        let login = if self.login.is_some() { "signed in" } else { "not signed in" };
        write!(f, "{}:{} by {security}, {login}, from {:?}", self.host, self.port, self.from)
    }
}

/// What is wrong with what was said about mail.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    #[error(
        "--smtp is not of the form smtp://user:password@host:587 or smtps://user:password@host"
    )]
    Url,
    #[error("--smtp knows no option {0:?}; there are ?tls=none and ?tls=starttls")]
    Option(String),
    #[error(
        "--smtp would send a password over an unencrypted connection to another machine; \
         leave out ?tls=none, or the password"
    )]
    PlainPassword,
    #[error("mail needs an address to come from: say --mail-from ADDRESS")]
    NoFrom,
    #[error(
        "--mail-from is given, but no mail server: say --smtp URL, or PARLOR_SMTP in the environment"
    )]
    NoServer,
    #[error("--mail-from is not an e-mail address")]
    From,
    #[error("--smtp-ca: {0} cannot be used: {1}")]
    Ca(PathBuf, String),
}

impl MailConfig {
    /// From the command line and the environment; `None` when mail was not spoken of.
    ///
    /// # Errors
    /// See [`MailConfigError`].
    pub fn new(args: &MailArgs) -> Result<Option<Self>, MailConfigError> {
        let environment = std::env::var(ENVIRONMENT).ok().filter(|it| !it.is_empty());
        Self::parse(args, args.smtp.clone().or(environment).as_deref())
    }

    /// What this server is called in letters: its address as people know it. Without this it is
    /// the domain of the address that mail comes from.
    #[must_use]
    pub fn called(mut self, place: &str) -> Self {
        self.place = place.chars().filter(|it| !it.is_control()).collect();
        self
    }

    fn parse(args: &MailArgs, url: Option<&str>) -> Result<Option<Self>, MailConfigError> {
        let (url, from) = match (url, &args.mail_from) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(MailConfigError::NoServer),
            (Some(_), None) => return Err(MailConfigError::NoFrom),
            (Some(url), Some(from)) => (url, from),
        };
        // The errors of both say less than ours, and could repeat a password.
        let from: EmailAddress = from.parse().map_err(|_error| MailConfigError::From)?;
        let url = Url::parse(url).map_err(|_error| MailConfigError::Url)?;
        let host = host(&url).ok_or(MailConfigError::Url)?;
        let is_here = is_this_machine(&host);
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(MailConfigError::Url);
        }
        let login = login(&url)?;
        let tls = || tls_parameters(&host, args.smtp_ca.as_ref());
        let (security, usual_port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Security::Tls(tls()?), PORT_TLS),
            ("smtp", Some("tls=starttls")) => (Security::StartTls(tls()?), PORT_STARTTLS),
            ("smtp", None) if !is_here => (Security::StartTls(tls()?), PORT_STARTTLS),
            ("smtp", None | Some("tls=none")) => (Security::None, PORT_STARTTLS),
            ("smtp" | "smtps", Some(other)) => {
                return Err(MailConfigError::Option(other.to_owned()));
            }
            _ => return Err(MailConfigError::Url),
        };
        if matches!(security, Security::None) && login.is_some() && !is_here {
            return Err(MailConfigError::PlainPassword);
        }
        let port = url.port().unwrap_or(usual_port);
        let place = from.domain().to_owned();
        Ok(Some(Self { host, port, security, login, from, place }))
    }

    /// Plain, on this machine.
    #[cfg(test)]
    pub(super) fn for_tests(port: u16, place: &str) -> Self {
        let from = Some("parlor@chat.example".to_owned());
        let args = MailArgs { mail_from: from, ..MailArgs::default() };
        let url = format!("smtp://127.0.0.1:{port}");
        Self::parse(&args, Some(&url)).unwrap().unwrap().called(place)
    }
}

fn host(url: &Url) -> Option<String> {
    // Of a scheme that the web does not know a host is not looked at more closely.
    let host = url.host_str().filter(|it| !it.is_empty())?;
    match Host::parse(host).ok()? {
        Host::Domain(name) => Some(name),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn login(url: &Url) -> Result<Option<Login>, MailConfigError> {
    let decoded = |it: &str| {
        let decoded = percent_decode_str(it).decode_utf8();
        decoded.map(|it| it.into_owned()).map_err(|_error| MailConfigError::Url)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(MailConfigError::Url),
        (user, Some(password)) => {
            Ok(Some(Login { user: decoded(user)?, password: decoded(password)? }))
        }
    }
}

fn tls_parameters(host: &str, ca: Option<&PathBuf>) -> Result<TlsParameters, MailConfigError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(file) = ca {
        let wrong = |why: String| MailConfigError::Ca(file.clone(), why);
        let pem = std::fs::read(file).map_err(|it| wrong(it.to_string()))?;
        let certificates = Certificate::from_pem(&pem).map_err(|it| wrong(it.to_string()))?;
        builder = builder.add_root_certificate(certificates);
    }
    builder.build_rustls().map_err(|error| match ca {
        Some(file) => MailConfigError::Ca(file.clone(), error.to_string()),
        None => MailConfigError::Url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<String, String> {
        let from = Some("parlor@chat.example".to_owned());
        let args = MailArgs { mail_from: from, ..MailArgs::default() };
        let parsed = MailConfig::parse(&args, Some(url));
        parsed.map(|it| format!("{:?}", it.unwrap())).map_err(|it| it.to_string())
    }

    #[test]
    fn the_way_to_another_machine_is_encrypted() {
        for (url, way) in [
            ("smtp://mail.example", "mail.example:587 by STARTTLS, not signed in"),
            ("smtp://ann:pw@mail.example:2525", "mail.example:2525 by STARTTLS, signed in"),
            ("smtps://ann:p%40ss@mail.example", "mail.example:465 by TLS, signed in"),
            ("smtp://mail.example:25?tls=none", "mail.example:25 by plain, not signed in"),
            ("smtp://ann:pw@127.0.0.1:25", "127.0.0.1:25 by plain, signed in"),
            ("smtp://[::1]:25", "::1:25 by plain, not signed in"),
            ("smtp://localhost:25?tls=starttls", "localhost:25 by STARTTLS, not signed in"),
        ] {
            let said = parse(url).unwrap();
            assert_eq!(said, format!("{way}, from …@chat.example"), "{url}");
        }
    }

    #[test]
    fn a_wrong_address_of_a_mail_server_is_told_at_the_start_without_its_password() {
        for (url, says) in [
            ("mail.example", "form"),
            ("http://mail.example", "form"),
            ("smtp://", "form"),
            ("smtp://ann@mail.example", "form"),
            ("smtp://:secret@mail.example", "form"),
            ("smtp://ann:secret@mail.example/chat", "form"),
            ("smtp://ann:secret@mail.example:port", "form"),
            ("smtp://ann:secret%ff@mail.example", "form"),
            ("smtp://ann:secret@mail.example?tls=none", "unencrypted"),
            ("smtp://ann:secret@mail.example?tls=maybe", "tls=maybe"),
            ("smtps://ann:secret@mail.example?tls=none", "tls=none"),
        ] {
            let said = parse(url).expect_err(url);
            assert!(said.contains(says) && !said.contains("secret"), "{url}: {said}");
        }
    }

    #[test]
    fn half_of_what_is_needed_is_told_too() {
        let args = |from: Option<&str>| MailArgs {
            mail_from: from.map(str::to_owned),
            ..MailArgs::default()
        };
        let said = |args: &MailArgs, url: Option<&str>| {
            MailConfig::parse(args, url).map(|it| it.is_some()).map_err(|it| it.to_string())
        };
        assert_eq!(said(&args(None), None), Ok(false));
        let url = Some("smtp://mail.example");
        assert!(said(&args(None), url).unwrap_err().contains("--mail-from"));
        assert!(said(&args(Some("ann@chat.example")), None).unwrap_err().contains("--smtp"));
        assert!(said(&args(Some("ann")), url).unwrap_err().contains("--mail-from"));
        let ca = MailArgs { smtp_ca: Some("/nowhere.pem".into()), ..args(Some("a@b.example")) };
        assert!(said(&ca, url).unwrap_err().contains("/nowhere.pem"));
    }
}
