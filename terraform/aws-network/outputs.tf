output "vpc_id" {
  description = "The id of the VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "The range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "subnet_ids" {
  description = "The private subnets, in the order of the zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "route_table_id" {
  description = "The route table of the private subnets: where a peer's way back goes."
  value       = aws_route_table.private.id
}

output "vpn_tunnel_addresses" {
  description = "The two addresses that the gateway of each site connects to."
  value       = { for key, vpn in aws_vpn_connection.this : key => [vpn.tunnel1_address, vpn.tunnel2_address] }
}

output "peering_ids" {
  description = "The id of each peering, by the peer's key."
  value       = { for key, peering in aws_vpc_peering_connection.this : key => peering.id }
}
