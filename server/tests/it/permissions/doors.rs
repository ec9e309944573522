//! Every door that there is, and how a client comes in through it.

use std::sync::Arc;

use crate::client::Client;
use crate::harness::TestServer;
use crate::pinned::Pin;

/// A door.
pub(super) struct Door {
    pub(super) name: &'static str,
    pub(super) connect: fn(&TestServer, &Arc<Pin>) -> Client,
}

/// What is allowed does not depend on the door, so everything is tried at each of them.
pub(super) const DOORS: &[Door] = &[
    Door { name: "lines of JSON", connect: |server, _| server.client() },
    Door {
        name: "lines of JSON in TLS",
        connect: |server, pin| server.client().over(pin.client(&[&rustls::version::TLS13])),
    },
];
