# WARNING: `terraform destroy` deletes the networks and clusters made here, and every record on MSK's brokers. Data disks of
# brokers on EC2 and the archive's bucket are kept: Terraform refuses to delete them.
{%- for network in networks %}

module "network-{{ network.label }}" {
  source    = "./modules/aws-network"
  providers = { aws = aws.{{ network.region }} }

  name            = {{ network.name | hcl }}
  cidr            = {{ network.cidr | hcl }}
  zones           = {{ network.zones | hcl }}
  {%- if network.subnets %}
  subnets         = {{ network.subnets | hcl }}
  {%- endif %}
  internet_egress = {{ network.egress | safe }}
  {%- if network.subnets and network.egress != "false" %}
  egress_subnet   = {{ network.egress_subnet | hcl }}
  {%- endif %}
  tags            = {{ network.tags | hcl }}
  {%- if network.peers %}

  peers = {
    {%- for peer in network.peers %}
    {{ peer.label | hcl }} = {
      vpc_id       = module.network-{{ peer.label }}.vpc_id
      cidr         = {{ peer.cidr | hcl }}
      route_tables = [module.network-{{ peer.label }}.route_table_id]
    }
    {%- endfor %}
  }
  {%- endif %}
  {%- if network.vpns %}

  vpns = {
    {%- for site in network.vpns %}
    {{ site.label | hcl }} = { gateway_address = var.vpn_gateway_address_{{ site.label }}, cidrs = {{ site.cidrs | hcl }} }
    {%- endfor %}
  }
  {%- endif %}
}
{%- if network.resolver %}

module "resolver-{{ network.label }}" {
  source    = "./modules/aws-resolver"
  providers = { aws = aws.{{ network.region }} }

  name       = {{ network.name | hcl }}
  vpc_id     = module.network-{{ network.label }}.vpc_id
  subnet_ids = module.network-{{ network.label }}.subnet_ids
  askers     = {{ network.resolver.askers | hcl }}
  forward    = {{ network.resolver.forward | hcl }}
  {%- if network.resolver.zone %}
  zone       = {{ network.resolver.zone | hcl }}
  {%- endif %}
  tags       = {{ network.tags | hcl }}
  {%- if network.resolver.served %}

  peers = {
    {%- for peer in network.resolver.served %}
    {{ peer.label | hcl }} = { vpc_id = module.network-{{ peer.label }}.vpc_id, region = {{ peer.region_name | hcl }} }
    {%- endfor %}
  }
  {%- endif %}
}
{%- endif %}
{%- endfor %}
{%- for cluster in msk %}

module "kafka-{{ cluster.label }}" {
  source    = "./modules/aws-msk"
  providers = { aws = aws.{{ cluster.region }} }

  name          = {{ cluster.name | hcl }}
  vpc_id        = module.network-{{ cluster.network }}.vpc_id
  subnet_ids    = module.network-{{ cluster.network }}.subnet_ids
  broker_count  = {{ cluster.count | hcl }}
  {%- if cluster.size %}
  instance_type = {{ cluster.size | hcl }}
  {%- endif %}
  {%- if cluster.kafka_version %}
  kafka_version = {{ cluster.kafka_version | hcl }}
  {%- endif %}
  {%- if cluster.volume_gib %}
  volume_gib    = {{ cluster.volume_gib | hcl }}
  {%- endif %}
  broker_config = {{ cluster.config | hcl }}
  iam           = {{ cluster.iam | hcl }}
  {%- if cluster.scram %}
  scram_secret_arns = var.scram_secret_arns_{{ cluster.label }}
  {%- endif %}
  {%- if cluster.certificates %}
  certificate_authority_arns = var.certificate_authority_arns_{{ cluster.label }}
  {%- endif %}
  clients       = {{ cluster.clients | hcl }}
  tags          = {{ cluster.tags | hcl }}
}
{%- endfor %}
{%- for cluster in ec2 %}

module "kafka-{{ cluster.label }}" {
  source    = "./modules/aws-ec2-kafka"
  providers = { aws = aws.{{ cluster.region }} }

  name               = {{ cluster.name | hcl }}
  vpc_id             = module.network-{{ cluster.network }}.vpc_id
  subnet_ids         = module.network-{{ cluster.network }}.subnet_ids
  broker_count       = {{ cluster.count | hcl }}
  {%- if cluster.size %}
  instance_type      = {{ cluster.size | hcl }}
  {%- endif %}
  architecture       = {{ cluster.architecture | hcl }}
  {%- if cluster.volume_gib %}
  volume_gib         = {{ cluster.volume_gib | hcl }}
  {%- endif %}
  {%- if cluster.disks %}
  volumes_per_broker = {{ cluster.disks | hcl }}
  {%- endif %}
  client_port        = {{ cluster.port | hcl }}
  {%- if cluster.more_ports %}
  more_client_ports  = {{ cluster.more_ports | hcl }}
  {%- endif %}
  clients            = {{ cluster.clients | hcl }}
  {%- if cluster.zone %}
  zone               = {{ cluster.zone | hcl }}
  zone_id            = module.resolver-{{ cluster.network }}.zone_id
  {%- endif %}
  tags               = {{ cluster.tags | hcl }}
}
{%- endfor %}
{%- for mirror in msk_replicators %}

module "mirror-{{ mirror.label }}" {
  source    = "./modules/aws-msk-replicator"
  providers = { aws = aws.{{ mirror.region }} }

  name = {{ mirror.name | hcl }}

  source_cluster = {
    arn                = module.kafka-{{ mirror.source }}.arn
    subnet_ids         = module.network-{{ mirror.source_network }}.subnet_ids
    security_group_ids = [module.kafka-{{ mirror.source }}.security_group_id]
  }
  target_cluster = {
    arn                = module.kafka-{{ mirror.target }}.arn
    subnet_ids         = module.network-{{ mirror.target_network }}.subnet_ids
    security_group_ids = [module.kafka-{{ mirror.target }}.security_group_id]
  }

  topics             = {{ mirror.topics | hcl }}
  topics_exclude     = {{ mirror.topics_exclude | hcl }}
  groups             = {{ mirror.groups | hcl }}
  groups_exclude     = {{ mirror.groups_exclude | hcl }}
  sync_group_offsets = {{ mirror.sync_groups | hcl }}
  identical_names    = {{ mirror.identical_names | hcl }}
  copy_configs       = {{ mirror.copy_configs | hcl }}
  copy_acls          = {{ mirror.copy_acls | hcl }}
  starting_position  = {{ mirror.starting_position | hcl }}
  tags               = {{ mirror.tags | hcl }}
}
{%- endfor %}
{%- if replicator %}

module "replicator" {
  source    = "./modules/aws-replicator"
  providers = { aws = aws.{{ replicator.region }} }
  count     = var.replicator == null ? 0 : 1

  name             = {{ replicator.name | hcl }}
  vpc_id           = module.network-{{ replicator.network }}.vpc_id
  subnet_ids       = module.network-{{ replicator.network }}.subnet_ids
  binary_url       = var.replicator.binary_url
  binary_sha256    = var.replicator.binary_sha256
  instance_type    = var.replicator.instance_type
  architecture     = var.replicator.architecture
  size             = var.replicator.size
  secrets          = var.replicator.secrets
  kms_key_arns     = var.replicator.kms_key_arns
  observers        = var.replicator.observers
  msk_cluster_arns = [{% for label in replicator.msk %}module.kafka-{{ label }}.arn{% if not loop.last %}, {% endif %}{% endfor %}]
  mirrors          = {{ replicator.mirrors | hcl }}
  topology         = file("${path.module}/topology.yaml")
  tags             = {{ replicator.tags | hcl }}
  {%- if needs.secret_files %}

  secret_files = {
    {%- for file in needs.secret_files %}
    {{ file.path | hcl }} = var.replicator.secret_files[{{ file.written | hcl }}]
    {%- endfor %}
  }
  {%- endif %}
  {%- if needs.files %}

  # not read before there are machines
  files = var.replicator == null ? {} : {
    {%- for file in needs.files %}
    {{ file.path | hcl }} = file("${path.module}/files/{{ file.below }}")
    {%- endfor %}
  }
  {%- endif %}

  brokers = [
    {%- for it in replicator.brokers %}
    {%- if it.by_name %}
    # {% for alias in it.by_name %}{{ alias | comment }}{% if not loop.last %}, {% endif %}{% endfor %}: known by names alone, which a security group does not take
    {%- endif %}
    { range = {{ it.range | hcl }}, ports = {{ it.ports | hcl }} },
    {%- endfor %}
  ]
}
{%- endif %}
{%- if archive %}

module "archive" {
  source    = "./modules/aws-archive"
  providers = { aws = aws.{{ first_region }} }
  count     = var.archive == null ? 0 : 1

  bucket_name = var.archive.bucket_name
  log_bucket  = var.archive.log_bucket
  redshift    = var.archive.redshift
  schema      = {{ archive.schema | hcl }}
  tables      = {{ archive.tables | hcl }}
  tags        = {{ tags | hcl }}
}
{%- endif %}
