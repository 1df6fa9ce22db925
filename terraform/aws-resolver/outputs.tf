output "inbound_addresses" {
  description = "The addresses that name servers of other networks forward to."
  value       = [for address in aws_route53_resolver_endpoint.inbound.ip_address : address.ip]
}

output "zone_id" {
  description = "The private zone, or null."
  value       = one(aws_route53_zone.this[*].zone_id)
}
