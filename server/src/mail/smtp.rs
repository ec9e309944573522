//! One letter over one connection to the SMTP server. The dialogue is spoken step by step, since
//! only the step tells whose fault a refusal is.

use std::io;
use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::config::Security;
use super::{Letter, MailConfig, letter};

/// Longest sentence of an SMTP server that is kept, in characters.
const SAYS_CHARS_MAX: usize = 200;

/// Why a letter did not arrive.
#[derive(Debug, PartialEq)]
pub(super) enum Trouble {
    /// This letter never will.
    Refused(String),
    /// This one may, later; others may now.
    Later(String),
    /// The server is away, or will have nothing to do with us.
    Server(String),
}

/// Sends it, or says why not. Each step takes `timeout` at most.
pub(super) fn send(config: &MailConfig, letter: &Letter, timeout: Duration) -> Result<(), Trouble> {
    let message = letter::compose(config, letter).map_err(Trouble::Refused)?;
    let address = |it: &str| it.parse::<Address>().map_err(|it| Trouble::Refused(it.to_string()));
    let (from, to) = (address(config.from.as_str())?, address(letter.to.as_str())?);
    let mut connection = connect(config, timeout).map_err(|it| Trouble::Server(says(&it)))?;
    let sent = dialogue(&mut connection, from, to, &message.formatted());
    match &sent {
        // It has the letter; whether it hears the farewell is all the same.
        Ok(()) => drop(connection.quit()),
        Err(_) => connection.abort(),
    }
    sent
}

fn connect(config: &MailConfig, timeout: Duration) -> Result<SmtpConnection, Error> {
    let hello = ClientId::default();
    let server = (config.host.as_str(), config.port);
    let wrapper = match &config.security {
        Security::Tls(tls) => Some(tls),
        Security::None | Security::StartTls(_) => None,
    };
    let mut connection = SmtpConnection::connect(server, Some(timeout), &hello, wrapper, None)?;
    if let Security::StartTls(tls) = &config.security {
        connection.starttls(tls, &hello)?;
    }
    if let Some(login) = &config.login {
        let credentials = Credentials::new(login.user.clone(), login.password.to_string());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)?;
    }
    Ok(connection)
}

fn dialogue(
    connection: &mut SmtpConnection,
    from: Address,
    to: Address,
    message: &[u8],
) -> Result<(), Trouble> {
    let ours = |error: Error| Trouble::Server(says(&error));
    let theirs = |error: Error| match &error {
        it if it.is_permanent() => Trouble::Refused(says(it)),
        it if it.is_transient() => Trouble::Later(says(it)),
        it => Trouble::Server(says(it)),
    };
    connection.command(Mail::new(Some(from), Vec::new())).map_err(ours)?;
    connection.command(Rcpt::new(to, Vec::new())).map_err(theirs)?;
    connection.command(Data).map_err(theirs)?;
    connection.message(message).map_err(theirs)?;
    Ok(())
}

/// The error and what it comes from, in one line of bounded length.
fn says(error: &Error) -> String {
    let mut says = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(it) = source {
        let io = it.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(io, Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)) {
            return "the mail server did not answer in time".to_owned();
        }
        let more = it.to_string();
        if !says.contains(&more) {
            says = format!("{says}: {more}");
        }
        source = it.source();
    }
    let line = says.chars().map(|it| if it.is_control() { ' ' } else { it });
    line.take(SAYS_CHARS_MAX).collect()
}
