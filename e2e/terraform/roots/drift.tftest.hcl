# Laid beside the root that is rendered from e2e/aws/topology.yaml: its state, with identifiers of mocks, is what the test
# builds on a server that answers as EC2 does.
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
  vpn_gateway_address_onprem = "203.0.113.7"
  replicator = {
    binary_url    = "https://releases.example/mirrorctl"
    binary_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
    observers     = ["10.50.0.0/16"]
  }
}

run "everything" {
  command = apply
}
