use crate::estate::Grantee;
use crate::finding::{Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::acl::{self, Force, lets, name, of_groups};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(known) = view.bucket.acl.get()? else { return Ok(Verdict::Pass) };
    let bucket = &view.subject.name;
    let mut findings = Vec::new();
    for grant in &known.grants {
        let (group, who) = match &grant.grantee {
            Grantee::AllUsers => ("AllUsers", "anyone"),
            Grantee::AuthenticatedUsers => ("AuthenticatedUsers", "any AWS account"),
            _ => continue,
        };
        let permission = name(&grant.permission);
        let start = Finding::at(grant.span, format!("{permission} for {who}"));
        let finding = match of_groups(context, view) {
            Force::Counts(unless) => start
                .message(format!(
                    "{who} can {} `{bucket}`: its ACL grants {permission} to {group}{}",
                    lets(&grant.permission),
                    acl::unless(&unless),
                ))
                .depends_on(unless.into_iter().map(|(fact, _)| fact))
                .help("remove the grant, and turn on all four settings of block public access"),
            Force::Dormant(why) => start
                .message(format!("the ACL of `{bucket}` grants {permission} to {group}, which is dormant: {why}"))
                .level(Level::Note)
                .help("remove the grant, so that no change of a setting brings it back"),
        };
        findings.push(finding.about(group).about(permission));
    }
    Ok(Verdict::of(findings))
}
