//! Carries bytes to a provider and back. Nothing is tried again in here, no redirect is followed, and every call ends:
//! by an answer, by its size or by its time.

use crate::{Exchange, Failure, Request, Vendor};
use anyhow::{Context as _, ensure};
use millrace_contract::ErrorCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An answer larger than this is not one.
pub const LARGEST: usize = 8 * 1024 * 1024;

/// How to reach the providers. One without a key is not asked.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Base URL of the Gemini API, if it is not Google's own
    #[arg(long, env = "GEMINI_BASE_URL")]
    gemini_base_url: Option<String>,
    /// Key of the Gemini API; better in a file
    #[arg(long, env = "GEMINI_API_KEY", hide_env_values = true)]
    gemini_api_key: Option<Secret>,
    /// File that holds the key of the Gemini API
    #[arg(long, env = "GEMINI_API_KEY_FILE")]
    gemini_api_key_file: Option<PathBuf>,
    /// Base URL of a server that speaks OpenAI's chat completions, if it is not OpenAI's own; then no key is needed
    #[arg(long, env = "OPENAI_BASE_URL")]
    openai_base_url: Option<String>,
    /// Key of the OpenAI API; better in a file
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    openai_api_key: Option<Secret>,
    /// File that holds the key of the OpenAI API
    #[arg(long, env = "OPENAI_API_KEY_FILE")]
    openai_api_key_file: Option<PathBuf>,
    /// Base URL of the Anthropic API, if it is not Anthropic's own
    #[arg(long, env = "ANTHROPIC_BASE_URL")]
    anthropic_base_url: Option<String>,
    /// Key of the Anthropic API; better in a file
    #[arg(long, env = "ANTHROPIC_API_KEY", hide_env_values = true)]
    anthropic_api_key: Option<Secret>,
    /// File that holds the key of the Anthropic API
    #[arg(long, env = "ANTHROPIC_API_KEY_FILE")]
    anthropic_api_key_file: Option<PathBuf>,
    /// How long one call may take, from the connection to the last byte
    #[arg(long, env = "MILLRACE_PROVIDER_TIMEOUT", default_value = "120s", value_parser = humantime::parse_duration)]
    provider_timeout: Duration,
}

impl Settings {
    fn of(&self, vendor: Vendor) -> (Option<&str>, Option<&Secret>, Option<&Path>) {
        let (base, key, file) = match vendor {
            Vendor::Gemini => (&self.gemini_base_url, &self.gemini_api_key, &self.gemini_api_key_file),
            Vendor::OpenAi => (&self.openai_base_url, &self.openai_api_key, &self.openai_api_key_file),
            Vendor::Anthropic => {
                (&self.anthropic_base_url, &self.anthropic_api_key, &self.anthropic_api_key_file)
            }
        };
        (base.as_deref(), key.as_ref(), file.as_deref())
    }

    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        self.provider_timeout
    }
}

const fn usual_base(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Gemini => "https://generativelanguage.googleapis.com",
        Vendor::OpenAi => "https://api.openai.com/v1",
        Vendor::Anthropic => "https://api.anthropic.com",
    }
}

/// A key that no log shows.
#[derive(Clone)]
struct Secret(String);

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Secret, Self::Err> {
        Ok(Secret(text.trim().to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A provider that can be asked.
struct Target {
    base: String,
    key: Option<(HeaderName, HeaderValue)>,
}

/// The client of all providers.
pub struct Http {
    client: reqwest::Client,
    targets: BTreeMap<Vendor, Target>,
    timeout: Duration,
}

impl Http {
    /// A client with the keys from the settings. No key at all is not a mistake: then no provider can be asked.
    ///
    /// # Errors
    /// If the file of a key cannot be read, or a base URL is none. Names the setting, never what it holds.
    pub fn new(settings: &Settings) -> anyhow::Result<Http> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // Sooner than balancers close idle connections: a request into a closed one looks like one that was lost.
            .pool_idle_timeout(Duration::from_secs(20))
            // A redirect would carry the document to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            // Whoever calls counts the tries, and pays for them.
            .retry(reqwest::retry::never())
            .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let mut targets = BTreeMap::new();
        for &vendor in Vendor::ALL {
            let (base, key, file) = settings.of(vendor);
            // As a compose file passes on what nobody filled in.
            let base = base.filter(|base| !base.is_empty());
            let key = key_header(vendor, key, file)?;
            // A server of one's own, named on purpose, may have no key.
            if key.is_some() || (vendor == Vendor::OpenAi && base.is_some()) {
                let base = checked(vendor, base.unwrap_or(usual_base(vendor)))?;
                targets.insert(vendor, Target { base, key });
            }
        }
        Ok(Http { client, targets, timeout: settings.provider_timeout })
    }

    /// Whether that provider can be asked.
    pub fn has_key(&self, vendor: Vendor) -> bool {
        self.targets.contains_key(&vendor)
    }

    /// Sends a request and keeps what comes back, whatever its status. `id` names the call in the provider's logs.
    ///
    /// # Errors
    /// If nothing came back, or what came cannot be the provider's: a redirect, more than [`LARGEST`] bytes, half a
    /// body.
    pub async fn send(&self, request: &Request, id: &str) -> Result<Exchange, Failure> {
        self.send_within(request, id, self.timeout).await
    }

    /// The same, with a time of its own: the cheaper tier may take a quarter of an hour.
    ///
    /// # Errors
    /// See [`Http::send`].
    pub async fn send_within(
        &self,
        request: &Request,
        id: &str,
        timeout: Duration,
    ) -> Result<Exchange, Failure> {
        let vendor = request.vendor;
        let Some(target) = self.targets.get(&vendor) else {
            let message = format!("there is no key for {vendor}");
            return Err(Failure::new(ErrorCode::ProviderNotConfigured, message));
        };
        let mut call = self
            .client
            .post(format!("{}{}", target.base, request.path))
            // For the whole call, with the body.
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("x-client-request-id", id);
        for (name, value) in &request.headers {
            call = call.header(*name, value);
        }
        if let Some((name, value)) = &target.key {
            call = call.header(name, value);
        }
        let sent = call.body(request.body.clone()).send().await;
        let mut response = sent.map_err(|error| transport(vendor, &error))?;
        if response.status().is_redirection() {
            let message =
                format!("{vendor}: a redirect, which is not followed (HTTP {})", response.status().as_u16());
            return Err(Failure::new(ErrorCode::ProviderForeign, message));
        }
        let mut exchange = Exchange { status: response.status().as_u16(), ..Exchange::default() };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            let kept = exchange.headers.entry(name.as_str().to_owned()).or_default();
            if !kept.is_empty() {
                kept.push_str(", ");
            }
            kept.push_str(&value);
        }
        let announced = response.content_length().unwrap_or_default();
        if announced > LARGEST as u64 {
            return Err(too_large(vendor));
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(vendor, &error))? {
            if exchange.body.len() + chunk.len() > LARGEST {
                return Err(too_large(vendor));
            }
            exchange.body.extend_from_slice(&chunk);
        }
        Ok(exchange)
    }
}

/// The key, in the header that the vendor reads; never in the URL, which ends up in logs.
fn key_header(
    vendor: Vendor,
    key: Option<&Secret>,
    file: Option<&Path>,
) -> anyhow::Result<Option<(HeaderName, HeaderValue)>> {
    let key = match file.filter(|file| !file.as_os_str().is_empty()) {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the key of {vendor} in {}", file.display()))?;
            let key = text.trim().to_owned();
            ensure!(!key.is_empty(), "the key of {vendor} in {} is empty", file.display());
            key
        }
        None => key.map(|key| key.0.clone()).unwrap_or_default(),
    };
    if key.is_empty() {
        return Ok(None);
    }
    let (name, value) = match vendor {
        Vendor::Gemini => (HeaderName::from_static("x-goog-api-key"), key),
        Vendor::OpenAi => (AUTHORIZATION, format!("Bearer {key}")),
        Vendor::Anthropic => (HeaderName::from_static("x-api-key"), key),
    };
    let mut value = HeaderValue::from_str(&value)
        .ok()
        .with_context(|| format!("the key of {vendor} has characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// A base URL, without the slash at its end.
fn checked(vendor: Vendor, base: &str) -> anyhow::Result<String> {
    let base = base.trim_end_matches('/');
    let url = reqwest::Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let plain = url.is_some_and(|url| url.query().is_none() && url.fragment().is_none());
    ensure!(plain, "the base URL of {vendor} is not an http or https URL without a query");
    Ok(base.to_owned())
}

fn too_large(vendor: Vendor) -> Failure {
    let message = format!("{vendor}: the answer is larger than {LARGEST} bytes");
    Failure::new(ErrorCode::ProviderForeign, message).maybe_billed()
}

/// In our own words: the error's own hold the URL.
fn transport(vendor: Vendor, error: &reqwest::Error) -> Failure {
    // First, because a connection that takes too long is a timeout too, and yet nothing was sent.
    if error.is_connect() {
        Failure::new(ErrorCode::ProviderUnreachable, format!("{vendor}: no connection"))
    } else if error.is_builder() {
        Failure::new(ErrorCode::Internal, format!("{vendor}: the request cannot be made"))
    } else if error.is_timeout() {
        Failure::new(ErrorCode::ProviderTimeout, format!("{vendor}: no whole answer in time")).maybe_billed()
    } else {
        let message = format!("{vendor}: the connection broke before the answer was whole");
        Failure::new(ErrorCode::ProviderForeign, message).maybe_billed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    #[command(args_override_self = true)]
    struct Program {
        #[command(flatten)]
        settings: Settings,
    }

    fn settings(args: &[&str]) -> Settings {
        // Whatever stands in the environment of whoever runs the tests.
        let blank =
            ["p", "--gemini-api-key=", "--openai-api-key=", "--openai-base-url=", "--anthropic-api-key="];
        Program::try_parse_from(blank.iter().chain(args)).unwrap().settings
    }

    #[test]
    fn a_vendor_needs_a_key_or_a_server_of_ones_own() {
        let http = Http::new(&settings(&["--gemini-api-key", " k "])).unwrap();
        let has: Vec<bool> = Vendor::ALL.iter().map(|vendor| http.has_key(*vendor)).collect();
        assert_eq!(has, [true, false, false]);
        let http = Http::new(&settings(&["--openai-base-url", "http://127.0.0.1:9/v1/"])).unwrap();
        assert!(http.has_key(Vendor::OpenAi));
        let http = Http::new(&settings(&["--openai-base-url", "", "--anthropic-api-key", ""])).unwrap();
        assert!(!http.has_key(Vendor::OpenAi) && !http.has_key(Vendor::Anthropic));
    }

    #[test]
    fn mistakes_show_no_secret() {
        let secret = "sk-very-secret";
        let given = settings(&["--openai-api-key", &format!("{secret}\u{7f}")]);
        assert!(!format!("{given:?}").contains(secret));
        let errors = [
            Http::new(&given).err().unwrap(),
            Http::new(&settings(&["--openai-base-url", &format!("ftp://u:{secret}@h")])).err().unwrap(),
            Http::new(&settings(&["--gemini-api-key-file", "/no/such/file"])).err().unwrap(),
        ];
        for error in errors {
            let error = format!("{error:#}");
            assert!(
                !error.contains(secret) && (error.contains("openai") || error.contains("gemini")),
                "{error}"
            );
        }
    }
}
