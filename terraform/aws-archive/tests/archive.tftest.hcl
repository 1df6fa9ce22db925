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
    condition     = length(regexall("(?m)^  \\w+ (bigint|varchar\\(\\d+\\)),?$", aws_redshiftdata_statement.table["hybrid_tweets"].sql)) == 15
    error_message = "fifteen columns"
  }
}

run "tables_of_other_names" {
  command = plan
  variables {
    schema = "arc"
    tables = ["posts_tweets", "mytab"]
  }
  assert {
    condition     = one(aws_redshiftdata_statement.schema[*].sql) == "CREATE SCHEMA IF NOT EXISTS arc"
    error_message = "the schema"
  }
  assert {
    condition     = { for key, it in aws_redshiftdata_statement.table : key => split("(", it.sql)[0] } == { mytab = "CREATE TABLE IF NOT EXISTS arc.mytab ", posts_tweets = "CREATE TABLE IF NOT EXISTS arc.posts_tweets " }
    error_message = "a table each"
  }
}

run "what_is_no_name_is_refused" {
  command = plan
  variables {
    schema = "poc; drop"
    tables = ["1st"]
  }
  expect_failures = [var.schema, var.tables]
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
