output "brokers" {
  description = "The brokers by name, each with the id that Session Manager knows it by, and its address."
  value       = { for name, machine in aws_instance.broker : name => { id = machine.id, address = machine.private_ip } }
}

output "bootstrap_servers" {
  description = "Where clients begin."
  value       = [for name in sort(keys(local.brokers)) : "${var.zone == "" ? aws_instance.broker[name].private_ip : "${name}.${var.zone}"}:${var.client_port}"]
}

output "security_group_id" {
  description = "The group of the brokers."
  value       = aws_security_group.brokers.id
}

output "controller_port" {
  description = "Where controllers listen: nobody but brokers gets there."
  value       = local.controller_port
}
