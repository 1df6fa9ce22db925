# MSK Replicator between two MSK clusters, with a role that may touch these two and nothing else.

data "aws_caller_identity" "current" {}

locals {
  # arn:…:cluster/NAME/ID names topics and groups as arn:…:topic/NAME/ID/TOPIC
  both = [var.source_cluster.arn, var.target_cluster.arn]
}

resource "aws_iam_role" "this" {
  name_prefix = substr("${var.name}-", 0, 38)
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "kafka.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "replicate"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Connect"
        Effect = "Allow"
        Action = [
          "kafka-cluster:Connect",
          "kafka-cluster:DescribeCluster",
          "kafka-cluster:DescribeClusterDynamicConfiguration",
          "kafka-cluster:AlterCluster",
          "kafka-cluster:WriteDataIdempotently",
        ]
        Resource = local.both
      },
      {
        Sid    = "Topics"
        Effect = "Allow"
        Action = [
          "kafka-cluster:DescribeTopic",
          "kafka-cluster:CreateTopic",
          "kafka-cluster:AlterTopic",
          "kafka-cluster:ReadData",
          "kafka-cluster:WriteData",
          "kafka-cluster:DescribeTopicDynamicConfiguration",
          "kafka-cluster:AlterTopicDynamicConfiguration",
        ]
        Resource = [for arn in local.both : "${replace(arn, ":cluster/", ":topic/")}/*"]
      },
      {
        Sid      = "Groups"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"]
        Resource = [for arn in local.both : "${replace(arn, ":cluster/", ":group/")}/*"]
      },
    ]
  })
}

resource "aws_msk_replicator" "this" {
  replicator_name            = var.name
  service_execution_role_arn = aws_iam_role.this.arn
  tags                       = var.tags

  kafka_cluster {
    amazon_msk_cluster {
      msk_cluster_arn = var.source_cluster.arn
    }
    vpc_config {
      subnet_ids          = var.source_cluster.subnet_ids
      security_groups_ids = var.source_cluster.security_group_ids
    }
  }

  kafka_cluster {
    amazon_msk_cluster {
      msk_cluster_arn = var.target_cluster.arn
    }
    vpc_config {
      subnet_ids          = var.target_cluster.subnet_ids
      security_groups_ids = var.target_cluster.security_group_ids
    }
  }

  replication_info_list {
    source_kafka_cluster_arn = var.source_cluster.arn
    target_kafka_cluster_arn = var.target_cluster.arn
    target_compression_type  = var.compression

    topic_replication {
      topics_to_replicate                  = var.topics
      topics_to_exclude                    = var.topics_exclude
      copy_topic_configurations            = var.copy_configs
      copy_access_control_lists_for_topics = var.copy_acls
      detect_and_copy_new_topics           = true

      starting_position {
        type = upper(var.starting_position)
      }
      topic_name_configuration {
        type = var.identical_names ? "IDENTICAL" : "PREFIXED_WITH_SOURCE_CLUSTER_ALIAS"
      }
    }

    consumer_group_replication {
      consumer_groups_to_replicate        = var.groups
      consumer_groups_to_exclude          = var.groups_exclude
      detect_and_copy_new_consumer_groups = true
      synchronise_consumer_group_offsets  = var.sync_group_offsets
    }
  }

  depends_on = [aws_iam_role_policy.this]
}
