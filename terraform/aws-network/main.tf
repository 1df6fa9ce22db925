# A VPC whose subnets are private. Brokers are reached from inside, from peered VPCs and through the VPN, never from outside.

locals {
  prefix = tonumber(split("/", var.cidr)[1])

  # the first half of the network, in as many parts as there are zones (rounded up to a power of two)
  half_bits = 1 + ceil(log(length(var.zones), 2))
  subnets = length(var.subnets) > 0 ? var.subnets : [
    for at in range(length(var.zones)) : cidrsubnet(var.cidr, local.half_bits, at)
  ]

  egress_bits   = min(4, 28 - local.prefix)
  egress_subnet = var.egress_subnet != "" ? var.egress_subnet : cidrsubnet(var.cidr, local.egress_bits, pow(2, local.egress_bits) - 1)

  # two ranges have addresses in common where they begin alike, as far as the shorter prefix goes
  egress_parts = split("/", local.egress_subnet)
  in_the_way = [
    for subnet in local.subnets : subnet
    if cidrhost("${split("/", subnet)[0]}/${min(split("/", subnet)[1], local.egress_parts[1])}", 0) == cidrhost("${local.egress_parts[0]}/${min(split("/", subnet)[1], local.egress_parts[1])}", 0)
  ]

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = local.tags
}

# whoever forgets a security group gets one that lets nothing through
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-default-unused" })
}

resource "aws_subnet" "private" {
  for_each = { for at, zone in var.zones : zone => local.subnets[at] }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false
  tags                    = merge(local.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-private" })
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# S3 without the internet: packages of the distribution, the archive
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]
  tags              = merge(local.tags, { Name = "${var.name}-s3" })
}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}
