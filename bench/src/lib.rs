//! What the measurements share.

pub mod batch;
pub mod ceiling;
pub mod client;
pub mod evidence;
pub mod mix;
pub mod naive;
pub mod peers;
pub mod pii;
pub mod presidio;
pub mod process;
pub mod provider;
pub mod reading;
pub mod system;
pub mod tokens;
pub mod trimming;
