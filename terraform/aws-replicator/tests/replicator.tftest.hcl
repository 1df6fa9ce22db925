mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name          = "mirror"
  vpc_id        = "vpc-0"
  subnet_ids    = ["subnet-a", "subnet-b"]
  binary_url    = "https://releases.example/mirrorctl"
  binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  topology      = "apiVersion: mirrorctl.io/v1\n"
  mirrors       = ["onprem-to-aws"]
  brokers       = ["10.10.0.0/16", "10.20.0.0/16"]
}

run "machines" {
  command = apply

  variables {
    secrets = {
      KAFKA_PASSWORD = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:kafka-abc123"
      OTHER_PASSWORD = "arn:aws:ssm:eu-west-1:000000000000:parameter/kafka/other"
    }
    msk_cluster_arns = ["arn:aws:kafka:eu-west-1:000000000000:cluster/dest/0000-2"]
  }
  assert {
    condition     = can(yamldecode(base64decode(aws_launch_template.this.user_data)))
    error_message = "cloud-init reads YAML"
  }
  assert {
    condition     = base64decode(yamldecode(base64decode(aws_launch_template.this.user_data)).write_files[0].content) == var.topology
    error_message = "the topology arrives as it is"
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this[0].policy).Statement : statement.Action[0]] == ["secretsmanager:GetSecretValue", "ssm:GetParameter", "kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka-cluster:DescribeGroup"]
    error_message = "a right for each use, and no more"
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.brokers)) == toset(["9092-10.10.0.0/16", "9092-10.20.0.0/16"])
    error_message = "brokers of both networks are reached"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.observers) == 0
    error_message = "nobody comes in unless asked for"
  }
}

run "a_secret_is_a_reference" {
  command = plan
  variables {
    secrets = { KAFKA_PASSWORD = "hunter2" }
  }
  expect_failures = [var.secrets]
}
