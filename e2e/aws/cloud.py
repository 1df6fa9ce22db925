"""Builds and changes what a server shows that answers as EC2 does (moto); nothing of it is mirrorctl's code.

cloud.py ENDPOINT REGION build STATE            builds what is in a state of Terraform, whatever its identifiers are
cloud.py ENDPOINT REGION call OPERATION JSON    one call of boto3's EC2 client; prints its answer
"""

import itertools
import json
import sys

import boto3

NUMBERS = itertools.count(1)


def resources(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def unique(prefix):
    """As Terraform makes a name of a prefix: 26 digits."""
    return f"{prefix}20250101{next(NUMBERS):018d}"


def tags(values):
    return [{"Key": key, "Value": value} for key, value in (values.get("tags") or {}).items()]


def permission(values, groups):
    rule = {"IpProtocol": values["ip_protocol"]}
    for key, argument in (("FromPort", "from_port"), ("ToPort", "to_port")):
        if values.get(argument) is not None:
            rule[key] = int(values[argument])
    # a mock makes up what the module leaves out, so a group that nobody has is none
    group = groups.get(values["referenced_security_group_id"])
    if group:
        rule["UserIdGroupPairs"] = [{"GroupId": group}]
    else:
        rule["IpRanges"] = [{"CidrIp": values["cidr_ipv4"], "Description": values["description"]}]
    return rule


def without_rules(ec2, group):
    """Terraform takes away the rules that AWS gives every group."""
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if found["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
    if found["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])


def build(ec2, state):
    found = {}
    for resource in resources(state["root_module"]):
        if resource["mode"] == "managed":
            found.setdefault(resource["type"], []).append(resource["values"])

    vpcs, subnets, groups = {}, {}, {}
    for values in found["aws_vpc"]:
        vpc = ec2.create_vpc(CidrBlock=values["cidr_block"])["Vpc"]["VpcId"]
        vpcs[values["id"]] = vpc
        ec2.create_tags(Resources=[vpc], Tags=tags(values))
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": values["enable_dns_support"]})
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": values["enable_dns_hostnames"]})
    for values in found["aws_default_security_group"]:
        of = [
            {"Name": "vpc-id", "Values": [vpcs[values["vpc_id"]]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        group = ec2.describe_security_groups(Filters=of)["SecurityGroups"][0]["GroupId"]
        without_rules(ec2, group)
        ec2.create_tags(Resources=[group], Tags=tags(values))
    for values in found["aws_subnet"]:
        subnet = ec2.create_subnet(
            VpcId=vpcs[values["vpc_id"]],
            CidrBlock=values["cidr_block"],
            AvailabilityZone=values["availability_zone"],
        )["Subnet"]["SubnetId"]
        subnets[values["id"]] = subnet
        ec2.create_tags(Resources=[subnet], Tags=tags(values))
        ec2.modify_subnet_attribute(
            SubnetId=subnet, MapPublicIpOnLaunch={"Value": values["map_public_ip_on_launch"]}
        )
    for values in found["aws_security_group"]:
        group = ec2.create_security_group(
            GroupName=unique(values["name_prefix"]),
            Description=values["description"],
            VpcId=vpcs[values["vpc_id"]],
        )["GroupId"]
        groups[values["id"]] = group
        without_rules(ec2, group)
        ec2.create_tags(Resources=[group], Tags=tags(values))
    for values in found["aws_vpc_security_group_ingress_rule"]:
        ec2.authorize_security_group_ingress(
            GroupId=groups[values["security_group_id"]], IpPermissions=[permission(values, groups)]
        )
    for values in found["aws_vpc_security_group_egress_rule"]:
        ec2.authorize_security_group_egress(
            GroupId=groups[values["security_group_id"]], IpPermissions=[permission(values, groups)]
        )
    peerings = {}
    for values in found["aws_vpc_peering_connection"]:
        assert values["auto_accept"]
        peering = ec2.create_vpc_peering_connection(
            VpcId=vpcs[values["vpc_id"]], PeerVpcId=vpcs[values["peer_vpc_id"]]
        )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        peerings[values["id"]] = peering
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
        ec2.create_tags(Resources=[peering], Tags=tags(values))
    for values in found["aws_vpc_peering_connection_options"]:
        resolves = lambda end: {
            "AllowDnsResolutionFromRemoteVpc": values[end][0]["allow_remote_vpc_dns_resolution"]
        }
        ec2.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=peerings[values["vpc_peering_connection_id"]],
            RequesterPeeringConnectionOptions=resolves("requester"),
            AccepterPeeringConnectionOptions=resolves("accepter"),
        )
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for values in found["aws_instance"]:
        assert not values["associate_public_ip_address"]
        ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType=values["instance_type"],
            SubnetId=subnets[values["subnet_id"]],
            SecurityGroupIds=[groups[group] for group in values["vpc_security_group_ids"]],
            MetadataOptions={"HttpTokens": values["metadata_options"][0]["http_tokens"]},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags(values)}],
        )
    print(json.dumps({kind: len(of) for kind, of in found.items()}))


def main():
    endpoint, region, what, *arguments = sys.argv[1:]
    ec2 = boto3.client(
        "ec2",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    if what == "build":
        with open(arguments[0]) as file:
            build(ec2, json.load(file))
    elif what == "call":
        answer = getattr(ec2, arguments[0])(**json.loads(arguments[1]))
        print(json.dumps(answer, default=str))
    else:
        sys.exit(__doc__)


main()
