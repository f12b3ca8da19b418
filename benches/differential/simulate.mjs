// Answers a file of `trailproof simulate --cases` with @cloud-copilot/iam-simulate: one JSON line for each case, in order.
//
//   node simulate.mjs cases.json
//
// {"id": "1", "decision": "allowed|explicit-deny|implicit-deny"}, or {"id": "1", "error": "…"} where the package takes no such case.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const NAME = "@cloud-copilot/iam-simulate";
const { anonymousPrincipal, runSimulation } = await load();

/** The package, installed here or wherever the environment says. */
async function load() {
  const folder = process.env.TRAILPROOF_IAM_SIMULATE;
  const from = folder ? pathToFileURL(`${folder}/package.json`) : import.meta.url;
  return import(pathToFileURL(createRequire(from).resolve(NAME)).href);
}

const ALLOW_ALL = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

const DECISIONS = { Allowed: "allowed", ExplicitlyDenied: "explicit-deny", ImplicitlyDenied: "implicit-deny" };

/** Who asks: the form of the principal decides the keys a request carries. */
function caller(text) {
  if (text === "anonymous") return { kind: "anonymous" };
  if (/^\d{12}$/.test(text)) return { kind: "root", account: text, arn: `arn:aws:iam::${text}:root` };
  const arn = /^arn:aws:(iam|sts)::(\d{12}):([^/]+)\/?(.*)$/.exec(text);
  if (!arn) return { kind: "service", name: text };
  const [, , account, type, rest] = arn;
  const kind = { root: "root", user: "user", role: "session", "assumed-role": "session", "federated-user": "federated" }[type];
  if (!kind) throw new Error(`no form of principal is known for ${text}`);
  if (type !== "role") return { kind, account, arn: text, rest };
  // A role stands for a session of it with a name that nothing names.
  const session = `${rest.split("/").at(-1)}/session-without-a-known-name`;
  return { kind, account, arn: `arn:aws:sts::${account}:assumed-role/${session}`, rest: session, role: text };
}

/** The keys that follow from the request itself, as the IAM User Guide lists them for each kind of principal. */
function derived(who, request) {
  const keys = {};
  if (who.account) {
    keys["aws:PrincipalAccount"] = who.account;
    keys["aws:PrincipalArn"] = who.arn;
    keys["aws:PrincipalIsAWSService"] = "false";
    if (request.action.toLowerCase().startsWith("kms:")) keys["kms:CallerAccount"] = who.account;
  }
  switch (who.kind) {
    case "root":
      keys["aws:PrincipalType"] = "Account";
      keys["aws:userid"] = who.account;
      break;
    case "user":
      keys["aws:PrincipalType"] = "User";
      keys["aws:username"] = who.rest.split("/").at(-1);
      break;
    case "session":
      keys["aws:PrincipalType"] = "AssumedRole";
      keys["aws:PrincipalArn"] = who.role ?? `arn:aws:iam::${who.account}:role/${who.rest.split("/")[0]}`;
      break;
    case "federated":
      keys["aws:PrincipalType"] = "FederatedUser";
      keys["aws:userid"] = `${who.account}:${who.rest}`;
      break;
    case "service":
      keys["aws:PrincipalType"] = "AWSService";
      keys["aws:PrincipalIsAWSService"] = "true";
      keys["aws:PrincipalServiceName"] = who.name;
      keys["aws:PrincipalServiceNamesList"] = [who.name];
      break;
    case "anonymous":
      keys["aws:PrincipalType"] = "Anonymous";
      keys["aws:PrincipalAccount"] = "anonymous";
      keys["aws:userid"] = "anonymous";
      break;
  }
  if (request.resource_account) {
    keys["aws:ResourceAccount"] = request.resource_account;
    if (request.action.toLowerCase().startsWith("s3:")) keys["s3:ResourceAccount"] = request.resource_account;
  }
  return keys;
}

/** The context of a request: what it gives, before what follows from it; names are compared without regard to case. */
function context(who, request) {
  const keys = new Map();
  for (const [key, value] of Object.entries({ ...derived(who, request) })) keys.set(key.toLowerCase(), [key, value]);
  for (const [key, value] of Object.entries(request.context ?? {})) keys.set(key.toLowerCase(), [key, value]);
  return Object.fromEntries([...keys.values()].filter(([, value]) => value !== null));
}

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const named = (policies, name) => list(policies).map((policy, at) => ({ name: `${name} ${at}`, policy }));
const levels = (given, name) =>
  list(given).map((level, at) => ({ orgIdentifier: `level-${at}`, policies: named(level, `${name} ${at}`) }));

/** AWS's own RCPFullAWSAccess is always there, and the package takes no other Allow. */
const denying = (policies) => list(policies).filter((policy) => list(policy.Statement).some((s) => s.Effect === "Deny"));

/** A case in the form of the package. */
function simulation({ request, policies = {}, settings = {} }) {
  const who = caller(request.principal);
  const account = request.resource_account ?? /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(request.resource)?.[1] ?? who.account;
  const filled = { ...request, resource_account: account };
  // A root user needs no identity policy; the package asks for one of every principal.
  const identity = who.kind === "root" ? [ALLOW_ALL] : policies.identity;
  // The package knows no management account: there, organization policies do not apply.
  const managed = (owner) => owner === undefined || owner !== settings.management_account;
  return {
    request: {
      principal: who.kind === "anonymous" ? anonymousPrincipal : (who.arn ?? who.name),
      action: request.action,
      resource: { resource: request.resource, accountId: account },
      contextVariables: context(who, filled),
    },
    identityPolicies: named(identity, "identity"),
    serviceControlPolicies: managed(who.account) && who.kind !== "anonymous" ? levels(policies.scp, "scp") : [],
    resourceControlPolicies: managed(account) ? levels(list(policies.rcp).map(denying), "rcp") : [],
    resourcePolicy: list(policies.resource)[0],
    sessionPolicy: list(policies.session)[0],
    permissionBoundaryPolicies: policies.boundary === undefined ? undefined : named(policies.boundary, "boundary"),
    vpcEndpointPolicies: policies.vpce === undefined ? undefined : named(policies.vpce, "endpoint"),
    additionalSettings: { s3: { blockPublicAccess: settings.s3_restrict_public_buckets === true } },
  };
}

async function answer(one) {
  try {
    const result = await runSimulation(simulation(one), {});
    const dropped = (result.result?.ignoredContextKeys ?? []).filter((key) => key in (one.request.context ?? {}));
    if (dropped.length > 0) return { error: `keys that the package does not know for this action: ${dropped}` };
    if (result.resultType === "single") return { decision: DECISIONS[result.overallResult] ?? result.overallResult };
    return { error: JSON.stringify(result.errors ?? result.resultType) };
  } catch (error) {
    return { error: String(error) };
  }
}

const { cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const lines = [];
for (const one of cases) lines.push(JSON.stringify({ id: one.id, ...(await answer(one)) }));
process.stdout.write(lines.map((line) => `${line}\n`).join(""));
