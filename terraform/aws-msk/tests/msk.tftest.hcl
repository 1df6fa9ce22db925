mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  name       = "kafka"
  vpc_id     = "vpc-0"
  subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  clients    = ["10.20.0.0/16"]
}

run "iam_over_tls" {
  command = apply

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.clients)) == toset(["iam-10.20.0.0/16"]) && aws_vpc_security_group_ingress_rule.clients["iam-10.20.0.0/16"].from_port == 9098
    error_message = "one port for one way to log in"
  }
  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && !aws_msk_cluster.this.client_authentication[0].unauthenticated
    error_message = "TLS, and nobody without a name"
  }
  assert {
    condition     = strcontains(aws_msk_configuration.this.server_properties, "min.insync.replicas=2\n")
    error_message = "one broker down stops no write and loses none"
  }
}

run "scram_users_by_reference" {
  command = apply
  variables {
    iam               = false
    scram_secret_arns = ["arn:aws:secretsmanager:eu-west-1:000000000000:secret:AmazonMSK_mirror"]
  }
  assert {
    condition     = aws_msk_cluster.this.client_authentication[0].sasl[0].scram && length(aws_msk_single_scram_secret_association.this) == 1
    error_message = "the user is known to the cluster"
  }
}

run "brokers_are_even" {
  command = plan
  variables {
    broker_count = 4
  }
  expect_failures = [var.broker_count]
}

run "somebody_has_to_log_in" {
  command = plan
  variables {
    iam = false
  }
  expect_failures = [aws_msk_cluster.this]
}
