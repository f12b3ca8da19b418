//! The trails that a bucket or key policy is written for, where no input describes them.

use crate::access::delivery::{self, Delivery, log_object, of_source};
use crate::access::pattern_set::arns_overlap;
use crate::aws::{AccountId, partition_of};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::delivery::Destination;
use crate::rules::shared::refusal::{Call, Refusals};
use crate::rules::shared::senders::{Meant, Sender, meant};
use crate::rules::shared::trail_calls::{Called, Calls, Headers, Source, allowed_for};

/// A bucket policy that is searched for trails that it is written for and does not let through.
pub(in crate::rules) struct Implied<'i, 'p, 'a> {
    /// What checks read.
    pub(in crate::rules) context: &'i Context<'a>,
    /// The bucket.
    pub(in crate::rules) view: &'i BucketView<'i>,
    /// What decides.
    pub(in crate::rules) calls: &'i Calls<'p, 'a>,
    /// The trails that are known.
    pub(in crate::rules) senders: &'i [Sender],
}

impl<'p> Implied<'_, 'p, '_> {
    /// Asks for each path that CloudTrail is meant to write to whether some trail of its account can; whether the policy is
    /// written for CloudTrail at all.
    pub(in crate::rules) fn look(&self, found: &mut Refusals<'p>) -> bool {
        let policy = self.calls.policy();
        let arn = self.view.arn();
        let through = |statement| Some((statement, Delivery::through(policy, statement, partition_of(&arn))?));
        let statements: Vec<(&Statement, Delivery<'_>)> = policy.allows().filter_map(through).collect();
        let of_service = statements.iter().filter(|(_, delivery)| delivery.is_of_service());
        let deliveries: Vec<&Delivery<'_>> = of_service.map(|(_, delivery)| delivery).collect();
        let mut resources = statements.iter().filter_map(|(statement, _)| statement.resources.as_ref());
        let is_of_organization = self.senders.iter().any(Sender::is_of_organization)
            || resources.any(|entries| {
                entries.items.iter().any(|item| matches!(meant(item.raw()), Some(Meant::Organization(_))))
            });
        let mut writes = false;
        let mut reads: Option<Vec<Source>> = None;
        for (statement, delivery) in &statements {
            if statement.covers_action("s3:PutObject") {
                writes = true;
                if delivery.is_of_service() {
                    self.paths(&arn, statement, &deliveries, is_of_organization, found);
                }
            } else if statement.covers_action("s3:GetBucketAcl") && delivery.is_of_service() {
                reads.get_or_insert_with(|| self.sources(&[delivery], self.own_account(), None));
            }
        }
        match reads {
            // It may look, and there is nothing that it may write.
            Some(sources) if !writes && self.senders.is_empty() => {
                if let Some(source) = sources.first() {
                    let folder = format!("AWSLogs/{}/", source.account);
                    let object = log_object(&arn, &format!("{arn}/{folder}*"), source.account);
                    let called = self.calls.write(&object, source, &Headers::Unknown);
                    found.add(self.calls, Call::Write(folder), called, &self.who(source), source, None);
                }
                true
            }
            reads => writes || reads.is_some(),
        }
    }

    fn paths(
        &self,
        arn: &str,
        statement: &Statement,
        deliveries: &[&Delivery<'_>],
        is_of_organization: bool,
        found: &mut Refusals<'p>,
    ) {
        let Some(resources) = &statement.resources else { return };
        let texts: Vec<&str> = match resources.negated {
            true => vec!["*"],
            false => resources.items.iter().map(|item| item.raw()).collect(),
        };
        for text in texts {
            // What is not in this bucket is `other-bucket-in-policy`.
            if !arns_overlap(text, &format!("{arn}/*")) {
                continue;
            }
            let Some(whose) = meant(text).filter(|whose| !self.is_known(whose)) else { continue };
            // An organization trail logs for its members: a path that one of them had for itself may be left over.
            let management = self.context.model.management();
            if matches!(whose, Meant::Account(account) if is_of_organization && Some(account) != management) {
                continue;
            }
            // A path of an account that is certainly not ours is `broad-delivery-path`.
            let bucket = Destination::bucket(self.context, self.view);
            let is_foreign = |account| self.context.model.members_are_complete() && !bucket.is_ours(account);
            if matches!(whose, Meant::Account(account) if is_foreign(account)) {
                continue;
            }
            let (otherwise, only) = match &whose {
                Meant::Account(account) => (*account, Some(*account)),
                Meant::Organization(_) => (management.unwrap_or_else(|| self.own_account()), management),
                Meant::Any => (self.own_account(), None),
            };
            self.path(arn, text, &whose, &self.sources(deliveries, otherwise, only), found);
        }
    }

    /// Asks for one path whether one of these trails can write there, and do what else it takes.
    fn path(&self, arn: &str, text: &str, whose: &Meant, sources: &[Source], found: &mut Refusals<'p>) {
        let write = |source: &Source| self.calls.write(&self.object(arn, text, source), source, &Headers::Unknown);
        let folder = |source: &Source| folder_of(arn, &self.object(arn, text, source));
        let writers = self.any(sources, &write, &|source| Call::Write(folder(source)), found);
        if writers.is_empty() {
            return;
        }
        let acl = |source: &Source| self.calls.read_acl(arn, source);
        self.any(&writers, &acl, &|_| Call::ReadAcl, found);
        if let Meant::Organization(prefix) = whose {
            let alone = |source: &Source| format!("{prefix}AWSLogs/{}/", source.account);
            let write = |source: &Source| {
                let object = self.object(arn, &format!("{arn}/{}*", alone(source)), source);
                self.calls.write(&object, source, &Headers::Unknown)
            };
            self.any(&writers, &write, &|source| Call::Write(alone(source)), found);
        }
    }

    /// The trails that a call is allowed for; where there is none, what is said of the first.
    fn any(
        &self,
        sources: &[Source],
        ask: &dyn Fn(&Source) -> Called,
        call: &dyn Fn(&Source) -> Call,
        found: &mut Refusals<'p>,
    ) -> Vec<Source> {
        allowed_for(sources, ask).unwrap_or_else(|best| {
            if let Some((called, source)) = best {
                found.add(self.calls, call(source), called, &self.who(source), source, None);
            }
            Vec::new()
        })
    }

    /// An object that a trail would write where the text of a `Resource` says.
    fn object(&self, arn: &str, text: &str, source: &Source) -> String {
        let known = || self.context.model.organization_id().map(|known| known.id.clone());
        let source = delivery::Source {
            trail: source.arn.clone(),
            account: source.account,
            organization: source.organization.clone().or_else(known),
        };
        of_source(&log_object(arn, text, source.account), &source)
    }

    /// Whether the trails that write to a folder are known, so that the policy need not tell of them.
    fn is_known(&self, whose: &Meant) -> bool {
        let of = |account: AccountId| self.context.estate.trails.iter().any(|trail| trail.account == Some(account));
        match whose {
            Meant::Account(account) => of(*account) || self.senders.iter().any(|s| s.source.account == *account),
            Meant::Organization(_) | Meant::Any => !self.senders.is_empty(),
        }
    }

    /// The trails that the statements for CloudTrail speak of, and one of `otherwise`; only those of one account, where that
    /// is known.
    fn sources(&self, deliveries: &[&Delivery<'_>], otherwise: AccountId, only: Option<AccountId>) -> Vec<Source> {
        let mut all: Vec<Source> = Vec::new();
        let known = self.context.model.organization_id();
        let log_bucket = self.context.model.log_bucket(&self.view.bucket.name);
        let delivering = log_bucket.into_iter().flat_map(|bucket| bucket.delivering.keys().copied());
        let accounts: Vec<AccountId> = [otherwise].into_iter().chain(delivering.filter(|_| only.is_none())).collect();
        let named = deliveries.iter().flat_map(|delivery| accounts.iter().map(move |account| (delivery, *account)));
        let named = named.flat_map(|(delivery, account)| delivery.named_sources(account));
        for delivery::Source { trail, account, organization } in named {
            let is_other = only.is_some_and(|only| only != account);
            // Of an organization that is known the trails are in no other.
            if is_other || organization.is_some() && known.is_some() {
                continue;
            }
            let source = Source { arn: trail, account, organization };
            let is_new = |other: &Source| other.arn != source.arn || other.organization != source.organization;
            if all.iter().all(is_new) {
                all.push(source);
            }
        }
        all
    }

    fn own_account(&self) -> AccountId {
        Destination::bucket(self.context, self.view).own_account()
    }

    fn who(&self, source: &Source) -> String {
        who(self.context, source)
    }
}

/// What messages call a trail that nothing but a policy tells of.
pub(in crate::rules) fn who(context: &Context<'_>, source: &Source) -> String {
    let name = source.arn.rsplit_once("trail/").map_or("", |(_, name)| name);
    let is_made_up = source.arn.contains(crate::access::search::STRANGER) || name == "x" || name.is_empty();
    match is_made_up {
        true => format!("a trail of account {}", context.model.label(source.account)),
        false => format!("trail `{name}` of account {}", context.model.label(source.account)),
    }
}

/// The folder of an object: its key up to the kind of file.
fn folder_of(bucket: &str, object: &str) -> String {
    let key = object.strip_prefix(bucket).unwrap_or(object).trim_start_matches('/');
    match key.split_once("CloudTrail") {
        Some((folder, _)) => folder.to_owned(),
        None => key.to_owned(),
    }
}
