//! The order in which things are asked: accounts, then what tells which buckets hold logs, then these, then their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::gate::Gate;
use super::keys::Wanted;
use super::manifest::{self, Manifest, State};
use super::s3::Listed;
use super::session::{self, Session};
use super::shared::Question;
use super::store::Store;
use super::{Accounts, Collection, Event, LiveError, LiveOptions, Shared, Watch, Who};
use super::{call, iam, keys, organization, s3, trails};
use crate::aws::AccountId;

/// How many accounts are read at once: their answers are held until they are whole.
const ACCOUNTS_AT_ONCE: usize = 16;

/// Reads live accounts into a snapshot.
///
/// `holds_logs` says of a bucket's policy whether it makes it a bucket that holds logs.
///
/// # Errors
/// Where there is nobody to ask as, or nowhere to write to. What could not be had is in the [`Collection`].
pub fn collect(
    options: LiveOptions,
    watch: Arc<dyn Watch>,
    holds_logs: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Result<Collection, LiveError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| LiveError::NoRuntime(error.to_string()))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = run(options, watch, Box::new(holds_logs)) => result,
            () = interrupted() => Err(LiveError::Interrupted),
        }
    });
    // Calls that are still on their way are not waited for.
    runtime.shutdown_background();
    result
}

/// Until the user or the system asks the process to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Where a signal can not be caught, it ends the process.
        let mut terminate = signal(SignalKind::terminate()).ok();
        let terminated = async {
            match &mut terminate {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok(()) = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn run(
    options: LiveOptions,
    watch: Arc<dyn Watch>,
    holds_logs: Box<dyn Fn(&str) -> bool + Send + Sync>,
) -> Result<Collection, LiveError> {
    let began = time::OffsetDateTime::now_utc();
    let shown = options.directory.display().to_string();
    let is_used = std::fs::read_dir(&options.directory).is_ok_and(|mut entries| entries.next().is_some());
    if is_used && !options.resume {
        return Err(LiveError::NotEmpty(shown));
    }
    let store = Store::new(&options.directory, options.resume)
        .map_err(|error| LiveError::Unwritable { path: shown.clone(), reason: crate::collect::reason(&error) })?;
    let gate = Gate::new(options.concurrency, options.until);
    let own = Session::own(session::environment(&options).await, &gate).await?;
    let caller = Who { account: own.account, arn: own.arn.clone() };
    if let Some(earlier) = store.read(manifest::PLACE)
        && let Some((account, arn)) = manifest::caller(&earlier)
        && account != own.account.as_str()
    {
        return Err(LiveError::OtherSnapshot { path: shown, other: arn.to_owned(), own: own.arn });
    }
    store.sweep();
    let shared = Shared { options, store, gate, watch, holds_logs, unread: Mutex::default() };
    let shared = Arc::new(shared);

    let wanted = wanted(&shared, &own).await?;
    let sessions = sessions(&shared, &own, &wanted).await?;
    let regions = match shared.options.regions.is_empty() {
        true => vec![own.region.clone()],
        false => shared.options.regions.clone(),
    };
    let accounts: Vec<Who> =
        sessions.values().map(|session| Who { account: session.account, arn: session.arn.clone() }).collect();
    let write_manifest = |state| {
        let unread = shared.unread.lock().map(|unread| unread.clone()).unwrap_or_default();
        let manifest =
            Manifest { state, began, caller: &caller, accounts: &accounts, regions: &regions, unread: &unread };
        shared.write(manifest::PLACE, &manifest.to_text(time::OffsetDateTime::now_utc())).map(|()| unread)
    };
    write_manifest(State::Begun)?;
    shared.watch.event(Event::Accounts(sessions.len()));

    let members: Vec<AccountId> = wanted.clone();
    let of_organization = {
        let (shared, own) = (Arc::clone(&shared), own.clone());
        tokio::spawn(async move { organization::policies(&shared, &own, &members).await })
    };
    let found = each(&sessions, |session| first_look(Arc::clone(&shared), session, regions.clone())).await?;
    of_organization.await.map_err(super::ended)??;

    let named: BTreeSet<String> = found
        .values()
        .flat_map(|found| &found.trails)
        .filter_map(|trail| trail.bucket.clone())
        .chain(shared.options.log_buckets.iter().cloned())
        .collect();
    let named = Arc::new(named);
    let listed: BTreeMap<AccountId, Vec<Listed>> = found.iter().map(|(id, one)| (*id, one.buckets.clone())).collect();
    let listed = Arc::new(with_strays(listed, &named, &own));
    let default_keys = each(&sessions, |session| {
        buckets(Arc::clone(&shared), session, Arc::clone(&listed), Arc::clone(&named), regions.clone())
    })
    .await?;

    let of_trails = found.iter().flat_map(|(account, one)| {
        one.trails.iter().filter_map(|trail| Wanted::of_trail(*account, trail.key.as_deref()?))
    });
    let of_buckets = default_keys
        .into_iter()
        .flat_map(|(account, keys)| keys.into_iter().map(move |key| Wanted::of_bucket(account, key)));
    let wanted: BTreeSet<Wanted> = of_trails.chain(of_buckets).collect();
    let mut tasks = JoinSet::new();
    for key in wanted {
        let shared = Arc::clone(&shared);
        let session = sessions.get(&key.account).unwrap_or(&own).clone();
        tasks.spawn(async move { keys::collect(&shared, &session, &key).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(super::ended)??;
    }
    let mut unread = write_manifest(State::Finished)?;
    unread.sort();
    let calls = shared.gate.asked();
    Ok(Collection { caller, accounts, unread, calls, files: shared.store.written() })
}

/// The accounts that were asked for.
async fn wanted(shared: &Shared, own: &Session) -> Result<Vec<AccountId>, LiveError> {
    let members = organization::members(shared, own).await?;
    Ok(match &shared.options.accounts {
        Accounts::Own => vec![own.account],
        Accounts::Listed(accounts) => accounts.clone(),
        Accounts::Organization => {
            members.active.ok_or_else(|| LiveError::NoAccounts(members.refusal.unwrap_or_default()))?
        }
    })
}

/// Somebody to ask as, for each account.
async fn sessions(
    shared: &Arc<Shared>,
    own: &Session,
    wanted: &[AccountId],
) -> Result<BTreeMap<AccountId, Session>, LiveError> {
    let mut sessions = BTreeMap::new();
    let mut tasks = JoinSet::new();
    for &account in wanted {
        if account == own.account {
            sessions.insert(account, own.clone());
            continue;
        }
        let (shared, own) = (Arc::clone(shared), own.clone());
        tasks.spawn(async move {
            let options = &shared.options;
            let role = options.role.as_deref().unwrap_or_default();
            let assumed = own.assume(account, role, options.external_id.as_deref(), &shared.gate).await;
            (account, assumed)
        });
    }
    while let Some(done) = tasks.join_next().await {
        match done.map_err(super::ended)? {
            (account, Ok(session)) => {
                sessions.insert(account, session);
            }
            (account, Err(refusal)) => {
                // Nothing is known of the account; its identities stand for all of it.
                let place = format!("{account}/iam/account-authorization-details.json");
                let question = Question { account, call: &call::ASSUME_ROLE, about: "", place };
                shared.keep(question, Err(refusal))?;
            }
        }
    }
    Ok(sessions)
}

/// What an account shows before it is known which buckets hold logs.
#[derive(Debug)]
struct Found {
    trails: Vec<trails::Found>,
    buckets: Vec<Listed>,
}

async fn first_look(shared: Arc<Shared>, session: Session, regions: Vec<String>) -> Result<Found, LiveError> {
    let (identities, trails, block, buckets) = tokio::join!(
        iam::collect(&shared, &session),
        trails::collect(&shared, &session, &regions),
        s3::block_public_access(&shared, &session),
        s3::list(&shared, &session),
    );
    identities?;
    block?;
    Ok(Found { trails: trails?, buckets: buckets?.unwrap_or_default() })
}

/// The buckets to look at in each account. Those that hold logs and are in no list are asked for as the credentials' own:
/// the listing may have been denied, or their account may not be read.
fn with_strays(
    mut listed: BTreeMap<AccountId, Vec<Listed>>,
    named: &BTreeSet<String>,
    own: &Session,
) -> BTreeMap<AccountId, Vec<Listed>> {
    let known: BTreeSet<&String> = listed.values().flatten().map(|bucket| &bucket.name).collect();
    let strays: Vec<Listed> = named
        .iter()
        .filter(|name| !known.contains(name))
        .map(|name| Listed { name: name.clone(), region: None })
        .collect();
    listed.entry(own.account).or_default().extend(strays);
    listed
}

async fn buckets(
    shared: Arc<Shared>,
    session: Session,
    listed: Arc<BTreeMap<AccountId, Vec<Listed>>>,
    named: Arc<BTreeSet<String>>,
    regions: Vec<String>,
) -> Result<Vec<s3::DefaultKey>, LiveError> {
    let regions = Arc::new(regions);
    let account = session.account;
    let mut tasks = JoinSet::new();
    for bucket in listed.get(&account).cloned().unwrap_or_default() {
        let (shared, session, named) = (Arc::clone(&shared), session.clone(), Arc::clone(&named));
        let regions = Arc::clone(&regions);
        tasks.spawn(async move { s3::collect(&shared, &session, &bucket, &named, &regions).await });
    }
    let mut keys = Vec::new();
    while let Some(done) = tasks.join_next().await {
        keys.extend(done.map_err(super::ended)??);
    }
    shared.watch.event(Event::Done(account));
    Ok(keys)
}

/// Does the same for every account, a few at once.
async fn each<T, F>(
    sessions: &BTreeMap<AccountId, Session>,
    mut work: impl FnMut(Session) -> F,
) -> Result<BTreeMap<AccountId, T>, LiveError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, LiveError>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(ACCOUNTS_AT_ONCE));
    let mut tasks = JoinSet::new();
    for (&account, session) in sessions {
        let (places, work) = (Arc::clone(&places), work(session.clone()));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            (account, work.await)
        });
    }
    let mut all = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (account, result) = done.map_err(super::ended)?;
        all.insert(account, result?);
    }
    Ok(all)
}
