//! What differs between platforms.
