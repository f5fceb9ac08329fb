//! What the services say to one another. Everything here is pure: no I/O, no clock, no randomness but what is
//! passed in, so that the runtime, the router, the model check and the tests all call the same functions.

pub mod artifact;
pub mod choreography;
pub mod error_code;
pub mod event;
pub mod ids;
pub mod ledger;
pub mod pages;
pub mod permissions;
pub mod protocol;
pub mod remedy;
pub mod render;
pub mod status;
pub mod subject;

/// The wire types, generated from `proto/`.
pub mod wire {
    #![expect(missing_docs, reason = "generated; documented in proto/")]

    include!(concat!(env!("OUT_DIR"), "/millrace.v1.rs"));
}

pub use choreography::{CHOREOGRAPHY, EventKind, Hop, Service};
pub use error_code::{Disposition, ErrorCode};
pub use ids::{JobId, Tenant};
pub use pages::Pages;
pub use remedy::Action;
