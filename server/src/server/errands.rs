//! What a server does beside serving: its backups and its mail, and how those who see to the
//! server steer them.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_shared::{Limits, Policy};

use super::ServerError;
use crate::backup::{Backup, Plan};
use crate::hub::Entrance;
use crate::mail::{Mail, MailConfig};
use crate::outbox::StoredMails;
use crate::store::{Reader, Readers};

/// The bells' other ends, before there is anybody who hears them.
pub(super) struct Ears {
    pub(super) backup: Receiver<()>,
    pub(super) policy: Receiver<()>,
    mail: Receiver<()>,
}

/// What rings them.
pub(super) struct Ropes {
    pub(super) backup: Sender<()>,
    pub(super) policy: Sender<()>,
    pub(super) mail: Sender<()>,
}

pub(super) fn bells() -> (Ropes, Ears) {
    let ((backup, wanted), (policy, changed), (mail, rung)) = (bounded(1), bounded(1), bounded(1));
    (Ropes { backup, policy, mail }, Ears { backup: wanted, policy: changed, mail: rung })
}

/// See the module.
pub(super) struct Errands {
    pub(super) ears: Ears,
    pub(super) backup: Backup,
    backing_up: JoinHandle<()>,
    plan: Arc<RwLock<Plan>>,
    mail: Option<Mail>,
    readers: Readers,
}

impl Errands {
    pub(super) fn start(
        data: &Path,
        mail: Option<&MailConfig>,
        (ears, entrance, readers): (Ears, &Entrance, &Readers),
        limits: &Arc<Limits>,
    ) -> Result<Self, ServerError> {
        let policy = readers.with(Reader::policy)?;
        let plan = Arc::new(RwLock::new(Plan::of(policy)));
        let (backup, backing_up) =
            Backup::start(data, Arc::clone(&plan), limits).map_err(ServerError::Threads)?;
        let mail = match mail {
            None => None,
            Some(config) => {
                let outbox = StoredMails::new(readers.clone(), entrance.clone(), limits);
                let started = Mail::start(config.clone(), limits, outbox, ears.mail.clone());
                Some(started.map_err(ServerError::Threads)?)
            }
        };
        Ok(Self { ears, backup, backing_up, plan, mail, readers: readers.clone() })
    }

    /// Somebody wants a backup now. What comes of it is in the figures.
    pub(super) fn back_up(&self) {
        let (answer, _nobody) = bounded(1);
        if !self.backup.now(answer) {
            log::info!("a backup was asked for and is under way already");
        }
    }

    /// The policy changed: the plan follows.
    pub(super) fn follow_policy(&self) {
        match self.readers.with(Reader::policy) {
            Ok(policy) => self.adopt(policy),
            Err(error) => log::error!("reading the policy: {error}"),
        }
    }

    fn adopt(&self, policy: Policy) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Plan::of(policy);
        self.backup.look();
    }

    /// Lets nothing new begin. A letter that is on its way gets until `deadline`: as long as the hub
    /// is there that it was sent can be noted, and the next start does not send it again.
    pub(super) fn stop(&mut self, deadline: Instant) {
        self.backup.stop();
        if let Some(mail) = self.mail.take() {
            mail.stop(deadline);
        }
    }

    /// Waits for the end of what is under way.
    pub(super) fn join(self) {
        if self.backing_up.join().is_err() {
            log::error!("the backups' thread panicked");
        }
        // Also where a connection's thread has not ended: it has nothing to read any more.
        self.readers.close_idle();
    }
}
