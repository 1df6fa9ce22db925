# A provisioned MSK cluster: TLS everywhere, no client without a name, data encrypted with a key of its own.

locals {
  tags = merge(var.tags, { Name = var.name })

  ports = merge(
    length(var.certificate_authority_arns) > 0 ? { tls = 9094 } : {},
    length(var.scram_secret_arns) > 0 ? { scram = 9096 } : {},
    var.iam ? { iam = 9098 } : {},
  )
  ingress = merge([for name, port in local.ports : { for range in var.clients : "${name}-${range}" => { port = port, range = range } }]...)

  config = merge({
    "auto.create.topics.enable"      = "false"
    "default.replication.factor"     = min(3, var.broker_count)
    "min.insync.replicas"            = min(3, var.broker_count) - 1
    "unclean.leader.election.enable" = "false"
  }, var.broker_config)
}

module "log" {
  source = "../aws-log-group"

  name            = "/mirrorctl/${var.name}/brokers"
  key_description = "Kafka cluster ${var.name}"
  retention_days  = var.log_retention_days
  tags            = local.tags
}

resource "aws_security_group" "brokers" {
  name_prefix = "${var.name}-brokers-"
  description = "Brokers of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = local.ingress

  security_group_id = aws_security_group.brokers.id
  description       = "Kafka clients"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.range
}

# brokers, and whatever else carries this group: MSK Replicator does
resource "aws_vpc_security_group_ingress_rule" "members" {
  for_each = local.ports

  security_group_id            = aws_security_group.brokers.id
  description                  = "Members of the group"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.brokers.id
}

resource "aws_vpc_security_group_egress_rule" "members" {
  for_each = local.ports

  security_group_id            = aws_security_group.brokers.id
  description                  = "Members of the group"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.brokers.id
}

resource "aws_msk_configuration" "this" {
  name              = var.name
  description       = "Brokers of ${var.name}"
  kafka_versions    = [var.kafka_version]
  server_properties = join("\n", concat([for key in sort(keys(local.config)) : "${key}=${local.config[key]}"], [""]))
}

resource "aws_msk_cluster" "this" {
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = var.broker_count
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"
  tags                   = local.tags

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.brokers.id]

    connectivity_info {
      public_access {
        type = "DISABLED"
      }
    }

    storage_info {
      ebs_storage_info {
        volume_size = var.volume_gib
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam   = var.iam
      scram = length(var.scram_secret_arns) > 0
    }

    dynamic "tls" {
      for_each = length(var.certificate_authority_arns) > 0 ? [true] : []
      content {
        certificate_authority_arns = var.certificate_authority_arns
      }
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = module.log.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = module.log.name
      }
    }
  }

  open_monitoring {
    prometheus {
      jmx_exporter {
        enabled_in_broker = true
      }
      node_exporter {
        enabled_in_broker = true
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.ports) > 0
      error_message = "one of iam, scram_secret_arns and certificate_authority_arns is needed: nobody logs in without a name"
    }
  }
}

resource "aws_msk_single_scram_secret_association" "this" {
  for_each = toset(var.scram_secret_arns)

  cluster_arn = aws_msk_cluster.this.arn
  secret_arn  = each.value
}
