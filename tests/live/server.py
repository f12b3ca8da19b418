"""A moto server that gives out the IDs of a snapshot instead of drawing them, so that an estate keeps its own.

usage: server.py PORT DIRECTORY [--until-input-ends]

Of the snapshot directory it takes the organization, its accounts (that of its management is the own one), the keys, and
the canonical ID of the first bucket's owner for all of them. Written for moto 5.2.5; load.py puts the rest in.
"""

import json
import os
import pathlib
import sys
import threading

port, root = sys.argv[1], pathlib.Path(sys.argv[2])
organization = json.loads((root / "organization/organization.json").read_text())["Organization"]
listed = json.loads((root / "organization/accounts.json").read_text())["Accounts"]
accounts = sorted((account["Id"] for account in listed), key=lambda id: (id != organization["MasterAccountId"], id))
keys = [path.parent.name for path in sorted(root.glob("*/kms/*/*/key.json"))]
owner = json.loads(sorted(root.glob("*/s3/*/acl.json"))[0].read_text())["Owner"]["ID"]

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

import moto.core  # noqa: E402

# All other modules take the own account from here. The variable MOTO_ACCOUNT_ID would make every caller that account.
moto.core.DEFAULT_ACCOUNT_ID = accounts[0]

import moto.iam.models  # noqa: E402
import moto.kms.models  # noqa: E402
import moto.organizations.utils  # noqa: E402
import moto.s3.models  # noqa: E402
import moto.s3.responses  # noqa: E402
from moto import server  # noqa: E402

assert moto.iam.models.DEFAULT_ACCOUNT_ID == accounts[0]
# Of the policies that AWS manages these are enough; with all of them each answer takes seconds.
kept = ("AdministratorAccess", "AmazonS3ReadOnlyAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess")
texts = json.loads(moto.iam.models.aws_managed_policies_data)
moto.iam.models.aws_managed_policies_data = json.dumps({name: texts[name] for name in kept})


def in_order(given, drawn):
    rest = iter(given)
    return lambda *args, **named: next(rest, None) or drawn(*args, **named)


drawing = moto.organizations.utils
drawing.make_random_org_id = lambda: organization["Id"]
drawing.make_random_account_id = in_order(accounts, drawing.make_random_account_id)
moto.kms.models.generate_key_id = in_order(keys, moto.kms.models.generate_key_id)
moto.s3.models.OWNER = owner
# The list of buckets names another owner than their ACLs do, in a text of its own.
listing = moto.s3.responses.S3Response.all_buckets
drawn = "bcaf1ffd86f41161ca5fb16fd081034f"
assert drawn in listing.__code__.co_consts
consts = tuple(owner if const == drawn else const for const in listing.__code__.co_consts)
listing.__code__ = listing.__code__.replace(co_consts=consts)

# The answer of GetBucketVersioning has another name than in the API, under which no SDK finds it.
responses = moto.s3.responses.S3Response
versioning = responses.get_bucket_versioning


def get_bucket_versioning(self):
    status, headers, body = versioning(self)
    return status, headers, body.replace("GetBucketVersioningResponse", "VersioningConfiguration")


responses.get_bucket_versioning = get_bucket_versioning


def end_with_parent():
    """Whoever started the server holds its standard input: it ends with them, however they end."""
    sys.stdin.read()
    os._exit(0)


if "--until-input-ends" in sys.argv[3:]:
    threading.Thread(target=end_with_parent, daemon=True).start()
server.main(["-H", "127.0.0.1", "-p", port])
