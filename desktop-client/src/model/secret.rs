//! What somebody typed that nobody else may see: passwords and codes on their way to the server.
//!
//! Invariant: it is in no log, no `Debug` output and no archive. It lives from the form to the
//! request, is taken out of the form when it is used, and wiped where it was.

use std::fmt;

use zeroize::Zeroizing;

/// A password or a code as it is being typed.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the field that it is typed into.
    pub fn text_mut(&mut self) -> &mut String {
        &mut self.0
    }

    /// The secret, which is not here any more afterwards.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
