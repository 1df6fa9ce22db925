# WARNING: `terraform destroy` deletes the resource groups made here ({% for name, place in resource_groups %}{{ name | comment }}{% if not loop.last %}, {% endif %}{% endfor %}) and everything in them:
# networks, clusters, and every record on the brokers. Nothing of it comes back, so it asks for the names before (deletion.tf).

module "network" {
  source = "./modules/azure-network"

  ssh_public_key = var.ssh_public_key

  resource_groups = var.create_resource_groups ? {
    {%- for name, place in resource_groups %}
    {{ name | hcl }} = {% if place == location %}var.location{% else %}{{ place | hcl }}{% endif %}
    {%- endfor %}
  } : {}

  networks = {
    {%- for network in networks %}
    {{ network.label | hcl }} = {
      name           = {{ network.name | hcl }}
      resource_group = {{ network.resource_group | hcl }}
      location       = {% if network.location == location %}var.location{% else %}{{ network.location | hcl }}{% endif %}
      address_space  = {{ network.address_space | hcl }}
      cluster_subnet = {{ network.cluster_subnet | hcl }}
      dns_subnet     = {{ network.dns_subnet | hcl }}
      forwarders     = {{ network.forwarders | hcl }}
    }
    {%- endfor %}
  }

  peerings = [
    {%- for pair in peerings %}
    { from = {{ pair[0] | hcl }}, to = {{ pair[1] | hcl }} },
    {%- endfor %}
  ]

  tags = {{ tags | hcl }}
}
{%- for cluster in clusters %}

module "kafka-{{ cluster.label }}" {
  source = "./modules/azure-hdinsight-kafka"

  name                = {% if cluster.prefix %}"{{ cluster.prefix }}${var.base_cluster_name}"{% else %}{{ cluster.name | hcl }}{% endif %}
  resource_group_name = module.network.resource_group_names[{{ cluster.network | hcl }}]
  location            = {% if cluster.location == location %}var.location{% else %}{{ cluster.location | hcl }}{% endif %}
  virtual_network_id  = module.network.virtual_network_ids[{{ cluster.network | hcl }}]
  subnet_id           = module.network.cluster_subnet_ids[{{ cluster.network | hcl }}]
  worker_count        = {{ cluster.workers | hcl }}
  {%- if cluster.size %}
  worker_vm_size      = {{ cluster.size | hcl }}
  {%- endif %}
  {%- if cluster.disks %}
  disks_per_worker    = {{ cluster.disks | hcl }}
  {%- endif %}
  {%- if cluster.kafka_version %}
  kafka_version       = {{ cluster.kafka_version | hcl }}
  {%- endif %}
  login_username      = var.cluster_login_username{{ cluster.accounts | safe }}
  login_password      = var.cluster_login_password{{ cluster.accounts | safe }}
  ssh_username        = var.ssh_username{{ cluster.accounts | safe }}
  ssh_password        = var.ssh_password{{ cluster.accounts | safe }}
  tags                = {{ cluster.tags | hcl }}

  # the name servers answer, and networks reach each other, before the first node starts
  depends_on = [module.network]
}
{%- endfor %}
{%- if replicator %}

module "replicator" {
  source = "./modules/azure-replicator"
  count  = var.replicator == null ? 0 : 1

  name                = {{ replicator.name | hcl }}
  resource_group_name = module.network.resource_group_names[{{ replicator.network | hcl }}]
  location            = {% if replicator.location == location %}var.location{% else %}{{ replicator.location | hcl }}{% endif %}
  subnet_id           = module.network.cluster_subnet_ids[{{ replicator.network | hcl }}]
  ssh_public_key      = var.ssh_public_key
  binary_url          = var.replicator.binary_url
  binary_sha256       = var.replicator.binary_sha256
  key_vault_secrets   = var.replicator.key_vault_secrets
  key_vault_ids       = var.replicator.key_vault_ids
  mirrors             = {{ replicator.mirrors | hcl }}
  topology            = file("${path.module}/topology.yaml")
  tags                = {{ tags | hcl }}
  {%- if needs.secret_files %}

  secret_files = {
    {%- for file in needs.secret_files %}
    {{ file.path | hcl }} = var.replicator.secret_files[{{ file.written | hcl }}]
    {%- endfor %}
  }
  {%- endif %}
  {%- if needs.files %}

  # not read before there is a machine
  files = var.replicator == null ? {} : {
    {%- for file in needs.files %}
    {{ file.path | hcl }} = file("${path.module}/files/{{ file.below }}")
    {%- endfor %}
  }
  {%- endif %}

  depends_on = [module.network]
}
{%- endif %}
