# Laid beside the root for AWS that is rendered from e2e/terraform/outside.yaml, with the files that its README asks for.
mock_provider "aws" {
  alias = "eu_west_1"
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-west-1a" }
  }
}

variables {
  scram_secret_arns_aws = ["arn:aws:secretsmanager:eu-west-1:000000000000:secret:AmazonMSK_mirror-abc123"]
}

run "machines_have_what_they_need" {
  command = plan
  variables {
    replicator = {
      binary_url    = "https://releases.example/mirrorctl"
      binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
      secrets       = { SRC_PW = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:src-abc123" }
      secret_files = {
        "/etc/pki/me.key" = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-abc123"
        "pw"              = "arn:aws:ssm:eu-west-1:000000000000:parameter/mirror/pw"
      }
    }
  }
  assert {
    condition     = length(module.replicator) == 1
    error_message = "the replicator's machines"
  }
}

run "a_secret_that_nobody_names_is_missed_before_anything_is_made" {
  command = plan
  variables {
    replicator = {
      binary_url    = "https://releases.example/mirrorctl"
      binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
      secret_files = {
        "/etc/pki/me.key" = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-abc123"
        "pw"              = "arn:aws:ssm:eu-west-1:000000000000:parameter/mirror/pw"
      }
    }
  }
  expect_failures = [var.replicator]
}

run "so_is_a_file" {
  command = plan
  variables {
    replicator = {
      binary_url    = "https://releases.example/mirrorctl"
      binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
      secrets       = { SRC_PW = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:src-abc123" }
      secret_files  = { "pw" = "arn:aws:ssm:eu-west-1:000000000000:parameter/mirror/pw" }
    }
  }
  expect_failures = [var.replicator]
}

run "without_machines_nothing_is_needed" {
  command = plan
  assert {
    condition     = length(module.replicator) == 0
    error_message = "no machines"
  }
}
