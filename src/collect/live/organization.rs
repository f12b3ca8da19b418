//! The organization: its accounts, and the policies that bound what they may do.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{Account, PolicySummary, PolicyType};
use serde_json::Value;
use tokio::task::JoinSet;

use super::node::{Node, object};
use super::session::Session;
use super::shared::{Answer, Question, pages};
use super::store::component;
use super::{LiveError, Shared, call};
use crate::aws::AccountId;

/// The accounts of an organization, as they are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members {
    /// Those that are active; `None` where they could not be listed.
    pub(super) active: Option<Vec<AccountId>>,
    /// Why they could not be.
    pub(super) refusal: Option<String>,
}

fn question<'q>(session: &Session, call: &'q call::Call, about: &'q str, file: &str) -> Question<'q> {
    Question { account: session.account, call, about, place: format!("organization/{file}.json") }
}

/// The organization and its accounts.
pub(super) async fn members(shared: &Shared, session: &Session) -> Result<Members, LiveError> {
    let client = session.organizations();
    let asked = question(session, &call::DESCRIBE_ORGANIZATION, "", "organization");
    let described = shared
        .answer_of(
            asked,
            || client.describe_organization().send(),
            |answer| {
                let organization = answer.organization().map(|organization| {
                    object()
                        .maybe("Id", organization.id())
                        .maybe("Arn", organization.arn())
                        .maybe("FeatureSet", organization.feature_set().map(|set| set.as_str()))
                        .maybe("MasterAccountArn", organization.master_account_arn())
                        .maybe("MasterAccountId", organization.master_account_id())
                });
                object().maybe("Organization", organization)
            },
        )
        .await?;
    if described == Answer::Absent {
        return Ok(Members { active: None, refusal: Some("the account is in no organization".to_owned()) });
    }
    let listed = shared
        .answer(question(session, &call::LIST_ACCOUNTS, "", "accounts"), || async {
            let pages = pages(|marker| {
                let request = client.list_accounts().set_next_token(marker);
                async {
                    let page = shared.gate.ask(&call::LIST_ACCOUNTS, || request.send()).await?;
                    let items: Vec<Node> = page.accounts().iter().map(account).collect();
                    Ok((items, page.next_token().map(str::to_owned)))
                }
            });
            Ok(object().with("Accounts", pages.await?.into_iter().flatten().collect::<Node>()))
        })
        .await?;
    let refusal = match &listed {
        Answer::Unknown(refusal) => Some(refusal.to_string()),
        _ => None,
    };
    let accounts = listed.given().and_then(|value| value.get("Accounts")?.as_array());
    let is_active = |account: &&Value| account.get("Status").and_then(Value::as_str).is_none_or(|s| s == "ACTIVE");
    let id = |account: &Value| AccountId::parse(account.get("Id")?.as_str()?);
    let active = accounts.map(|accounts| accounts.iter().filter(is_active).filter_map(id).collect());
    Ok(Members { active, refusal })
}

/// Service and resource control policies, what they are attached to, and the way from each account to the root.
pub(super) async fn policies(shared: &Arc<Shared>, session: &Session, accounts: &[AccountId]) -> Result<(), LiveError> {
    let client = session.organizations();
    let roots = shared
        .answer(question(session, &call::LIST_ROOTS, "", "roots"), || async {
            let pages = pages(|marker| {
                let request = client.list_roots().set_next_token(marker);
                async {
                    let page = shared.gate.ask(&call::LIST_ROOTS, || request.send()).await?;
                    let items = page.roots().iter().map(|root| {
                        let kinds = root.policy_types().iter().map(|kind| {
                            object()
                                .maybe("Type", kind.r#type().map(|kind| kind.as_str()))
                                .maybe("Status", kind.status().map(|status| status.as_str()))
                        });
                        object()
                            .maybe("Id", root.id())
                            .maybe("Arn", root.arn())
                            .maybe("Name", root.name())
                            .with("PolicyTypes", kinds.collect::<Node>())
                    });
                    let items: Vec<Node> = items.collect();
                    Ok((items, page.next_token().map(str::to_owned)))
                }
            });
            Ok(object().with("Roots", pages.await?.into_iter().flatten().collect::<Node>()))
        })
        .await?;
    // Who may not see the root may see none of what follows; one refusal says it.
    if matches!(roots, Answer::Unknown(ref refusal) if refusal.is_denied()) {
        return Ok(());
    }
    parents(shared, session, accounts).await?;
    for kind in [PolicyType::ServiceControlPolicy, PolicyType::ResourceControlPolicy] {
        of_kind(shared, session, &client, kind).await?;
    }
    Ok(())
}

/// The way up from each account.
async fn parents(shared: &Arc<Shared>, session: &Session, accounts: &[AccountId]) -> Result<(), LiveError> {
    let mut children: BTreeSet<String> = accounts.iter().map(ToString::to_string).collect();
    let mut seen = BTreeSet::new();
    while !children.is_empty() {
        let mut tasks = JoinSet::new();
        for child in std::mem::take(&mut children) {
            if !seen.insert(child.clone()) {
                continue;
            }
            let (shared, session) = (Arc::clone(shared), session.clone());
            tasks.spawn(async move { parents_of(&shared, &session, &child).await });
        }
        while let Some(done) = tasks.join_next().await {
            children.extend(done.map_err(super::ended)??);
        }
    }
    Ok(())
}

async fn parents_of(shared: &Shared, session: &Session, child: &str) -> Result<Vec<String>, LiveError> {
    let client = session.organizations();
    let file = format!("parents/{}", component(child));
    let answer = shared
        .answer(question(session, &call::LIST_PARENTS, child, &file), || async {
            let pages = pages(|marker| {
                let request = client.list_parents().child_id(child).set_next_token(marker);
                async {
                    let page = shared.gate.ask(&call::LIST_PARENTS, || request.send()).await?;
                    let items = page.parents().iter().map(|parent| {
                        object().maybe("Id", parent.id()).maybe("Type", parent.r#type().map(|kind| kind.as_str()))
                    });
                    let items: Vec<Node> = items.collect();
                    Ok((items, page.next_token().map(str::to_owned)))
                }
            });
            Ok(object().with("Parents", pages.await?.into_iter().flatten().collect::<Node>()))
        })
        .await?;
    let parents = answer.given().and_then(|value| value.get("Parents")?.as_array()).into_iter().flatten();
    // The root has no parent.
    let unit = parents.filter_map(|parent| parent.get("Id")?.as_str()).filter(|id| id.starts_with("ou-"));
    Ok(unit.map(str::to_owned).collect())
}

async fn of_kind(shared: &Arc<Shared>, session: &Session, client: &Client, kind: PolicyType) -> Result<(), LiveError> {
    let listed = pages(|marker| {
        let request = client.list_policies().filter(kind.clone()).set_next_token(marker);
        async {
            let page = shared.gate.ask(&call::LIST_POLICIES, || request.send()).await?;
            Ok((page.policies().to_vec(), page.next_token().map(str::to_owned)))
        }
    });
    let policies: Vec<PolicySummary> = match listed.await {
        Ok(pages) => pages.into_iter().flatten().collect(),
        // None of this kind is in force.
        Err(refusal) if refusal.code == "PolicyTypeNotEnabledException" => return Ok(()),
        Err(refusal) => {
            shared.unread(&question(session, &call::LIST_POLICIES, kind.as_str(), ""), &refusal, false);
            return Ok(());
        }
    };
    let mut tasks = JoinSet::new();
    for policy in policies {
        let (shared, session) = (Arc::clone(shared), session.clone());
        tasks.spawn(async move { policy_of(&shared, &session, policy.id().unwrap_or_default()).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(super::ended)??;
    }
    Ok(())
}

async fn policy_of(shared: &Shared, session: &Session, id: &str) -> Result<(), LiveError> {
    let client = session.organizations();
    let file = |name: &str| format!("policies/{}/{name}", component(id));
    let asked = question(session, &call::DESCRIBE_POLICY, id, &file("policy"));
    shared
        .answer_of(
            asked,
            || client.describe_policy().policy_id(id).send(),
            |answer| {
                let policy = answer.policy().map(|policy| {
                    object()
                        .maybe("PolicySummary", policy.policy_summary().map(summary))
                        .maybe("Content", policy.content())
                });
                object().maybe("Policy", policy)
            },
        )
        .await?;
    shared
        .answer(question(session, &call::LIST_TARGETS_FOR_POLICY, id, &file("targets")), || async {
            let pages = pages(|marker| {
                let request = client.list_targets_for_policy().policy_id(id).set_next_token(marker);
                async {
                    let page = shared.gate.ask(&call::LIST_TARGETS_FOR_POLICY, || request.send()).await?;
                    let items = page.targets().iter().map(|target| {
                        object()
                            .maybe("TargetId", target.target_id())
                            .maybe("Arn", target.arn())
                            .maybe("Name", target.name())
                            .maybe("Type", target.r#type().map(|kind| kind.as_str()))
                    });
                    let items: Vec<Node> = items.collect();
                    Ok((items, page.next_token().map(str::to_owned)))
                }
            });
            Ok(object().with("Targets", pages.await?.into_iter().flatten().collect::<Node>()))
        })
        .await
        .map(drop)
}

fn account(account: &Account) -> Node {
    object()
        .maybe("Id", account.id())
        .maybe("Arn", account.arn())
        .maybe("Email", account.email())
        .maybe("Name", account.name())
        .maybe("Status", account.status().map(|status| status.as_str()))
}

fn summary(policy: &PolicySummary) -> Node {
    object()
        .maybe("Id", policy.id())
        .maybe("Arn", policy.arn())
        .maybe("Name", policy.name())
        .maybe("Description", policy.description())
        .maybe("Type", policy.r#type().map(|kind| kind.as_str()))
        .with("AwsManaged", policy.aws_managed())
}
