{%- for cluster in clusters %}
output "ambari-{{ cluster.label }}" {
  description = "Where Ambari of {{ cluster.name | comment }} answers."
  value       = module.kafka-{{ cluster.label }}.ambari_endpoint
}

output "ssh-{{ cluster.label }}" {
  description = "Where SSH of {{ cluster.name | comment }} answers."
  value       = module.kafka-{{ cluster.label }}.ssh_endpoint
}
{% endfor %}
output "name_servers" {
  description = "The address of each network's name server."
  value       = module.network.dns_addresses
}
