output "virtual_network_ids" {
  description = "The id of each network, by its key."
  value       = { for key, network in azurerm_virtual_network.this : key => network.id }
}

output "cluster_subnet_ids" {
  description = "The subnet that clusters are created in, by the network's key."
  value       = { for key, subnet in azurerm_subnet.cluster : key => subnet.id }
  # a cluster that only takes the subnet still waits for everything that its nodes need from the first minute on
  depends_on = [
    azurerm_subnet_nat_gateway_association.cluster,
    azurerm_subnet_network_security_group_association.cluster,
    azurerm_virtual_network_dns_servers.this,
    azurerm_virtual_network_peering.this,
  ]
}

output "resource_group_names" {
  description = "The resource group of each network, by the network's key."
  value       = { for key, network in azurerm_virtual_network.this : key => network.resource_group_name }
}

output "dns_addresses" {
  description = "The address of each network's name server, by the network's key."
  value       = local.dns_address
}

output "name_suffixes" {
  description = "The suffix of the names that each network gives out, by the network's key."
  value       = { for key, card in azurerm_network_interface.dns : key => card.internal_domain_name_suffix }
}
