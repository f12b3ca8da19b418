//! Who asks: an account's credentials, and clients made with them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::retry::RetryPartition;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

use super::gate::Gate;
use super::refusal::Refusal;
use super::{LiveError, LiveOptions, call};
use crate::aws::{AccountId, partition_of};

/// How often a call is made until its answer counts as not to be had, where the environment does not say it.
const ATTEMPTS: u32 = 6;

/// How often the environment wants a call to be made.
///
/// Source: AWS SDKs and Tools Reference Guide, "Retry behavior": `AWS_MAX_ATTEMPTS`.
fn attempts() -> u32 {
    let said = std::env::var("AWS_MAX_ATTEMPTS").ok().and_then(|text| text.trim().parse().ok());
    said.filter(|attempts| *attempts > 0).unwrap_or(ATTEMPTS)
}

/// An account as somebody who may ask about it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The account.
    pub(super) account: AccountId,
    /// Who asks.
    pub(super) arn: String,
    /// The Region that is asked where none is better.
    pub(super) region: String,
    config: SdkConfig,
}

/// The configuration of the environment and the profile: Region, credentials, and one HTTP client for all services.
pub(super) async fn environment(options: &LiveOptions) -> SdkConfig {
    // Every service crate would bring a TLS stack of its own; ring needs no C compiler beyond what Rust's linker needs.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.call_timeout.min(Duration::from_secs(10)))
        .operation_attempt_timeout(options.call_timeout)
        .build();
    let retries = RetryConfig::adaptive().with_max_attempts(attempts()).with_max_backoff(Duration::from_secs(20));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(retries);
    if let Ok(name) = AppName::new(concat!("trailproof-", env!("CARGO_PKG_VERSION"))) {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = options.regions.first() {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    match config.region() {
        Some(_) => config,
        // The services that are not Regional answer here, and so does every trail of all Regions.
        None => config.into_builder().region(Region::from_static("us-east-1")).build(),
    }
}

impl Session {
    /// The session of the credentials in the environment.
    ///
    /// # Errors
    /// Where there are none, or AWS does not know them.
    pub(super) async fn own(config: SdkConfig, gate: &Gate) -> Result<Self, LiveError> {
        if let Some(provider) = config.credentials_provider() {
            let given = provider.provide_credentials().await;
            given.map_err(|error| LiveError::NoCredentials(super::refusal::causes(&error)))?;
        } else {
            return Err(LiveError::NoCredentials("no provider of credentials is configured".to_owned()));
        }
        let asked = gate.ask(&call::GET_CALLER_IDENTITY, || sts(&config).get_caller_identity().send()).await;
        let answer = asked.map_err(|refusal| LiveError::NotRecognised(refusal.to_string()))?;
        let account = answer.account().and_then(AccountId::parse);
        let account = account.ok_or_else(|| LiveError::NotRecognised("the answer names no account".to_owned()))?;
        let arn = answer.arn().unwrap_or_default().to_owned();
        let region = config.region().map_or_else(String::new, |region| region.as_ref().to_owned());
        Ok(Session { account, arn, region, config })
    }

    /// The session of a role in another account.
    ///
    /// # Errors
    /// What kept it from being assumed.
    pub(super) async fn assume(
        &self,
        account: AccountId,
        role: &str,
        external_id: Option<&str>,
        gate: &Gate,
    ) -> Result<Self, Refusal> {
        let arn = format!("arn:{}:iam::{account}:role/{role}", self.partition());
        let assume = AssumeRole {
            client: sts(&self.config),
            arn,
            external_id: external_id.map(str::to_owned),
            first: Arc::default(),
        };
        let (credentials, arn) = gate.ask_with(&call::ASSUME_ROLE, || assume.call()).await?;
        if let Ok(mut first) = assume.first.lock() {
            *first = Some(credentials);
        }
        let config = self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(assume)).build();
        Ok(Session { account, arn, region: self.region.clone(), config })
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub(super) fn partition(&self) -> &str {
        partition_of(&self.arn)
    }

    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(&self.config);
        aws_sdk_iam::Client::from_conf(
            config.retry_classifier(TooMany).retry_partition(self.retries("iam", &self.region)).build(),
        )
    }

    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        let config = aws_sdk_organizations::config::Builder::from(&self.config);
        let retries = self.retries("organizations", &self.region);
        aws_sdk_organizations::Client::from_conf(config.retry_classifier(TooMany).retry_partition(retries).build())
    }

    pub(super) fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).region(Region::new(region.to_owned()));
        // A server that is not AWS has no names below its own.
        let config = config.force_path_style(self.config.endpoint_url().is_some());
        aws_sdk_s3::Client::from_conf(
            config.retry_classifier(TooMany).retry_partition(self.retries("s3", region)).build(),
        )
    }

    pub(super) fn s3control(&self) -> aws_sdk_s3control::Client {
        let config = aws_sdk_s3control::config::Builder::from(&self.config);
        let mut config = config.retry_classifier(TooMany).retry_partition(self.retries("s3control", &self.region));
        if let Some(url) = self.config.endpoint_url() {
            config = config.endpoint_resolver(Flat(url.to_owned()));
        }
        aws_sdk_s3control::Client::from_conf(config.build())
    }

    pub(super) fn kms(&self, region: &str) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::config::Builder::from(&self.config).region(Region::new(region.to_owned()));
        aws_sdk_kms::Client::from_conf(
            config.retry_classifier(TooMany).retry_partition(self.retries("kms", region)).build(),
        )
    }

    pub(super) fn cloudtrail(&self, region: &str) -> aws_sdk_cloudtrail::Client {
        let config = aws_sdk_cloudtrail::config::Builder::from(&self.config).region(Region::new(region.to_owned()));
        aws_sdk_cloudtrail::Client::from_conf(
            config.retry_classifier(TooMany).retry_partition(self.retries("cloudtrail", region)).build(),
        )
    }

    /// AWS counts requests for each account and Region: an account that is throttled must not slow down others.
    fn retries(&self, service: &str, region: &str) -> RetryPartition {
        RetryPartition::new(format!("{service}/{region}/{}", self.account))
    }
}

fn sts(config: &SdkConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config);
    aws_sdk_sts::Client::from_conf(config.retry_classifier(TooMany).build())
}

/// Has calls made again that were too many, which not every service and proxy says in its error code.
#[derive(Debug)]
struct TooMany;

impl ClassifyRetry for TooMany {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "too many requests"
    }
}

/// An endpoint for all accounts, where S3 control would put the account before the name of the host.
#[derive(Debug)]
struct Flat(String);

impl aws_sdk_s3control::config::endpoint::ResolveEndpoint for Flat {
    fn resolve_endpoint<'a>(
        &'a self,
        _params: &'a aws_sdk_s3control::config::endpoint::Params,
    ) -> aws_sdk_s3control::config::endpoint::EndpointFuture<'a> {
        let endpoint = aws_sdk_s3control::config::endpoint::Endpoint::builder().url(self.0.clone()).build();
        aws_sdk_s3control::config::endpoint::EndpointFuture::ready(Ok(endpoint))
    }
}

/// Credentials of a role, assumed again when they run out.
struct AssumeRole {
    client: aws_sdk_sts::Client,
    arn: String,
    external_id: Option<String>,
    /// Those that were had when the session began.
    first: Arc<Mutex<Option<Credentials>>>,
}

impl std::fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssumeRole").field("arn", &self.arn).finish_non_exhaustive()
    }
}

impl AssumeRole {
    /// The credentials and the ARN of the session.
    async fn call(&self) -> Result<(Credentials, String), Refusal> {
        let request = self.client.assume_role().role_arn(&self.arn).role_session_name("trailproof");
        let request = request.set_external_id(self.external_id.clone());
        let answer = request.send().await.map_err(|error| Refusal::of(&error))?;
        let given = answer.credentials().ok_or_else(|| Refusal::new("UnreadableAnswer", "no credentials in it"))?;
        let arn = answer.assumed_role_user().map_or(self.arn.as_str(), |user| user.arn());
        let credentials = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            SystemTime::try_from(*given.expiration()).ok(),
            "AssumeRole",
        );
        Ok((credentials, arn.to_owned()))
    }
}

impl ProvideCredentials for AssumeRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        future::ProvideCredentials::new(async move {
            if let Some(credentials) = first {
                return Ok(credentials);
            }
            let again = self.call().await.map_err(|refusal| CredentialsError::provider_error(refusal.to_string()));
            again.map(|(credentials, _)| credentials)
        })
    }
}
