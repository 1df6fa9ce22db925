//! `plan` looks at AWS: at a server that answers as EC2 does (moto), which holds what Terraform makes of the rendered root, and
//! which is then changed behind everybody's back. Terraform's state comes from mocks; that state, not our own idea of it, is
//! built there by an independent client.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/cloud.rs"]
mod cloud;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/rendered.rs"]
mod rendered;

use std::process::Output;

use cloud::{Cloud, REGION, topology};
use e2e::Workspace;
use installed::installed;
use rendered::said;
use serde_json::{Value, json};

/// `mirrorctl plan` of a build with the feature `aws`.
fn plan(workspace: &Workspace, endpoint: &str, secret: Option<&str>, more: &[&str]) -> Output {
    let mut command = assert_cmd::Command::new(installed("MIRRORCTL_AWS_BINARY"));
    command
        .env_clear()
        .current_dir(workspace.path())
        .timeout(std::time::Duration::from_mins(5))
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .args(["plan", "-f"])
        .arg(topology())
        .args(more);
    if let Some(secret) = secret {
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", secret);
    }
    command.output().unwrap()
}

/// What differs, and the exit code of `--detailed-exitcode`.
fn drift(cloud: &Cloud) -> (Vec<String>, Option<i32>) {
    let more = ["--detailed-exitcode", "--output", "json"];
    let output = plan(&cloud.workspace, &cloud.endpoint, Some("test"), &more);
    let plan: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let seen = &plan["infrastructure"];
    assert_eq!(seen["observed"], json!([REGION]), "{seen}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let none = Vec::new();
    let drift = seen["drift"].as_array().unwrap_or(&none).iter();
    let lines = drift.map(|it| {
        let details = it["details"].as_array().unwrap_or(&none).iter();
        let attributes: Vec<String> = details.map(|it| text(&it["attribute"])).collect();
        let address = text(&it["address"]);
        let address = address.trim_start_matches("ec2.eu-west-1.");
        let kind = text(&it["kind"]);
        format!("{kind} {address} {}", attributes.join(", "))
            .trim_end()
            .to_owned()
    });
    (lines.collect(), output.status.code())
}

#[track_caller]
fn differs(cloud: &Cloud, expected: &[&str]) {
    let (found, code) = drift(cloud);
    assert_eq!(found, expected);
    assert_eq!(code, Some(if expected.is_empty() { 0 } else { 2 }));
}

fn permission(port: u16, range: &str) -> Value {
    json!([{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": range}]}])
}

#[test]
fn what_terraform_builds_is_no_drift_and_each_change_is_named() {
    let cloud = Cloud::start();
    let (nothing, code) = drift(&cloud);
    assert!(nothing.len() > 15, "{nothing:#?}");
    assert!(nothing.iter().all(|line| line.starts_with("missing ")));
    assert_eq!(code, Some(2));
    cloud.build();
    differs(&cloud, &[]);
    let human = plan(&cloud.workspace, &cloud.endpoint, Some("test"), &[]);
    assert!(
        said(&human).contains("Infrastructure: no drift, "),
        "{}",
        said(&human)
    );

    rules(&cloud);
    networks(&cloud);
    peerings(&cloud);
    machines(&cloud);
    // all of it was put back
    differs(&cloud, &[]);
}

/// A port that is opened to the world, a rule that is taken away, and the group that nobody uses.
fn rules(cloud: &Cloud) {
    let brokers = cloud.id("security-group", "aws-brokers");
    let unused = cloud.id("security-group", "kafka-default-unused");
    let rule = |operation: &str, group: &str, port, range| {
        let permissions = permission(port, range);
        cloud.call(
            operation,
            &json!({"GroupId": group, "IpPermissions": permissions}),
        );
    };
    rule(
        "authorize_security_group_ingress",
        &brokers,
        22,
        "0.0.0.0/0",
    );
    differs(
        cloud,
        &["foreign security-group-rule.aws-brokers/ingress/tcp/22/0.0.0.0/0"],
    );
    let human = plan(&cloud.workspace, &cloud.endpoint, Some("test"), &[]);
    let human = said(&human);
    for line in [
        "≠ ec2.eu-west-1.security-group-rule.aws-brokers/ingress/tcp/22/0.0.0.0/0",
        "[foreign]",
        "port 22 is open to the whole world",
        "terraform apply",
        "Infrastructure: 1 difference, ",
    ] {
        assert!(human.contains(line), "{line}: {human}");
    }
    rule("revoke_security_group_ingress", &brokers, 22, "0.0.0.0/0");

    rule(
        "revoke_security_group_ingress",
        &brokers,
        9095,
        "10.10.0.0/16",
    );
    differs(
        cloud,
        &["missing security-group-rule.aws-brokers/ingress/tcp/9095/10.10.0.0/16 group"],
    );
    rule(
        "authorize_security_group_ingress",
        &brokers,
        9095,
        "10.10.0.0/16",
    );

    rule("authorize_security_group_egress", &unused, 25, "10.0.0.0/8");
    differs(
        cloud,
        &["foreign security-group-rule.kafka/default/egress/tcp/25/10.0.0.0/8"],
    );
    rule("revoke_security_group_egress", &unused, 25, "10.0.0.0/8");
}

/// Tags and settings of VPCs; subnets that are changed, gone, elsewhere, and one too many.
fn networks(cloud: &Cloud) {
    let kafka = cloud.id("vpc", "kafka");
    let tag = |id: &str, key: &str, value: &str| {
        let tags = json!([{"Key": key, "Value": value}]);
        cloud.call("create_tags", &json!({"Resources": [id], "Tags": tags}));
    };
    let hostnames = |is_on: bool| {
        let value = json!({"Value": is_on});
        cloud.call(
            "modify_vpc_attribute",
            &json!({"VpcId": kafka, "EnableDnsHostnames": value}),
        );
    };
    tag(&kafka, "project", "other");
    hostnames(false);
    differs(cloud, &["changed vpc.kafka dns hostnames, tags.project"]);
    tag(&kafka, "project", "hybrid");
    hostnames(true);

    let subnet = cloud.id("subnet", "kafka-eu-west-1b");
    let public = |is_public: bool| {
        let value = json!({"Value": is_public});
        cloud.call(
            "modify_subnet_attribute",
            &json!({"SubnetId": subnet, "MapPublicIpOnLaunch": value}),
        );
    };
    public(true);
    differs(cloud, &["changed subnet.kafka-eu-west-1b public addresses"]);
    public(false);

    let orders = cloud.id("vpc", "orders");
    let make = |range: &str, zone: &str, name: &str| {
        let arguments = json!({"VpcId": orders, "CidrBlock": range, "AvailabilityZone": zone});
        let answer = cloud.call("create_subnet", &arguments);
        let id = answer["Subnet"]["SubnetId"].as_str().unwrap().to_owned();
        tag(&id, "Name", name);
        tag(&id, "team", "orders");
        id
    };
    let delete = |id: &str| cloud.call("delete_subnet", &json!({"SubnetId": id}));
    delete(&cloud.id("subnet", "orders-eu-west-1b"));
    differs(cloud, &["missing subnet.orders-eu-west-1b cidr, zone"]);
    let elsewhere = make("10.30.7.0/24", "eu-west-1c", "orders-eu-west-1b");
    differs(cloud, &["changed subnet.orders-eu-west-1b cidr, zone"]);
    delete(&elsewhere);
    make("10.30.1.0/24", "eu-west-1b", "orders-eu-west-1b");
    let more = make("10.30.8.0/24", "eu-west-1a", "bastions");
    differs(cloud, &["foreign subnet.bastions cidr, zone"]);
    delete(&more);

    // the range of a VPC cannot be changed: it is another VPC under the same name
    let answer = cloud.call("create_vpc", &json!({"CidrBlock": "10.99.0.0/16"}));
    let twin = answer["Vpc"]["VpcId"].as_str().unwrap();
    tag(twin, "Name", "orders");
    differs(cloud, &["foreign vpc.orders cidr"]);
    cloud.call("delete_vpc", &json!({"VpcId": twin}));
}

/// A peering that is gone, one that nobody accepted, and one too many.
fn peerings(cloud: &Cloud) {
    let (orders, kafka) = (cloud.id("vpc", "orders"), cloud.id("vpc", "kafka"));
    let peer = |here: &str, there: &str| {
        let answer = cloud.call(
            "create_vpc_peering_connection",
            &json!({"VpcId": here, "PeerVpcId": there}),
        );
        let id = &answer["VpcPeeringConnection"]["VpcPeeringConnectionId"];
        id.as_str().unwrap().to_owned()
    };
    let end = |operation: &str, id: &str| {
        cloud.call(operation, &json!({"VpcPeeringConnectionId": id}));
    };
    let old = cloud.id("vpc-peering-connection", "orders-to-aws");
    end("delete_vpc_peering_connection", &old);
    differs(cloud, &["missing peering.orders-to-aws with"]);

    let new = peer(&orders, &kafka);
    let tags =
        json!([{"Key": "Name", "Value": "orders-to-aws"}, {"Key": "team", "Value": "orders"}]);
    cloud.call("create_tags", &json!({"Resources": [new], "Tags": tags}));
    let resolves = |is_on: bool| {
        let option = json!({"AllowDnsResolutionFromRemoteVpc": is_on});
        cloud.call(
            "modify_vpc_peering_connection_options",
            &json!({
                "VpcPeeringConnectionId": new,
                "RequesterPeeringConnectionOptions": option,
                "AccepterPeeringConnectionOptions": option,
            }),
        );
    };
    resolves(true);
    differs(cloud, &["changed peering.orders-to-aws state"]);
    end("accept_vpc_peering_connection", &new);
    resolves(false);
    differs(
        cloud,
        &["changed peering.orders-to-aws requester resolves names, accepter resolves names"],
    );
    resolves(true);

    let answer = cloud.call("create_vpc", &json!({"CidrBlock": "10.98.0.0/16"}));
    let stranger = answer["Vpc"]["VpcId"].as_str().unwrap();
    let way = peer(stranger, &kafka);
    differs(cloud, &[&format!("foreign peering.{way} with, state")]);
    end("delete_vpc_peering_connection", &way);
}

/// A machine that stands still, is of another size, is gone; and one too many.
fn machines(cloud: &Cloud) {
    let second = cloud.id("instance", "aws-b-2");
    let each = |operation: &str, id: &str| {
        cloud.call(operation, &json!({"InstanceIds": [id]}));
    };
    let size = |size: &str| {
        let size = json!({"Value": size});
        cloud.call(
            "modify_instance_attribute",
            &json!({"InstanceId": second, "InstanceType": size}),
        );
    };
    each("stop_instances", &second);
    size("m5.xlarge");
    differs(cloud, &["changed instance.aws-b-2 size, state"]);
    size("m5.large");
    each("start_instances", &second);

    let described = cloud.call("describe_instances", &json!({"InstanceIds": [second]}));
    let old = &described["Reservations"][0]["Instances"][0];
    let run = |name: &str| {
        let tags = json!([{"Key": "Name", "Value": name}, {"Key": "project", "Value": "hybrid"}]);
        let answer = cloud.call(
            "run_instances",
            &json!({
                "MinCount": 1,
                "MaxCount": 1,
                "ImageId": old["ImageId"],
                "InstanceType": "m5.large",
                "SubnetId": old["SubnetId"],
                "SecurityGroupIds": [old["SecurityGroups"][0]["GroupId"]],
                "MetadataOptions": {"HttpTokens": "required"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
            }),
        );
        let id = &answer["Instances"][0]["InstanceId"];
        id.as_str().unwrap().to_owned()
    };
    each("terminate_instances", &second);
    differs(cloud, &["missing instance.aws-b-2 size, subnet"]);
    run("aws-b-2");
    let more = run("aws-b-4");
    differs(cloud, &["foreign instance.aws-b-4 size, state"]);
    each("terminate_instances", &more);
    // machines of the replicator come and go as its group wants
    let replicator = run("mirrorctl");
    differs(cloud, &[]);
    each("terminate_instances", &replicator);
}

#[test]
fn what_cannot_be_read_is_never_no_drift() {
    let workspace = Workspace::create("no-cloud").unwrap();
    let nobody = "http://127.0.0.1:1";
    for (secret, reason, hint) in [
        (None, "no usable credentials", "AWS_PROFILE"),
        (Some("test"), "got no answer", "AWS_ENDPOINT_URL"),
    ] {
        let output = plan(&workspace, nobody, secret, &[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("could not be observed"), "{text}");
        assert!(text.contains(reason) && text.contains(hint), "{text}");
        assert!(!text.contains("no drift"), "{text}");
        let output = plan(&workspace, nobody, secret, &["--detailed-exitcode"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("nobody knows whether it has drifted"),
            "{text}"
        );
    }
}

#[test]
fn a_build_without_the_feature_says_that_it_does_not_look() {
    let workspace = Workspace::create("without-aws").unwrap();
    let output = e2e::mirrorctl(&workspace)
        .unwrap()
        .args(["plan", "--detailed-exitcode", "-f"])
        .arg(topology())
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("AWS is not observed"))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
}
