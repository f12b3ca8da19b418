//! Why nobody of an account is let in.

use super::{Membership, Trust};
use crate::access::evaluate::{Explanation, Policies, Side, explain};
use crate::access::request::{Otherwise, Request};
use crate::access::search::principals_of;
use crate::aws::AccountId;

impl Trust<'_> {
    /// Why no principal of `account` can do `action` on the role, its administrators willing: by whoever comes nearest to it.
    pub fn refusal(&self, account: AccountId, membership: &Membership, action: &str) -> Explanation {
        let policies = [self.policy];
        let keys = membership.keys().into_iter().next().unwrap_or_default();
        let explained = principals_of(account, policies).into_iter().map(|caller| {
            let mut request = Request::new(caller, action, self.role, self.account);
            request.otherwise = Otherwise::Situation;
            keys.iter().for_each(|(key, given)| request.set(key, given.clone()));
            let policies = Policies {
                identity: Side::Granted(""),
                resource: Side::Policies(&policies),
                rcp: self.rcp,
                scp: self.scp,
                ..Policies::default()
            };
            explain(&request, &policies)
        });
        let mut first = None;
        for explanation in explained {
            if explanation.is_near {
                return explanation;
            }
            first = first.or(Some(explanation));
        }
        first.unwrap_or_else(Explanation::nothing)
    }
}
