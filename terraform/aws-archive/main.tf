# Where records are kept, and the table that they are loaded into.

resource "aws_kms_key" "this" {
  description             = "Archive ${var.bucket_name}"
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

data "aws_partition" "current" {}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_144: the archive on premises is the copy elsewhere
  # checkov:skip=CKV2_AWS_62: nobody waits for objects; loads are started by the archive command
  # checkov:skip=CKV_AWS_18: a bucket for access records is the account's, and is named by log_bucket
  bucket = var.bucket_name
  tags   = var.tags

  lifecycle {
    # raw records settle disputes: they are not deleted by the way
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {
      prefix = ""
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = var.expire_old_versions_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EncryptedConnectionsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_logging" "this" {
  count = var.log_bucket == "" ? 0 : 1

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log_bucket
  target_prefix = "${var.bucket_name}/"
}

# what Redshift loads with
resource "aws_iam_role" "load" {
  name_prefix = substr("${replace(var.bucket_name, ".", "-")}-load-", 0, 38)
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "load" {
  name = "read-archive"
  role = aws_iam_role.load.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:ListBucket", "s3:GetBucketLocation"], Resource = [aws_s3_bucket.this.arn] },
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.this.arn}/*"] },
      { Effect = "Allow", Action = ["kms:Decrypt"], Resource = [aws_kms_key.this.arn] },
    ]
  })
}

# Statements run once, when they are created: they do nothing where the schema or a table is there already.
resource "aws_redshiftdata_statement" "schema" {
  count = var.redshift == null ? 0 : 1

  workgroup_name     = var.redshift.workgroup
  cluster_identifier = var.redshift.cluster
  db_user            = var.redshift.user
  database           = var.redshift.database
  statement_name     = "schema ${var.schema}"
  sql                = "CREATE SCHEMA IF NOT EXISTS ${var.schema}"
}

resource "aws_redshiftdata_statement" "table" {
  for_each = var.redshift == null ? [] : var.tables

  workgroup_name     = var.redshift.workgroup
  cluster_identifier = var.redshift.cluster
  db_user            = var.redshift.user
  database           = var.redshift.database
  statement_name     = "table ${var.schema}.${each.key}"
  sql                = trimspace(templatefile("${path.module}/tweets.sql.tftpl", { schema = var.schema, table = each.key }))

  depends_on = [aws_redshiftdata_statement.schema]
}

# there was one table before there were several
moved {
  from = aws_redshiftdata_statement.table[0]
  to   = aws_redshiftdata_statement.table["hybrid_tweets"]
}
