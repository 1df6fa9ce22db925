# Machines for brokers, with data disks that outlive them. Kafka itself is installed by the role in ansible/roles/kafka, over
# Session Manager: no machine listens for SSH.

locals {
  # the number is the broker's name, so that adding one moves no other
  brokers = { for number in range(1, var.broker_count + 1) : "b-${number}" => var.subnet_ids[(number - 1) % length(var.subnet_ids)] }
  volumes = merge([
    for broker in keys(local.brokers) : {
      for disk in range(var.volumes_per_broker) : "${broker}-${disk}" => { broker = broker, device = "/dev/sd${substr("fghijklm", disk, 1)}" }
    }
  ]...)
  more_ports   = setsubtract(var.more_client_ports, [var.client_port])
  client_ports = concat([var.client_port], tolist(local.more_ports))
  # each port for each network of clients; those of the first port were there before there were others
  client_ways = merge([
    for port in local.client_ports : { for range in var.clients : (port == var.client_port ? range : "${port}-${range}") => { port = port, range = range } }
  ]...)
  # KRaft: brokers and controllers talk to each other, nobody else talks to controllers. As in the role for Kafka, these listen at
  # 9093, or at the first port after it that no client connects to.
  controller_port = [for port in range(9093, 9094 + length(local.client_ports)) : port if !contains(local.client_ports, port)][0]
  internal_ports = merge(
    { broker = var.client_port, controller = local.controller_port },
    { for port in local.more_ports : "broker-${port}" => port },
  )
}

data "aws_ssm_parameter" "image" {
  count = var.image_id == "" ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

data "aws_partition" "current" {}

resource "aws_security_group" "brokers" {
  name_prefix = "${var.name}-brokers-"
  description = "Brokers of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-brokers" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = local.client_ways

  security_group_id = aws_security_group.brokers.id
  description       = "Kafka clients"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.range
}

resource "aws_vpc_security_group_ingress_rule" "brokers" {
  for_each = local.internal_ports

  security_group_id            = aws_security_group.brokers.id
  description                  = "Between brokers"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.brokers.id
}

resource "aws_vpc_security_group_egress_rule" "brokers" {
  for_each = local.internal_ports

  security_group_id            = aws_security_group.brokers.id
  description                  = "Between brokers"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.brokers.id
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.brokers.id
  description       = "Packages and Session Manager"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_iam_role" "brokers" {
  name_prefix = substr("${var.name}-brokers-", 0, 38)
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "session" {
  role       = aws_iam_role.brokers.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "brokers" {
  name_prefix = substr("${var.name}-brokers-", 0, 38)
  role        = aws_iam_role.brokers.name
  tags        = var.tags
}

resource "aws_instance" "broker" {
  for_each = local.brokers

  ami                         = var.image_id != "" ? var.image_id : data.aws_ssm_parameter.image[0].insecure_value
  instance_type               = var.instance_type
  subnet_id                   = each.value
  vpc_security_group_ids      = [aws_security_group.brokers.id]
  iam_instance_profile        = aws_iam_instance_profile.brokers.name
  associate_public_ip_address = false
  ebs_optimized               = true
  monitoring                  = true
  disable_api_termination     = true
  tags                        = merge(var.tags, { Name = "${var.name}-${each.key}" })

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
  }

  lifecycle {
    # a newer image is no reason to replace a broker
    ignore_changes = [ami]
  }
}

resource "aws_kms_key" "data" {
  description             = "Data of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

data "aws_caller_identity" "current" {}

data "aws_subnet" "broker" {
  for_each = local.brokers

  id = each.value
}

resource "aws_ebs_volume" "data" {
  for_each = local.volumes

  availability_zone = data.aws_subnet.broker[each.value.broker].availability_zone
  type              = "gp3"
  size              = var.volume_gib
  encrypted         = true
  kms_key_id        = aws_kms_key.data.arn
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_volume_attachment" "data" {
  for_each = local.volumes

  device_name = each.value.device
  volume_id   = aws_ebs_volume.data[each.key].id
  instance_id = aws_instance.broker[each.value.broker].id
}

resource "aws_route53_record" "broker" {
  for_each = var.zone == "" ? {} : local.brokers

  zone_id = var.zone_id
  name    = "${each.key}.${var.zone}"
  type    = "A"
  ttl     = 60
  records = [aws_instance.broker[each.key].private_ip]
}
