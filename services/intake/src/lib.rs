//! Intake: takes uploads over HTTP and upload events from the inbox, stores the bytes, mints the job.

mod admission;
pub mod http;
pub mod inbox;
pub mod password;
pub mod source;

use admission::Admission;
use millrace_contract::{Service, Tenant};
use millrace_profile::{Profiles, Source};
use millrace_stage::{BoxFuture, Edge, Parts, Ports};
use std::path::PathBuf;
use std::sync::Arc;

/// The service.
pub struct Intake;

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Largest document, in bytes
    #[arg(long, env = "MILLRACE_MAX_UPLOAD", default_value_t = 100 * 1024 * 1024)]
    pub max_upload: u64,
    /// Whose jobs HTTP uploads are
    #[arg(long, env = "MILLRACE_TENANT", default_value = "default")]
    pub tenant: Tenant,
    /// Folders that `file:` sources may name; none by default
    #[arg(long = "allow-dir", env = "MILLRACE_ALLOW_DIRS", value_delimiter = ':')]
    pub allow_dirs: Vec<PathBuf>,
    /// Buckets that `s3:`, `gs:` and `az:` sources may name, such as s3://uploads; none by default
    #[arg(long = "allow-bucket", env = "MILLRACE_ALLOW_BUCKETS", value_delimiter = ',')]
    pub allow_buckets: Vec<String>,
    /// Folder of profiles to use instead of the built-in ones
    #[arg(long, env = "MILLRACE_PROFILES")]
    pub profiles: Option<PathBuf>,
    /// File with the public key that passwords of documents are sealed for; without one, none are taken
    #[arg(long, env = "MILLRACE_PASSWORD_PUBLIC_KEY_FILE")]
    pub password_public_key_file: Option<PathBuf>,
    /// Where callers find the status service, for Location [default: the same host]
    #[arg(long, env = "MILLRACE_STATUS_URL", default_value = "")]
    pub status_url: String,
}

impl Edge for Intake {
    const SERVICE: Service = Service::Intake;
    type Settings = Settings;

    fn start(settings: Settings, ports: Arc<dyn Ports>) -> BoxFuture<'static, anyhow::Result<Parts>> {
        Box::pin(async move {
            let profiles = Profiles::load(&Source(settings.profiles.clone()))?;
            let names = profiles.names().into_iter().map(str::to_owned).collect();
            let opener =
                source::Opener::new(&settings.allow_dirs, &settings.allow_buckets, Arc::clone(&ports))?;
            let sealer = password::Sealer::new(settings.password_public_key_file.as_deref())?;
            let admission = Arc::new(Admission { settings, profiles: names, sealer, ports });
            Ok(Parts {
                routes: Some(http::routes(Arc::clone(&admission))),
                inbox: Some(Arc::new(inbox::Inbox::new(admission, opener))),
                projection: None,
            })
        })
    }
}
