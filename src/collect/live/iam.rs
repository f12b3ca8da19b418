//! Users, groups, roles and managed policies of an account.

use std::sync::Arc;

use aws_sdk_iam::Client;
use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};
use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail, PolicyDetail,
    PolicyVersion, Role, RoleDetail, RoleLastUsed, Tag, UserDetail,
};
use tokio::task::JoinSet;

use super::node::{Node, object};
use super::refusal::Refusal;
use super::session::Session;
use super::shared::{Answer, Question, pages};
use super::store::component;
use super::{LiveError, Shared, call};
use crate::aws::managed::is_of_aws;

/// Everything at once where that is allowed, else role by role.
pub(super) async fn collect(shared: &Arc<Shared>, session: &Session) -> Result<(), LiveError> {
    let question = Question {
        account: session.account,
        call: &call::GET_ACCOUNT_AUTHORIZATION_DETAILS,
        about: "",
        place: format!("{}/iam/account-authorization-details.json", session.account),
    };
    if shared.stored(&question.place).is_some() {
        return Ok(());
    }
    let client = session.iam();
    let details = details(shared, &client).await;
    match details {
        Err(refusal) if refusal.is_denied() => {
            shared.unread(&question, &refusal, false);
            by_role(shared, session, question, refusal).await
        }
        details => shared.keep(question, details).map(drop),
    }
}

async fn details(shared: &Shared, client: &Client) -> Result<Node, Refusal> {
    let pages = pages(|marker| async {
        // Without a filter some servers leave out the managed policies of AWS.
        let request = client
            .get_account_authorization_details()
            .filter(EntityType::User)
            .filter(EntityType::Group)
            .filter(EntityType::Role)
            .filter(EntityType::LocalManagedPolicy)
            .filter(EntityType::AwsManagedPolicy)
            .max_items(1000)
            .set_marker(marker);
        let page = shared.gate.ask(&call::GET_ACCOUNT_AUTHORIZATION_DETAILS, || request.send()).await?;
        let items = [
            page.user_detail_list().iter().map(user_detail).collect::<Vec<_>>(),
            page.group_detail_list().iter().map(group_detail).collect(),
            page.role_detail_list().iter().map(role_detail).collect(),
            page.policies().iter().filter(is_of_use).map(managed_policy).collect(),
        ];
        Ok((items, page.marker().filter(|_| page.is_truncated()).map(str::to_owned)))
    });
    let mut lists = [const { Vec::new() }; 4];
    for page in pages.await? {
        lists.iter_mut().zip(page).for_each(|(list, items)| list.extend(items));
    }
    let names = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    Ok(names.into_iter().zip(lists).fold(object(), |all, (name, list)| all.with(name, Node::List(list))))
}

/// Whether a managed policy is the customer's, or one of AWS's that somebody carries: some servers list all of AWS's.
fn is_of_use(policy: &&ManagedPolicyDetail) -> bool {
    let is_attached = policy.attachment_count().is_none_or(|count| count > 0);
    let bounds = policy.permissions_boundary_usage_count().is_some_and(|count| count > 0);
    !policy.arn().is_some_and(is_of_aws) || is_attached || bounds
}

/// Role by role; users and groups stay unknown, as they reach logs of other accounts through roles only.
async fn by_role(
    shared: &Arc<Shared>,
    session: &Session,
    question: Question<'_>,
    refused: Refusal,
) -> Result<(), LiveError> {
    let client = session.iam();
    let names = pages(|marker| async {
        let page = shared.gate.ask(&call::LIST_ROLES, || client.list_roles().max_items(1000).set_marker(marker).send());
        let page = page.await?;
        let names: Vec<String> = page.roles().iter().map(|role| role.role_name().to_owned()).collect();
        Ok((names, page.marker().filter(|_| page.is_truncated()).map(str::to_owned)))
    });
    let names: Vec<String> = match names.await {
        Ok(names) => names.into_iter().flatten().collect(),
        Err(refusal) => {
            let listing = Question { call: &call::LIST_ROLES, ..question.clone() };
            shared.unread(&listing, &refusal, false);
            return shared.keep(question, Err(refused)).map(drop);
        }
    };
    let mut tasks = JoinSet::new();
    for name in names {
        let (shared, session) = (Arc::clone(shared), session.clone());
        tasks.spawn(async move { role(&shared, &session, &name).await });
    }
    let mut policies = std::collections::BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        policies.extend(done.map_err(super::ended)??);
    }
    let mut tasks = JoinSet::new();
    for arn in policies {
        let (shared, session) = (Arc::clone(shared), session.clone());
        tasks.spawn(async move { policy(&shared, &session, &arn).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(super::ended)??;
    }
    Ok(())
}

/// A role with its policies; gives the ARNs of those that are attached to it.
async fn role(shared: &Shared, session: &Session, name: &str) -> Result<Vec<String>, LiveError> {
    let client = session.iam();
    let folder = format!("{}/iam/roles/{}", session.account, component(name));
    let question = |call, file: &str| Question {
        account: session.account,
        call,
        about: name,
        place: format!("{folder}/{file}.json"),
    };
    shared
        .answer_of(
            question(&call::GET_ROLE, "role"),
            || client.get_role().role_name(name).send(),
            |answer| object().maybe("Role", answer.role().map(role_of)),
        )
        .await?;
    let inline = shared
        .answer(question(&call::LIST_ROLE_POLICIES, "policies"), || async {
            let pages = pages(|marker| async {
                let request = client.list_role_policies().role_name(name).set_marker(marker);
                let page = shared.gate.ask(&call::LIST_ROLE_POLICIES, || request.send()).await?;
                Ok((page.policy_names().to_vec(), page.marker().filter(|_| page.is_truncated()).map(str::to_owned)))
            });
            Ok(object().with("PolicyNames", pages.await?.into_iter().flatten().collect::<Vec<String>>()))
        })
        .await?;
    for policy in texts(&inline, "PolicyNames", None) {
        let file = format!("policies/{}", component(&policy));
        let request = client.get_role_policy().role_name(name).policy_name(&policy);
        shared
            .answer_of(
                question(&call::GET_ROLE_POLICY, &file),
                || request.send(),
                |answer| {
                    object()
                        .with("RoleName", answer.role_name())
                        .with("PolicyName", answer.policy_name())
                        .with("PolicyDocument", Node::document(answer.policy_document()))
                },
            )
            .await?;
    }
    let attached = shared
        .answer(question(&call::LIST_ATTACHED_ROLE_POLICIES, "attached-policies"), || async {
            let pages = pages(|marker| async {
                let request = client.list_attached_role_policies().role_name(name).set_marker(marker);
                let page = shared.gate.ask(&call::LIST_ATTACHED_ROLE_POLICIES, || request.send()).await?;
                let items: Vec<Node> = page.attached_policies().iter().map(attached).collect();
                Ok((items, page.marker().filter(|_| page.is_truncated()).map(str::to_owned)))
            });
            Ok(object().with("AttachedPolicies", pages.await?.into_iter().flatten().collect::<Node>()))
        })
        .await?;
    Ok(texts(&attached, "AttachedPolicies", Some("PolicyArn")))
}

/// A managed policy in the version that counts.
async fn policy(shared: &Shared, session: &Session, arn: &str) -> Result<(), LiveError> {
    let client = session.iam();
    let name = arn.rsplit('/').next().unwrap_or(arn);
    // AWS and the customer may both have a policy of one name.
    let folder = match is_of_aws(arn) {
        true => format!("aws-{}", component(name)),
        false => component(name),
    };
    let question = |call, file: &str| Question {
        account: session.account,
        call,
        about: arn,
        place: format!("{}/iam/policies/{folder}/{file}.json", session.account),
    };
    let described = shared
        .answer_of(
            question(&call::GET_POLICY, "policy"),
            || client.get_policy().policy_arn(arn).send(),
            |answer| {
                object().maybe(
                    "Policy",
                    answer.policy().map(|policy| {
                        object()
                            .maybe("PolicyName", policy.policy_name())
                            .maybe("PolicyId", policy.policy_id())
                            .maybe("Arn", policy.arn())
                            .maybe("Path", policy.path())
                            .maybe("DefaultVersionId", policy.default_version_id())
                            .maybe("AttachmentCount", policy.attachment_count())
                            .with("IsAttachable", policy.is_attachable())
                            .maybe("UpdateDate", policy.update_date().map(date))
                    }),
                )
            },
        )
        .await?;
    let version = described.given().and_then(|value| value.pointer("/Policy/DefaultVersionId")?.as_str());
    let Some(version) = version else { return Ok(()) };
    let request = client.get_policy_version().policy_arn(arn).version_id(version);
    let question = question(&call::GET_POLICY_VERSION, "policy-version");
    let told = |answer: &aws_sdk_iam::operation::get_policy_version::GetPolicyVersionOutput| {
        object().maybe("PolicyVersion", answer.policy_version().map(policy_version))
    };
    shared.answer_of(question, || request.send(), told).await.map(drop)
}

/// The texts of a list in an answer: its items, or a field of each.
fn texts(answer: &Answer, list: &str, field: Option<&str>) -> Vec<String> {
    let items = answer.given().and_then(|value| value.get(list)?.as_array()).into_iter().flatten();
    let text = |item: &serde_json::Value| match field {
        Some(field) => Some(item.get(field)?.as_str()?.to_owned()),
        None => item.as_str().map(str::to_owned),
    };
    items.filter_map(text).collect()
}

fn date(date: &DateTime) -> String {
    date.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

fn user_detail(user: &UserDetail) -> Node {
    object()
        .maybe("Path", user.path())
        .maybe("UserName", user.user_name())
        .maybe("UserId", user.user_id())
        .maybe("Arn", user.arn())
        .maybe("CreateDate", user.create_date().map(date))
        .with("UserPolicyList", user.user_policy_list().iter().map(inline).collect::<Node>())
        .with("GroupList", user.group_list().to_vec())
        .with("AttachedManagedPolicies", user.attached_managed_policies().iter().map(attached).collect::<Node>())
        .maybe("PermissionsBoundary", user.permissions_boundary().map(boundary))
        .with("Tags", user.tags().iter().map(tag).collect::<Node>())
}

fn group_detail(group: &GroupDetail) -> Node {
    object()
        .maybe("Path", group.path())
        .maybe("GroupName", group.group_name())
        .maybe("GroupId", group.group_id())
        .maybe("Arn", group.arn())
        .maybe("CreateDate", group.create_date().map(date))
        .with("GroupPolicyList", group.group_policy_list().iter().map(inline).collect::<Node>())
        .with("AttachedManagedPolicies", group.attached_managed_policies().iter().map(attached).collect::<Node>())
}

fn role_detail(role: &RoleDetail) -> Node {
    object()
        .maybe("Path", role.path())
        .maybe("RoleName", role.role_name())
        .maybe("RoleId", role.role_id())
        .maybe("Arn", role.arn())
        .maybe("CreateDate", role.create_date().map(date))
        .maybe("AssumeRolePolicyDocument", role.assume_role_policy_document().map(Node::document))
        .with("RolePolicyList", role.role_policy_list().iter().map(inline).collect::<Node>())
        .with("AttachedManagedPolicies", role.attached_managed_policies().iter().map(attached).collect::<Node>())
        .maybe("PermissionsBoundary", role.permissions_boundary().map(boundary))
        .with("Tags", role.tags().iter().map(tag).collect::<Node>())
        .maybe("RoleLastUsed", role.role_last_used().map(last_used))
}

fn role_of(role: &Role) -> Node {
    object()
        .with("Path", role.path())
        .with("RoleName", role.role_name())
        .with("RoleId", role.role_id())
        .with("Arn", role.arn())
        .with("CreateDate", date(role.create_date()))
        .maybe("AssumeRolePolicyDocument", role.assume_role_policy_document().map(Node::document))
        .maybe("Description", role.description())
        .maybe("MaxSessionDuration", role.max_session_duration())
        .maybe("PermissionsBoundary", role.permissions_boundary().map(boundary))
        .with("Tags", role.tags().iter().map(tag).collect::<Node>())
        .maybe("RoleLastUsed", role.role_last_used().map(last_used))
}

fn managed_policy(policy: &ManagedPolicyDetail) -> Node {
    object()
        .maybe("PolicyName", policy.policy_name())
        .maybe("PolicyId", policy.policy_id())
        .maybe("Arn", policy.arn())
        .maybe("Path", policy.path())
        .maybe("DefaultVersionId", policy.default_version_id())
        .maybe("AttachmentCount", policy.attachment_count())
        .maybe("PermissionsBoundaryUsageCount", policy.permissions_boundary_usage_count())
        .with("IsAttachable", policy.is_attachable())
        .maybe("UpdateDate", policy.update_date().map(date))
        .with("PolicyVersionList", policy.policy_version_list().iter().map(policy_version).collect::<Node>())
}

fn policy_version(version: &PolicyVersion) -> Node {
    object()
        .maybe("Document", version.document().map(Node::document))
        .maybe("VersionId", version.version_id())
        .with("IsDefaultVersion", version.is_default_version())
        .maybe("CreateDate", version.create_date().map(date))
}

fn inline(policy: &PolicyDetail) -> Node {
    object()
        .maybe("PolicyName", policy.policy_name())
        .maybe("PolicyDocument", policy.policy_document().map(Node::document))
}

fn attached(policy: &AttachedPolicy) -> Node {
    object().maybe("PolicyName", policy.policy_name()).maybe("PolicyArn", policy.policy_arn())
}

fn boundary(boundary: &AttachedPermissionsBoundary) -> Node {
    object()
        .maybe("PermissionsBoundaryType", boundary.permissions_boundary_type().map(|kind| kind.as_str()))
        .maybe("PermissionsBoundaryArn", boundary.permissions_boundary_arn())
}

fn tag(tag: &Tag) -> Node {
    object().with("Key", tag.key()).with("Value", tag.value())
}

fn last_used(used: &RoleLastUsed) -> Node {
    object().maybe("LastUsedDate", used.last_used_date().map(date)).maybe("Region", used.region())
}
