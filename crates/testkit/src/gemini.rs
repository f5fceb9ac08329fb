//! The simulated provider as a Gemini whose every answer is a thousand tokens in and a hundred out: for tests that say
//! what it answers, and compute the bill by hand. For everything else there is [`crate::provider`].

use crate::provider::{Config, Simulated};

pub use crate::provider::{Asked, Reply};

/// The simulated provider.
pub struct Gemini {
    /// For `GEMINI_BASE_URL`.
    pub url: String,
    simulated: Simulated,
}

impl Gemini {
    /// Starts it. What is not scripted is answered with a value that fits the schema that was sent.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Gemini {
        let simulated =
            Simulated::start_with(Config { tokens: Some((1000, 100)), ..Config::default() }).await;
        Gemini { url: simulated.url.clone(), simulated }
    }

    /// Answers the next requests like this, in order.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.simulated.script(replies);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.simulated.asked()
    }
}
