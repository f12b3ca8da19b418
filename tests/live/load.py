"""Puts an estate that is given as a snapshot directory into a moto server.

usage: load.py URL DIRECTORY

Waits until the server answers, and prints how many things were made. An answer that was refused ends the script: nothing may be missing in silence.
"""

import json
import pathlib
import socket
import sys
import time
import urllib.parse

import boto3
from botocore.config import Config

url, root = sys.argv[1], pathlib.Path(sys.argv[2])
made = 0


def wait():
    """Until somebody listens, for a minute at most."""
    address = urllib.parse.urlsplit(url)
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection((address.hostname, address.port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def read(path):
    """A stored answer; None where there is none, or it says that nothing is configured."""
    path = root / path
    if not path.exists():
        return None
    answer = json.loads(path.read_text())
    assert "$unknown" not in answer, f"{path} can not be made"
    return None if "$absent" in answer else answer


def text(document):
    """A policy document as the text that an API takes."""
    return document if isinstance(document, str) else json.dumps(document)


def client(service, account, region="us-east-1"):
    # moto takes an access key ID it never gave out for the own account, and a role's for that of the role.
    keys = credentials(account)
    config = Config(retries={"max_attempts": 1})
    return boto3.client(service, region_name=region, endpoint_url=url, config=config, **keys)


def credentials(account):
    own = {"aws_access_key_id": "AKIAEXAMPLEEXAMPLE00", "aws_secret_access_key": "example"}
    if account == OWNER:
        return own
    if account not in sessions:
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=url, **own)
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Loader", RoleSessionName="load")["Credentials"]
        sessions[account] = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    return sessions[account]


def make(call, **arguments):
    global made
    made += 1
    return call(**arguments)


def organization():
    organizations = client("organizations", OWNER)
    make(organizations.create_organization, FeatureSet="ALL")
    for account in read("organization/accounts.json")["Accounts"]:
        if account["Id"] != OWNER:
            status = make(organizations.create_account, Email=account["Email"], AccountName=account["Name"])
            assert status["CreateAccountStatus"]["AccountId"] == account["Id"], status
    at = organizations.list_roots()["Roots"][0]["Id"]
    for path in sorted(root.glob("organization/policies/*/policy.json")):
        policy = read(path.relative_to(root))["Policy"]
        summary = policy["PolicySummary"]
        if summary.get("AwsManaged"):
            continue
        given = {"Name": summary["Name"], "Description": "", "Type": summary["Type"], "Content": text(policy["Content"])}
        created = make(organizations.create_policy, **given)["Policy"]["PolicySummary"]["Id"]
        for target in read(path.with_name("targets.json").relative_to(root))["Targets"]:
            to = at if target["Type"] == "ROOT" else target["TargetId"]
            make(organizations.attach_policy, PolicyId=created, TargetId=to)


def identities(account):
    iam = client("iam", account)
    details = read(f"{account}/iam/account-authorization-details.json") or {}
    for policy in details.get("Policies", []):
        document = next(v["Document"] for v in policy["PolicyVersionList"] if v["IsDefaultVersion"])
        if ":aws:policy/" not in policy["Arn"]:
            make(iam.create_policy, PolicyName=policy["PolicyName"], Path=policy["Path"], PolicyDocument=text(document))
    for role in details.get("RoleDetailList", []):
        name = role["RoleName"]
        more = {"Tags": role["Tags"]} if role.get("Tags") else {}
        if boundary := role.get("PermissionsBoundary"):
            more["PermissionsBoundary"] = boundary["PermissionsBoundaryArn"]
        trust = text(role["AssumeRolePolicyDocument"])
        make(iam.create_role, RoleName=name, Path=role["Path"], AssumeRolePolicyDocument=trust, **more)
        for policy in role["RolePolicyList"]:
            document = text(policy["PolicyDocument"])
            make(iam.put_role_policy, RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
        for policy in role["AttachedManagedPolicies"]:
            make(iam.attach_role_policy, RoleName=name, PolicyArn=policy["PolicyArn"])


def keys(account):
    for folder in sorted(root.glob(f"{account}/kms/*/*")):
        below = folder.relative_to(root)
        kms = client("kms", account, folder.parent.name)
        about = read(below / "key.json")["KeyMetadata"]
        if about["KeyManager"] == "AWS":
            continue
        policy = text(read(below / "policy.json")["Policy"])
        key = make(kms.create_key, Description=about["Description"], Policy=policy)["KeyMetadata"]["KeyId"]
        assert key == about["KeyId"], f"{key} was made in place of {about['KeyId']}"
        if (read(below / "rotation.json") or {}).get("KeyRotationEnabled"):
            make(kms.enable_key_rotation, KeyId=key)
        for alias in (read(below / "aliases.json") or {}).get("Aliases", []):
            make(kms.create_alias, AliasName=alias["AliasName"], TargetKeyId=key)
        for grant in (read(below / "grants.json") or {}).get("Grants", []):
            wanted = ("GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name")
            make(kms.create_grant, KeyId=key, **{name: grant[name] for name in wanted if name in grant})
        if not about["Enabled"]:
            make(kms.disable_key, KeyId=key)


def buckets(account):
    if settings := read(f"{account}/s3control/public-access-block.json"):
        control = client("s3control", account)
        make(control.put_public_access_block, AccountId=account, **settings)
    for folder in sorted(root.glob(f"{account}/s3/*/")):
        bucket, below = folder.name, folder.relative_to(root)
        region = (read(below / "location.json") or {}).get("LocationConstraint") or "us-east-1"
        s3 = client("s3", account, region)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        make(s3.create_bucket, Bucket=bucket, **where)
        if answer := read(below / "policy.json"):
            make(s3.put_bucket_policy, Bucket=bucket, Policy=text(answer["Policy"]))
        if answer := read(below / "ownership-controls.json"):
            make(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=answer["OwnershipControls"])
        if answer := read(below / "public-access-block.json"):
            make(s3.put_public_access_block, Bucket=bucket, **answer)
        if answer := read(below / "encryption.json"):
            make(s3.put_bucket_encryption, Bucket=bucket, **answer)
        if (answer := read(below / "versioning.json")) and answer.get("Status"):
            make(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=answer)
        if answer := read(below / "acl.json"):
            make(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy=answer)


def trails(account):
    for path in sorted(root.glob(f"{account}/cloudtrail/*/trails.json")):
        for trail in read(path.relative_to(root))["trailList"]:
            # An organization's trail shows in every account and Region, and is made in one.
            if trail["TrailARN"].split(":")[4] != account or trail["HomeRegion"] != path.parent.name:
                continue
            cloudtrail = client("cloudtrail", account, trail["HomeRegion"])
            wanted = ("Name", "S3BucketName", "S3KeyPrefix", "IsMultiRegionTrail", "IsOrganizationTrail", "KmsKeyId")
            given = {name: trail[name] for name in wanted if name in trail}
            validated = trail.get("LogFileValidationEnabled", False)
            make(cloudtrail.create_trail, EnableLogFileValidation=validated, **given)
            status = read(path.relative_to(root).parent / trail["Name"] / "status.json") or {}
            if status.get("IsLogging", True):
                make(cloudtrail.start_logging, Name=trail["Name"])


OWNER = read("organization/organization.json")["Organization"]["MasterAccountId"]
sessions = {}
wait()
organization()
accounts = [account["Id"] for account in read("organization/accounts.json")["Accounts"]]
for part in (identities, keys, buckets, trails):
    for account in accounts:
        part(account)
print(made)
