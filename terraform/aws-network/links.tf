# Other networks: VPCs by peering, sites by VPN.

resource "aws_vpc_peering_connection" "this" {
  for_each = var.peers

  vpc_id      = aws_vpc.this.id
  peer_vpc_id = each.value.vpc_id
  auto_accept = true
  tags        = merge(local.tags, { Name = "${var.name}-to-${each.key}" })
}

resource "aws_vpc_peering_connection_options" "this" {
  for_each = var.peers

  vpc_peering_connection_id = aws_vpc_peering_connection.this[each.key].id

  # names of the other VPC resolve to its private addresses
  requester {
    allow_remote_vpc_dns_resolution = true
  }
  accepter {
    allow_remote_vpc_dns_resolution = true
  }
}

resource "aws_route" "to_peer" {
  for_each = var.peers

  route_table_id            = aws_route_table.private.id
  destination_cidr_block    = each.value.cidr
  vpc_peering_connection_id = aws_vpc_peering_connection.this[each.key].id
}

resource "aws_route" "from_peer" {
  for_each = merge([
    for key, peer in var.peers : { for at, table in peer.route_tables : "${key}-${at}" => { peer = key, table = table } }
  ]...)

  route_table_id            = each.value.table
  destination_cidr_block    = var.cidr
  vpc_peering_connection_id = aws_vpc_peering_connection.this[each.value.peer].id
}

resource "aws_vpn_gateway" "this" {
  count = length(var.vpns) > 0 ? 1 : 0

  vpc_id = aws_vpc.this.id
  tags   = local.tags
}

resource "aws_vpn_gateway_route_propagation" "this" {
  count = length(var.vpns) > 0 ? 1 : 0

  vpn_gateway_id = aws_vpn_gateway.this[0].id
  route_table_id = aws_route_table.private.id
}

resource "aws_customer_gateway" "this" {
  for_each = var.vpns

  type       = "ipsec.1"
  ip_address = each.value.gateway_address
  bgp_asn    = each.value.asn
  tags       = merge(local.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpn_connection" "this" {
  for_each = var.vpns

  type                = "ipsec.1"
  vpn_gateway_id      = aws_vpn_gateway.this[0].id
  customer_gateway_id = aws_customer_gateway.this[each.key].id
  static_routes_only  = !each.value.bgp

  tunnel1_ike_versions                 = ["ikev2"]
  tunnel1_phase1_dh_group_numbers      = [19, 20, 21]
  tunnel1_phase1_encryption_algorithms = ["AES256-GCM-16"]
  tunnel1_phase1_integrity_algorithms  = ["SHA2-384", "SHA2-512"]
  tunnel1_phase2_dh_group_numbers      = [19, 20, 21]
  tunnel1_phase2_encryption_algorithms = ["AES256-GCM-16"]
  tunnel1_phase2_integrity_algorithms  = ["SHA2-384", "SHA2-512"]
  tunnel2_ike_versions                 = ["ikev2"]
  tunnel2_phase1_dh_group_numbers      = [19, 20, 21]
  tunnel2_phase1_encryption_algorithms = ["AES256-GCM-16"]
  tunnel2_phase1_integrity_algorithms  = ["SHA2-384", "SHA2-512"]
  tunnel2_phase2_dh_group_numbers      = [19, 20, 21]
  tunnel2_phase2_encryption_algorithms = ["AES256-GCM-16"]
  tunnel2_phase2_integrity_algorithms  = ["SHA2-384", "SHA2-512"]

  tags = merge(local.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpn_connection_route" "this" {
  for_each = merge([
    for key, vpn in var.vpns : vpn.bgp ? {} : { for range in vpn.cidrs : "${key}-${range}" => { vpn = key, range = range } }
  ]...)

  vpn_connection_id      = aws_vpn_connection.this[each.value.vpn].id
  destination_cidr_block = each.value.range
}
