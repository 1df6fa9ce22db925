# Machines that run the replicator as a service. One that fails is replaced; one that stands by takes over meanwhile.

locals {
  topic_arns = [for arn in var.msk_cluster_arns : "${replace(arn, ":cluster/", ":topic/")}/*"]
  group_arns = [for arn in var.msk_cluster_arns : "${replace(arn, ":cluster/", ":group/")}/*"]

  references     = distinct(concat(values(var.secrets), values(var.secret_files)))
  secret_arns    = [for arn in local.references : arn if strcontains(arn, ":secret:")]
  parameter_arns = [for arn in local.references : arn if strcontains(arn, ":parameter/")]

  statements = concat(
    length(local.secret_arns) == 0 ? [] : [{ Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = local.secret_arns }],
    length(local.parameter_arns) == 0 ? [] : [{ Effect = "Allow", Action = ["ssm:GetParameter"], Resource = local.parameter_arns }],
    length(var.kms_key_arns) == 0 ? [] : [{ Effect = "Allow", Action = ["kms:Decrypt"], Resource = var.kms_key_arns }],
    length(var.msk_cluster_arns) == 0 ? [] : [
      {
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"]
        Resource = var.msk_cluster_arns
      },
      {
        Effect = "Allow"
        Action = [
          "kafka-cluster:DescribeTopic",
          "kafka-cluster:DescribeTopicDynamicConfiguration",
          "kafka-cluster:CreateTopic",
          "kafka-cluster:AlterTopic",
          "kafka-cluster:AlterTopicDynamicConfiguration",
          "kafka-cluster:ReadData",
          "kafka-cluster:WriteData",
        ]
        Resource = local.topic_arns
      },
      {
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"]
        Resource = local.group_arns
      },
    ],
  )

  reach = merge([for it in var.brokers : { for port in it.ports : "${port}-${it.range}" => { port = port, range = it.range } }]...)

  user_data = templatefile("${path.module}/replicator.yaml.tftpl", {
    binary_url    = var.binary_url
    binary_sha256 = var.binary_sha256
    topology      = base64encode(var.topology)
    files         = var.files
    secret_files  = var.secret_files
    run = base64encode(templatefile("${path.module}/run.py.tftpl", {
      secrets      = var.secrets
      secret_files = var.secret_files
      mirrors      = var.mirrors
    }))
  })
}

data "aws_partition" "current" {}

resource "aws_iam_role" "this" {
  name_prefix = substr("${var.name}-", 0, 38)
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
  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "this" {
  count = length(local.statements) > 0 ? 1 : 0

  name   = "replicate"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_iam_instance_profile" "this" {
  name_prefix = substr("${var.name}-", 0, 38)
  role        = aws_iam_role.this.name
  tags        = var.tags
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "Replicator ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = var.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "brokers" {
  for_each = local.reach

  security_group_id = aws_security_group.this.id
  description       = "Brokers"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.range
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "The binary, secrets, Session Manager"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "observers" {
  for_each = toset(var.observers)

  security_group_id = aws_security_group.this.id
  description       = "Metrics and health"
  ip_protocol       = "tcp"
  from_port         = 9464
  to_port           = 9464
  cidr_ipv4         = each.value
}

resource "aws_launch_template" "this" {
  name_prefix            = "${var.name}-"
  image_id               = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
  instance_type          = var.instance_type
  update_default_version = true
  tags                   = var.tags

  user_data = base64encode(local.user_data)

  iam_instance_profile {
    name = aws_iam_instance_profile.this.name
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [aws_security_group.this.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(var.tags, { Name = var.name })
  }

  lifecycle {
    precondition {
      condition     = length(local.user_data) <= 16384
      error_message = "the topology and its certificates are ${length(local.user_data)} bytes of user data, and EC2 takes 16384: take unneeded certificates out"
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name_prefix         = "${var.name}-"
  min_size            = var.size
  max_size            = var.size
  desired_capacity    = var.size
  vpc_zone_identifier = var.subnet_ids
  health_check_type   = "EC2"

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # a changed topology or binary reaches the machines one by one
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = var.size > 1 ? 50 : 0
    }
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = var.name })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
}
