# Names across networks: other networks ask the inbound endpoint, the VPC's own machines reach other networks' name servers
# through the outbound one.

locals {
  servers = distinct(flatten(values(var.forward)))
  # one rule for each range and protocol; DNS falls back to TCP where an answer is long
  asks = merge([for protocol in ["tcp", "udp"] : { for range in var.askers : "${protocol}-${range}" => { protocol = protocol, range = range } }]...)
  goes = merge([for protocol in ["tcp", "udp"] : { for server in local.servers : "${protocol}-${server}" => { protocol = protocol, range = "${server}/32" } }]...)
}

resource "aws_security_group" "inbound" {
  name_prefix = "${var.name}-dns-in-"
  description = "Questions from other networks"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-dns-in" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "inbound" {
  for_each = local.asks

  security_group_id = aws_security_group.inbound.id
  description       = "Names"
  ip_protocol       = each.value.protocol
  from_port         = 53
  to_port           = 53
  cidr_ipv4         = each.value.range
}

resource "aws_security_group" "outbound" {
  name_prefix = "${var.name}-dns-out-"
  description = "Questions to other networks"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-dns-out" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "outbound" {
  for_each = local.goes

  security_group_id = aws_security_group.outbound.id
  description       = "Names"
  ip_protocol       = each.value.protocol
  from_port         = 53
  to_port           = 53
  cidr_ipv4         = each.value.range
}

resource "aws_route53_resolver_endpoint" "inbound" {
  name               = substr(replace("${var.name}-in", ".", "-"), 0, 64)
  direction          = "INBOUND"
  security_group_ids = [aws_security_group.inbound.id]
  tags               = var.tags

  dynamic "ip_address" {
    for_each = var.subnet_ids
    content {
      subnet_id = ip_address.value
    }
  }
}

resource "aws_route53_resolver_endpoint" "outbound" {
  count = length(var.forward) > 0 ? 1 : 0

  name               = substr(replace("${var.name}-out", ".", "-"), 0, 64)
  direction          = "OUTBOUND"
  security_group_ids = [aws_security_group.outbound.id]
  tags               = var.tags

  dynamic "ip_address" {
    for_each = var.subnet_ids
    content {
      subnet_id = ip_address.value
    }
  }
}

resource "aws_route53_resolver_rule" "this" {
  for_each = var.forward

  name                 = substr(replace("${var.name}-${each.key}", ".", "-"), 0, 64)
  domain_name          = each.key
  rule_type            = "FORWARD"
  resolver_endpoint_id = aws_route53_resolver_endpoint.outbound[0].id
  tags                 = var.tags

  dynamic "target_ip" {
    for_each = each.value
    content {
      ip = target_ip.value
    }
  }
}

resource "aws_route53_resolver_rule_association" "this" {
  for_each = var.forward

  name             = substr(replace("${var.name}-${each.key}", ".", "-"), 0, 64)
  resolver_rule_id = aws_route53_resolver_rule.this[each.key].id
  vpc_id           = var.vpc_id
}

resource "aws_route53_zone" "this" {
  # checkov:skip=CKV2_AWS_38: a private zone cannot be signed with DNSSEC
  # checkov:skip=CKV2_AWS_39: query logging of a private zone is the resolver's, not the zone's
  count = var.zone == "" ? 0 : 1

  name    = var.zone
  comment = "Names of ${var.name}"
  tags    = var.tags

  vpc {
    vpc_id = var.vpc_id
  }

  lifecycle {
    # the peers' are associated below, and would be taken away here
    ignore_changes = [vpc]
  }
}

# Peering leads to addresses alone: a private zone answers in the networks that it is associated with.
resource "aws_route53_zone_association" "peer" {
  for_each = var.zone == "" ? {} : var.peers

  zone_id    = aws_route53_zone.this[0].zone_id
  vpc_id     = each.value.vpc_id
  vpc_region = each.value.region
}
