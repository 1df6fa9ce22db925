# Who talked to whom.

module "log" {
  source = "../aws-log-group"

  name            = "/mirrorctl/${var.name}/flows"
  key_description = "Flow logs of ${var.name}"
  retention_days  = var.log_retention_days
  tags            = local.tags
}

resource "aws_iam_role" "flows" {
  name_prefix = substr("${var.name}-flows-", 0, 38)
  tags        = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flows" {
  name = "write-flows"
  role = aws_iam_role.flows.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = ["${module.log.arn}:*"]
    }]
  })
}

resource "aws_flow_log" "this" {
  vpc_id               = aws_vpc.this.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = module.log.arn
  iam_role_arn         = aws_iam_role.flows.arn
  tags                 = local.tags
}
