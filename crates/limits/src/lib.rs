//! How much may be asked of a model provider. Three guards, from the outside in: [`budget`] is what the account may
//! spend in requests and tokens a minute, shared by all replicas; [`concurrency`] is how many calls at once the
//! provider bears now; [`breaker`] is whether it is there at all.

pub mod breaker;
pub mod budget;
pub mod concurrency;
