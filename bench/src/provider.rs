//! The simulated provider as a process of its own, so that it is measured apart.

use anyhow::{Context as _, Result, ensure};
use millrace_testkit::binary;
use millrace_testkit::provider::{Account, Config};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// The simulated provider as a process of its own.
pub struct Provider {
    process: Child,
    /// For `GEMINI_BASE_URL` and its like.
    pub url: String,
    http: reqwest::Client,
}

impl Provider {
    /// Starts it on a free port.
    pub fn start() -> Result<Provider> {
        let mut process =
            Command::new(binary("millrace-simulated-provider")).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut url)?;
        Ok(Provider { process, url: url.trim().to_owned(), http: reqwest::Client::new() })
    }

    /// Begins anew, with these faults and an empty account.
    pub async fn configure(&self, config: &Config) -> Result<()> {
        let sent = self.http.post(format!("{}/control/config", self.url)).json(config).send().await?;
        ensure!(sent.status().is_success(), "the configuration: {}", sent.text().await?);
        Ok(())
    }

    /// What services have to be told to ask it as all three vendors.
    pub fn environment(&self) -> Vec<(String, String)> {
        let settings = [
            ("GEMINI_BASE_URL", self.url.clone()),
            ("GEMINI_API_KEY", "key".to_owned()),
            ("OPENAI_BASE_URL", format!("{}/v1", self.url)),
            ("OPENAI_API_KEY", "key".to_owned()),
            ("ANTHROPIC_BASE_URL", self.url.clone()),
            ("ANTHROPIC_API_KEY", "key".to_owned()),
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Every request since.
    pub async fn records(&self) -> Result<Account> {
        Ok(self.http.get(format!("{}/control/account", self.url)).send().await?.json().await?)
    }

    /// Sums of everything since.
    pub async fn account(&self) -> Result<Account> {
        let url = format!("{}/control/account?records=false", self.url);
        Ok(self.http.get(url).send().await?.json().await?)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
