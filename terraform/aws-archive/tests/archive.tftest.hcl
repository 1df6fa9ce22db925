mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock" }
  }
}

variables {
  bucket_name = "hybrid-archive"
  redshift    = { workgroup = "poc", database = "dev" }
}

run "private_versioned_encrypted" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "private and versioned"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "encrypted with a key of its own"
  }
  assert {
    condition     = length(regexall("(?m)^  \\w+ (bigint|varchar\\(\\d+\\)),?$", aws_redshiftdata_statement.table[0].sql)) == 15
    error_message = "fifteen columns"
  }
}

run "without_redshift" {
  command = plan
  variables {
    redshift = null
  }
  assert {
    condition     = length(aws_redshiftdata_statement.table) == 0
    error_message = "no table without a database"
  }
}

run "one_redshift_only" {
  command = plan
  variables {
    redshift = { workgroup = "poc", cluster = "poc", database = "dev" }
  }
  expect_failures = [var.redshift]
}
