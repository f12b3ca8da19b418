//! Any JSON as a policy of any kind: it is read without panic, its places lie in the text, and every statement can be
//! put to the evaluator.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailproof::access::evaluate::{Policies, Side, decide, explain};
use trailproof::access::pattern_set::{arn_covers, arns_overlap};
use trailproof::access::request::{Caller, Otherwise, Request};
use trailproof::estate::read_policy;
use trailproof::policy::{PolicyKind, kind_of, template};
use trailproof::syntax::json::Tape;
use trailproof::text::SourceId;
use trailproof::text::embedded::Place;

fuzz_target!(|text: &str| {
    let place = Place::direct(SourceId::new(0), 0);
    let mut tape = Tape::new();
    let Ok(json) = tape.read(text, &place) else { return };
    kind_of(json);
    for kind in [PolicyKind::Trust, PolicyKind::Identity, PolicyKind::Bucket, PolicyKind::Key, PolicyKind::Scp] {
        let Ok(policy) = read_policy(json, kind) else { return };
        for statement in &policy.statements {
            let span = statement.span;
            assert!(text.get(span.start as usize..span.end as usize).is_some());
            assert_eq!(statement.normal_form(), statement.clone().normal_form());
            for item in statement.resources.iter().flat_map(|r| &r.items) {
                template::mistakes(item.raw());
                if item.raw().len() < 200 {
                    arns_overlap(item.raw(), "arn:aws:s3:::b/AWSLogs/*");
                    arn_covers(item.raw(), "arn:aws:s3:::b/AWSLogs/*");
                }
            }
        }
        for caller in ["arn:aws:sts::111111111111:assumed-role/r/s", "cloudtrail.amazonaws.com", "anonymous"] {
            let Some(caller) = Caller::parse(caller) else { continue };
            let mut request = Request::new(caller, "s3:GetObject", "arn:aws:s3:::b/k", None)
                .with("aws:PrincipalOrgID", "o-exampleorgid")
                .with("aws:SourceIp", "203.0.113.7");
            request.otherwise = Otherwise::Situation;
            let list = [&policy];
            let side = Side::Policies(&list);
            let policies = Policies { identity: side, resource: side, ..Policies::default() };
            assert_eq!(decide(&request, &policies), explain(&request, &policies).decision);
        }
    }
});
