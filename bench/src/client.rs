//! A user of the system: uploads and polls.

use crate::system::System;
use anyhow::{Result, ensure};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Speaks HTTP to intake and status.
pub struct Client {
    http: reqwest::Client,
    intake: String,
    status: String,
}

impl Client {
    /// A client of a running system.
    pub fn new(system: &System) -> Client {
        Client { http: reqwest::Client::new(), intake: system.url("intake"), status: system.url("status") }
    }

    /// Uploads texts, so many at once; their job ids, in order.
    pub async fn upload(&self, texts: &[String], query: &str, at_once: usize) -> Result<Vec<String>> {
        let url = format!("{}/v1/jobs?name=d.txt&{query}", self.intake);
        let sent: Vec<Result<String>> = stream::iter(texts)
            .map(|text| {
                let request = self.http.post(&url).body(text.clone());
                async move {
                    let response = request.send().await?;
                    ensure!(response.status() == 202, "an upload was answered {}", response.status());
                    let body: Value = response.json().await?;
                    Ok(body["job_id"].as_str().unwrap_or_default().to_owned())
                }
            })
            .buffered(at_once)
            .collect()
            .await;
        sent.into_iter().collect()
    }

    /// Uploads a file; its job, or nothing where intake refuses it.
    pub async fn upload_file(&self, name: &str, bytes: Vec<u8>, query: &str) -> Result<Option<String>> {
        let url = format!("{}/v1/jobs?name={name}&{query}", self.intake);
        let response = self.http.post(&url).body(bytes).send().await?;
        if response.status().is_client_error() {
            return Ok(None);
        }
        ensure!(response.status() == 202, "an upload was answered {}", response.status());
        let body: Value = response.json().await?;
        Ok(body["job_id"].as_str().map(str::to_owned))
    }

    /// A job's status; null if nobody knows it yet.
    pub async fn status(&self, job: &str) -> Result<Value> {
        let response = self.http.get(format!("{}/v1/jobs/{job}", self.status)).send().await?;
        Ok(if response.status().is_success() { response.json().await? } else { Value::Null })
    }

    /// The status of a job that has ended.
    pub async fn ended(&self, job: &str) -> Result<Option<Value>> {
        let status = self.status(job).await?;
        Ok(if status["done"] == true { Some(status) } else { None })
    }

    /// Waits for a job to end. One that stands still is told as it is.
    pub async fn wait(&self, job: &str, patience: Duration) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let status = self.status(job).await?;
            if status["done"] == true || begun.elapsed() > patience {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A job's report.
    pub async fn report(&self, job: &str) -> Result<Value> {
        Ok(self.http.get(format!("{}/v1/jobs/{job}/report", self.status)).send().await?.json().await?)
    }
}
