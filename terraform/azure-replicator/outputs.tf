output "id" {
  description = "The id of the machine."
  value       = azurerm_linux_virtual_machine.this.id
}

output "private_ip_address" {
  description = "Where metrics and health answer, on port 9464, inside the network."
  value       = azurerm_network_interface.this.private_ip_address
}

output "principal_id" {
  description = "The identity that reads the secrets."
  value       = azurerm_linux_virtual_machine.this.identity[0].principal_id
}
