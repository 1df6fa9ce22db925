mock_provider "aws" {}

variables {
  name       = "kafka"
  vpc_id     = "vpc-0"
  subnet_ids = ["subnet-a", "subnet-b"]
  askers     = ["10.10.0.0/16"]
  forward    = { "dc1.example" = ["10.10.0.2"] }
  zone       = "kafka.aws.example"
}

run "both_directions" {
  command = apply

  assert {
    condition     = aws_route53_resolver_rule.this["dc1.example"].domain_name == "dc1.example" && one(aws_route53_resolver_rule.this["dc1.example"].target_ip).ip == "10.10.0.2"
    error_message = "questions about the site go to its name server"
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.inbound)) == toset(["tcp-10.10.0.0/16", "udp-10.10.0.0/16"])
    error_message = "only the site asks, on port 53"
  }
  assert {
    condition     = length(aws_route53_resolver_endpoint.inbound.ip_address) == 2
    error_message = "one address a zone"
  }
}

run "a_zone_for_peers" {
  command = apply
  variables {
    peers = {
      near = { vpc_id = "vpc-1" }
      far  = { vpc_id = "vpc-2", region = "us-east-1" }
    }
  }
  assert {
    condition     = { for key, it in aws_route53_zone_association.peer : key => it.vpc_id } == { near = "vpc-1", far = "vpc-2" }
    error_message = "the zone answers in the networks of the peers"
  }
  assert {
    condition     = aws_route53_zone_association.peer["far"].vpc_region == "us-east-1" && alltrue([for it in values(aws_route53_zone_association.peer) : it.zone_id == output.zone_id])
    error_message = "in their own regions, and it is this zone"
  }
}

run "no_zone_to_serve" {
  command = plan
  variables {
    zone  = ""
    peers = { near = { vpc_id = "vpc-1" } }
  }
  assert {
    condition     = length(aws_route53_zone_association.peer) == 0
    error_message = "nothing is associated with what is not there"
  }
}

run "nothing_to_forward" {
  command = apply
  variables {
    forward = {}
    zone    = ""
  }
  assert {
    condition     = length(aws_route53_resolver_endpoint.outbound) == 0 && output.zone_id == null
    error_message = "no endpoint that nobody uses"
  }
}

run "everybody_is_refused" {
  command = plan
  variables {
    askers = ["0.0.0.0/0"]
  }
  expect_failures = [var.askers]
}
