# Laid beside a rendered root for AWS. Planned, not applied: Terraform refuses to delete disks and buckets afterwards.
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
  replicator = {
    binary_url    = "https://releases.example/mirrorctl"
    binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
    secrets       = { KAFKA_PASSWORD = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:kafka-abc123" }
  }
}

run "everything" {
  command = plan

  assert {
    condition     = length(module.replicator) == 1
    error_message = "the replicator's machines"
  }
}
