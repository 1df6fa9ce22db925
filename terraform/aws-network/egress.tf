# The way out, where asked for.

resource "aws_internet_gateway" "this" {
  count = var.internet_egress ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = local.tags
}

resource "aws_subnet" "egress" {
  count = var.internet_egress ? 1 : 0

  vpc_id                  = aws_vpc.this.id
  availability_zone       = var.zones[0]
  cidr_block              = local.egress_subnet
  map_public_ip_on_launch = false
  tags                    = merge(local.tags, { Name = "${var.name}-egress" })

  lifecycle {
    precondition {
      condition     = length(local.in_the_way) == 0
      error_message = "the public subnet ${local.egress_subnet} has addresses in common with ${join(", ", local.in_the_way)}: give egress_subnet a range that is free"
    }
  }
}

resource "aws_route_table" "egress" {
  count = var.internet_egress ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = merge(local.tags, { Name = "${var.name}-egress" })
}

resource "aws_route" "to_internet" {
  count = var.internet_egress ? 1 : 0

  route_table_id         = aws_route_table.egress[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "egress" {
  count = var.internet_egress ? 1 : 0

  subnet_id      = aws_subnet.egress[0].id
  route_table_id = aws_route_table.egress[0].id
}

resource "aws_eip" "egress" {
  # checkov:skip=CKV2_AWS_19: it is the NAT gateway's, which the check does not always find behind a count
  count = var.internet_egress ? 1 : 0

  domain = "vpc"
  tags   = merge(local.tags, { Name = "${var.name}-egress" })
}

resource "aws_nat_gateway" "this" {
  count = var.internet_egress ? 1 : 0

  allocation_id = aws_eip.egress[0].id
  subnet_id     = aws_subnet.egress[0].id
  tags          = local.tags

  depends_on = [aws_route.to_internet]
}

resource "aws_route" "out" {
  count = var.internet_egress ? 1 : 0

  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}
