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
  brokers = [
    { range = "10.10.0.0/16", ports = [9094] },
    { range = "10.20.0.0/16", ports = [9092, 9096] },
  ]
}

run "machines" {
  command = apply

  variables {
    secrets = {
      KAFKA_PASSWORD = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:kafka-abc123"
      OTHER_PASSWORD = "arn:aws:ssm:eu-west-1:000000000000:parameter/kafka/other"
    }
    files            = { "/etc/mirrorctl/certs/ca.pem" = "-----BEGIN CERTIFICATE-----\n" }
    secret_files     = { "/etc/mirrorctl/m.key" = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-abc123" }
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
    condition = anytrue([
      for file in yamldecode(base64decode(aws_launch_template.this.user_data)).write_files :
      file.path == "/etc/mirrorctl/certs/ca.pem" && try(base64decode(file.content), "") == "-----BEGIN CERTIFICATE-----\n"
    ])
    error_message = "a certificate arrives as it is"
  }
  assert {
    condition = anytrue([
      for command in yamldecode(base64decode(aws_launch_template.this.user_data)).runcmd :
      strcontains(join(" ", command), "ln -sfn '/run/mirrorctl/${sha256("/etc/mirrorctl/m.key")}' '/etc/mirrorctl/m.key'")
    ])
    error_message = "the path in the topology leads to where the service keeps the secret"
  }
  assert {
    condition     = strcontains(base64decode(yamldecode(base64decode(aws_launch_template.this.user_data)).write_files[1].content), "\"${sha256("/etc/mirrorctl/m.key")}\":\"arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-abc123\"")
    error_message = "the service reads the secret to there"
  }
  assert {
    condition     = !strcontains(base64decode(yamldecode(base64decode(aws_launch_template.this.user_data)).write_files[1].content), "capture_output")
    error_message = "why a secret cannot be read stands in the journal"
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this[0].policy).Statement : statement.Action[0]] == ["secretsmanager:GetSecretValue", "ssm:GetParameter", "kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka-cluster:DescribeGroup"]
    error_message = "a right for each use, and no more"
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.brokers)) == toset(["9094-10.10.0.0/16", "9092-10.20.0.0/16", "9096-10.20.0.0/16"])
    error_message = "brokers are reached at their own ports"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.observers) == 0
    error_message = "nobody comes in unless asked for"
  }
}

run "a_secret_is_a_reference" {
  command = plan
  variables {
    secrets      = { KAFKA_PASSWORD = "hunter2" }
    secret_files = { "/etc/mirrorctl/m.key" = "-----BEGIN PRIVATE KEY-----" }
  }
  expect_failures = [var.secrets, var.secret_files]
}

run "user_data_has_an_end" {
  command = plan
  variables {
    files = { "/etc/mirrorctl/ca.pem" = join("", [for at in range(1000) : "0123456789abcdef"]) }
  }
  expect_failures = [aws_launch_template.this]
}
