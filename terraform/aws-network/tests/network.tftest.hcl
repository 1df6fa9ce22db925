mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  name  = "kafka"
  cidr  = "10.20.0.0/16"
  zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
}

run "one_private_subnet_a_zone" {
  command = apply

  assert {
    condition     = [for zone in var.zones : aws_subnet.private[zone].cidr_block] == ["10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"]
    error_message = "the first half of the network is divided evenly"
  }
  assert {
    condition     = alltrue([for subnet in values(aws_subnet.private) : !subnet.map_public_ip_on_launch])
    error_message = "no machine gets a public address"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_internet_gateway.this) == 0
    error_message = "no way out unless asked for"
  }
}

run "a_site_by_vpn" {
  command = apply
  variables {
    vpns = { onprem = { gateway_address = "203.0.113.7", cidrs = ["10.10.0.0/16"] } }
  }
  assert {
    condition     = aws_vpn_connection_route.this["onprem-10.10.0.0/16"].destination_cidr_block == "10.10.0.0/16" && aws_vpn_connection.this["onprem"].static_routes_only
    error_message = "without BGP, the ranges of the site are routed by hand"
  }
}

run "a_peer_both_ways" {
  command = apply
  variables {
    peers = { other = { vpc_id = "vpc-0", cidr = "10.30.0.0/16", route_tables = ["rtb-0"] } }
  }
  assert {
    condition     = aws_route.to_peer["other"].destination_cidr_block == "10.30.0.0/16" && aws_route.from_peer["other-0"].destination_cidr_block == "10.20.0.0/16"
    error_message = "there and back"
  }
}

run "a_way_out" {
  command = apply
  variables {
    internet_egress = true
  }
  assert {
    condition     = aws_subnet.egress[0].cidr_block == "10.20.240.0/20"
    error_message = "the last sixteenth of the network"
  }
}

run "a_way_out_beside_named_subnets" {
  command = plan
  variables {
    cidr            = "10.20.0.0/24"
    zones           = ["eu-west-1a", "eu-west-1b"]
    subnets         = ["10.20.0.0/26", "10.20.0.128/25"]
    internet_egress = true
    egress_subnet   = "10.20.0.112/28"
  }
  assert {
    condition     = aws_subnet.egress[0].cidr_block == "10.20.0.112/28"
    error_message = "the range that was given"
  }
}

run "a_way_out_in_another_subnet_is_refused" {
  command = plan
  variables {
    cidr            = "10.20.0.0/24"
    zones           = ["eu-west-1a", "eu-west-1b"]
    subnets         = ["10.20.0.0/26", "10.20.0.128/25"]
    internet_egress = true
  }
  expect_failures = [aws_subnet.egress]
}

run "nobody_minds_where_no_way_out_is" {
  command = plan
  variables {
    cidr    = "10.20.0.0/24"
    zones   = ["eu-west-1a", "eu-west-1b"]
    subnets = ["10.20.0.0/25", "10.20.0.128/25"]
  }
  assert {
    condition     = length(aws_subnet.egress) == 0
    error_message = "no way out unless asked for"
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    zones = ["eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "too_large_a_network_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0/8"
  }
  expect_failures = [var.cidr]
}
