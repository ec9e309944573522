//! One-time codes and mail: recovery, resets, and proving a mail address.

use parlor_shared::event::{CodeKind, MailState};
use parlor_shared::{Code, EmailAddress, Refusal, Reply, UnixMillis, UserId, UserNews};

use super::{Asked, Brought, Chat, Effect, Fact, KnownCode, MailText, Purpose, Record, TokenHash};

const MILLIS_PER_MINUTE: u64 = 60 * 1000;
/// Recovery codes: enough for the years in which nobody thinks of them.
pub const RECOVERY_CODES: usize = 8;

impl Chat {
    /// Replaces the recovery codes by the fresh ones.
    pub(super) fn give_recovery_codes(
        &self,
        user: UserId,
        brought: &Brought,
        out: &mut Vec<Effect>,
    ) -> Vec<Code> {
        let purpose = Purpose::Reset(CodeKind::Recovery);
        out.push(Effect::Save(Record::CodesGone { user, purpose }));
        let codes: Vec<Code> = brought.codes.iter().take(RECOVERY_CODES).copied().collect();
        for code in &codes {
            let hash = TokenHash::of_code(code);
            out.push(Effect::Save(Record::Code { hash, user, purpose, until: None }));
        }
        codes
    }

    pub(super) fn new_recovery_codes(
        &mut self,
        asked: Asked,
        brought: Brought,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        self.check_proof(asked, brought.proof)?;
        Ok(Reply::RecoveryCodes { codes: self.give_recovery_codes(asked.user, &brought, out) })
    }

    pub(super) fn set_email(
        &mut self,
        asked: Asked,
        email: Option<EmailAddress>,
        brought: &Brought,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        self.check_proof(asked, brought.proof)?;
        Ok(Reply::EmailSet { mail: self.put_email(asked.user, email, brought, asked.at, out) })
    }

    /// Notes a mail address that is still to be proven; true when a mail about it is on its way.
    /// Nothing is said of whether another account has it: that is told to whoever proves it.
    pub(super) fn put_email(
        &mut self,
        user: UserId,
        email: Option<EmailAddress>,
        brought: &Brought,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(it) = self.durable.users.get_mut(&user) else { return false };
        let name = it.name.clone();
        let Some(account) = it.account.as_mut() else { return false };
        if account.is_verified
            && let Some(old) = &account.email
        {
            self.durable.emails.remove(&old.folded());
        }
        (account.email, account.is_verified) = (email.clone(), false);
        let is_verified = false;
        out.push(Effect::Save(Record::Email { user, email: email.clone(), is_verified }));
        out.push(Effect::Save(Record::CodesGone { user, purpose: Purpose::Verify }));
        // A code for the old address would open the account to whoever reads that mail.
        let purpose = Purpose::Reset(CodeKind::Mail);
        out.push(Effect::Save(Record::CodesGone { user, purpose }));
        let (Some(to), true, Some(code)) = (email, brought.has_mail, brought.codes.last()) else {
            return false;
        };
        self.mail_code(user, to, Purpose::Verify, MailText::Verify { name, code: *code }, at, out);
        true
    }

    fn mail_code(
        &self,
        user: UserId,
        to: EmailAddress,
        purpose: Purpose,
        letter: MailText,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let (MailText::Verify { code, .. } | MailText::Reset { code, .. }) = &letter;
        // However long the mail has to wait: its end is set when the mail is sent.
        let longest = self.limits.mail_give_up_millis.saturating_add(self.mailed_code_millis());
        let until = Some(UnixMillis(at.0.saturating_add(longest)));
        let hash = TokenHash::of_code(code);
        out.push(Effect::Save(Record::Code { hash, user, purpose, until }));
        out.push(Effect::Save(Record::Mail { user, to, letter, at }));
    }

    fn mailed_code_millis(&self) -> u64 {
        self.limits.mail_code_minutes.saturating_mul(MILLIS_PER_MINUTE)
    }

    pub(super) fn verify_email(
        &mut self,
        asked: Asked,
        code: &Code,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let Asked { user, at, .. } = asked;
        let email = match fact {
            Some(Fact::Code(Some(KnownCode::Verify { user: of, email }))) if of == user => email,
            _ => return Err(Refusal::CodeUnknown),
        };
        if self.durable.emails.get(&email.folded()).is_some_and(|it| *it != user) {
            return Err(Refusal::EmailTaken);
        }
        let it = self.durable.users.get_mut(&user).ok_or(Refusal::NotRegistered)?;
        let account = it.account.as_mut().ok_or(Refusal::NotRegistered)?;
        if account.email.as_ref() != Some(&email) {
            return Err(Refusal::CodeUnknown);
        }
        account.is_verified = true;
        self.durable.emails.insert(email.folded(), user);
        let is_verified = true;
        out.push(Effect::Save(Record::Email { user, email: Some(email.clone()), is_verified }));
        out.push(Effect::Save(Record::CodeUsed { hash: TokenHash::of_code(code) }));
        self.tell_user(user, UserNews::EmailVerified { email: email.clone() }, at, out);
        Ok(Reply::EmailVerified { email })
    }

    /// Mails a code to whose address that is; nobody is told whether there is anybody.
    pub(super) fn forgot(
        &mut self,
        email: &EmailAddress,
        code: Code,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let Some(&user) = self.durable.emails.get(&email.folded()) else { return };
        let Some(it) = self.durable.users.get(&user) else { return };
        let name = it.name.clone();
        // To where it was proven, however it was typed.
        let Some(to) = it.account.as_ref().and_then(|it| it.email.clone()) else { return };
        let purpose = Purpose::Reset(CodeKind::Mail);
        out.push(Effect::Save(Record::CodesGone { user, purpose }));
        self.mail_code(user, to, purpose, MailText::Reset { name, code }, at, out);
    }

    /// What became of a mail: the user hears it, and what is settled is sent no more. From then on
    /// its code is good for as long as it says, or not at all.
    pub(super) fn mailed(
        &mut self,
        mail: u64,
        state: MailState,
        fact: Option<Fact>,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let Some(Fact::Mail(Some(known))) = fact else { return };
        if state != MailState::Waits {
            out.push(Effect::Save(Record::MailGone { mail }));
            let life = if state == MailState::Sent { self.mailed_code_millis() } else { 0 };
            let (hash, until) = (known.code, UnixMillis(at.0.saturating_add(life)));
            out.push(Effect::Save(Record::CodeUntil { hash, until }));
        }
        self.tell_user(known.user, UserNews::Mailed { to: known.to, state }, at, out);
    }

    /// A code for somebody who forgot the password, to be handed over by an admin.
    pub(super) fn make_reset_code(
        &mut self,
        asked: Asked,
        user: UserId,
        brought: &Brought,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let code = *brought.codes.first().ok_or(Refusal::Busy)?;
        let purpose = Purpose::Reset(CodeKind::Admin);
        let life = self.limits.reset_code_hours.saturating_mul(60 * MILLIS_PER_MINUTE);
        let until = UnixMillis(asked.at.0.saturating_add(life));
        out.push(Effect::Save(Record::CodesGone { user, purpose }));
        let hash = TokenHash::of_code(&code);
        out.push(Effect::Save(Record::Code { hash, user, purpose, until: Some(until) }));
        self.audit(asked, "make_reset_code", Some(user).into(), String::new(), out);
        Ok(Reply::ResetCode { code, until })
    }
}
