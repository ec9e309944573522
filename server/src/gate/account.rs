//! What requests about accounts need from outside the chat: passwords hashed and checked, fresh
//! codes. All of it takes place on the connection's own thread.

use std::time::Instant;

use parlor_shared::request::Request;
use parlor_shared::{Password, Refusal, RequestId, UserId, UserName};

use super::password::Busy;
use super::throttle::AccountKey;
use super::{Gate, Next, fresh};
use crate::chat::{Act, Brought, PasswordHash, Proof, TokenHash};
use crate::connection::Stopping;
use crate::store::{AccountRow, StoreError};

/// Recovery codes that are given at once, and one more for a mail.
const CODES: usize = crate::chat::RECOVERY_CODES + 1;

/// Why a request does not even reach the chat.
pub(super) enum No {
    Refused(Refusal),
    Store(StoreError),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Busy> for No {
    fn from(_: Busy) -> Self {
        Self::Refused(Refusal::Busy)
    }
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl No {
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Store(error) => {
                log::error!("reading an account: {error}");
                Refusal::HistoryDamaged
            }
        }
    }
}

/// A secret is in it, or in its answer, that nobody on the way may read.
pub(super) fn is_secret(request: &Request) -> bool {
    matches!(
        request,
        Request::Recover(_)
            | Request::Register(_)
            | Request::ChangePassword(_)
            | Request::NewRecoveryCodes(_)
            | Request::SetEmail(_)
            | Request::VerifyEmail(_)
            | Request::Claim(_)
            | Request::MakeInvite(_)
            | Request::MakeResetCode(_)
    ) || matches!(request, Request::DeleteAccount(it) if it.password.is_some())
}

impl Gate {
    /// Makes what the chat needs for `request` and cannot make itself.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most requests need nothing")]
    pub(super) fn bring(&self, user: UserId, request: &Request) -> Result<Brought, No> {
        let mut brought = Brought { has_mail: self.shared.has_mail, ..Brought::default() };
        let name = || self.name_of(user);
        match request {
            Request::Register(it) => {
                if self.account_of(user)?.is_some() {
                    // The chat says so; nothing has to be hashed for that.
                    return Ok(brought);
                }
                brought.password = Some(self.new_password(&it.password, name()?)?);
                brought.codes = fresh::codes(CODES);
            }
            Request::ChangePassword(it) => {
                brought.proof = self.prove(user, &it.old)?;
                if brought.proof.is_some() {
                    brought.password = Some(self.new_password(&it.new, name()?)?);
                }
            }
            Request::NewRecoveryCodes(it) => {
                brought.proof = self.prove(user, &it.password)?;
                brought.codes = fresh::codes(CODES);
            }
            Request::SetEmail(it) => {
                brought.proof = self.prove(user, &it.password)?;
                brought.codes = fresh::codes(1);
            }
            Request::DeleteAccount(it) => {
                if let Some(password) = &it.password {
                    brought.proof = self.prove(user, password)?;
                }
            }
            Request::Claim(_) | Request::VerifyEmail(_) => {
                if let Some(name) = name()? {
                    let key = AccountKey::of_name(&name.skeleton());
                    let may = self.shared.codes.may_try(key, self.origin.source, Instant::now());
                    may.map_err(|retry_millis| Refusal::Throttled { retry_millis })?;
                }
            }
            Request::MakeInvite(_) | Request::MakeResetCode(_) => brought.codes = fresh::codes(1),
            _ => {}
        }
        Ok(brought)
    }

    fn account_of(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        self.shared.readers.with(|it| it.account_of(user))
    }

    fn name_of(&self, user: UserId) -> Result<Option<UserName>, StoreError> {
        let name = self.shared.readers.with(|it| it.user_name(user))?;
        Ok(name.and_then(|it| it.parse().ok()))
    }

    /// A password that is to be set: not one of the first that anybody would try.
    fn new_password(
        &self,
        password: &Password,
        name: Option<UserName>,
    ) -> Result<PasswordHash, No> {
        let name = name.map(|it| it.as_str().to_owned()).unwrap_or_default();
        if let Some(refusal) = password.weakness(&name) {
            return Err(refusal.into());
        }
        Ok(self.shared.passwords.hash(password)?)
    }

    /// Checks the password of who is signed in. A wrong one counts as a try.
    fn prove(&self, user: UserId, password: &Password) -> Result<Option<Proof>, No> {
        let Some(account) = self.account_of(user)? else { return Ok(None) };
        let Some(name) = self.name_of(user)? else { return Ok(None) };
        let key = AccountKey::of_name(&name.skeleton());
        let (throttle, source) = (&self.shared.throttle, self.origin.source);
        let retry = |retry_millis| Refusal::Throttled { retry_millis };
        throttle.may_try(key, source, Instant::now()).map_err(retry)?;
        if !self.shared.passwords.verify(Some(&account.password), password)? {
            return Ok(None);
        }
        throttle.succeeded(key, source, Instant::now());
        Ok(Some(Proof { user, credential: account.credential }))
    }

    /// Checks name and password of a stranger. Of a name that nobody has, or that has no password,
    /// it takes the same time to say the same.
    pub(super) fn check_password(&self, name: &UserName, password: &Password) -> Result<Proof, No> {
        let skeleton = name.skeleton();
        let key = AccountKey::of_name(&skeleton);
        let (throttle, source) = (&self.shared.throttle, self.origin.source);
        let retry = |retry_millis| Refusal::Throttled { retry_millis };
        throttle.may_try(key, source, Instant::now()).map_err(retry)?;
        let account = self.shared.readers.with(|it| it.account_of_name(&skeleton))?;
        let stored = account.as_ref().map(|it| it.password.as_str());
        let is_right = self.shared.passwords.verify(stored, password)?;
        match account {
            Some(account) if is_right => {
                throttle.succeeded(key, source, Instant::now());
                Ok(Proof { user: account.user, credential: account.credential })
            }
            Some(_) | None => Err(Refusal::WrongPassword.into()),
        }
    }

    /// What a stranger may ask besides coming in.
    #[expect(clippy::wildcard_enum_match_arm, reason = "strangers may ask two things")]
    pub(super) fn plead(&mut self, id: RequestId, request: Request) -> Result<Next, Stopping> {
        self.tries += 1;
        if self.tries > self.shared.limits.hello_tries {
            return Ok(self.end(Refusal::HelloLate));
        }
        let brought = match &request {
            Request::Recover(it) => {
                let key = AccountKey::of_name(&it.name.skeleton());
                let may = self.shared.codes.may_try(key, self.origin.source, Instant::now());
                may.map_err(|retry_millis| Refusal::Throttled { retry_millis }.into())
                    .and_then(|()| self.new_password(&it.password, Some(it.name.clone())))
                    .map(|password| Brought { password: Some(password), ..Brought::default() })
            }
            Request::Forgot(_) if !self.shared.has_mail => Err(Refusal::NoMail.into()),
            Request::Forgot(it) => {
                let key = AccountKey::of_email(&it.email);
                let may = self.shared.mails.may_try(key, self.origin.source, Instant::now());
                may.map_err(|retry_millis| Refusal::Throttled { retry_millis }.into())
                    .map(|()| Brought::default())
            }
            _ => Err(Refusal::HelloFirst.into()),
        };
        match (brought, request) {
            (Err(no), _) => self.connection.answer(id, Err(no.refusal()))?,
            (Ok(_), Request::Forgot(it)) => {
                // Answered before anybody looks: what it takes must not tell whether there is one.
                self.connection.answer(id, Ok(parlor_shared::Reply::Mailed {}))?;
                let code = fresh::code();
                self.connection.leave_word(Act::Forgot { email: it.email, code })?;
            }
            (Ok(brought), request) => self.connection.ask(id, request, brought)?,
        }
        Ok(Next::Go)
    }

    /// Whether that token is the credential of this machine's shell.
    pub(super) fn is_shell(&self, hash: TokenHash) -> bool {
        use subtle::ConstantTimeEq as _;
        self.origin.is_private
            && self.shared.shell.is_some_and(|it| bool::from(it.0.ct_eq(&hash.0)))
    }
}
