{%- for cluster in msk %}
output "bootstrap-{{ cluster.label }}" {
  description = "Where clients of {{ cluster.name | comment }} begin, by how they log in."
  value = {
    iam   = module.kafka-{{ cluster.label }}.bootstrap_brokers_iam
    scram = module.kafka-{{ cluster.label }}.bootstrap_brokers_scram
    tls   = module.kafka-{{ cluster.label }}.bootstrap_brokers_tls
  }
}
{% endfor %}
{%- for cluster in ec2 %}
output "bootstrap-{{ cluster.label }}" {
  description = "Where clients of {{ cluster.name | comment }} begin."
  value       = module.kafka-{{ cluster.label }}.bootstrap_servers
}

output "brokers-{{ cluster.label }}" {
  description = "The machines of {{ cluster.name | comment }}, for the inventory of Ansible."
  value       = module.kafka-{{ cluster.label }}.brokers
}
{% endfor %}
{%- for network in networks %}{% if network.vpns %}
output "vpn-{{ network.label }}" {
  description = "The addresses that each site's gateway connects to."
  value       = module.network-{{ network.label }}.vpn_tunnel_addresses
}
{% endif %}{% if network.resolver %}
output "name-servers-{{ network.label }}" {
  description = "Where name servers of other networks forward questions about this one."
  value       = module.resolver-{{ network.label }}.inbound_addresses
}
{% endif %}{% endfor %}
