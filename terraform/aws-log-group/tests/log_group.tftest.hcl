mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "000000000000" }
  }
}

variables {
  name            = "/mirrorctl/kafka/brokers"
  key_description = "Kafka cluster kafka"
  retention_days  = 365
}

run "the_key_encrypts_this_group_alone" {
  command = apply

  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Statement[1].Condition.ArnEquals["kms:EncryptionContext:aws:logs:arn"] == "arn:aws:logs:eu-west-1:000000000000:log-group:/mirrorctl/kafka/brokers"
    error_message = "bound to the group"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == aws_kms_key.this.arn && aws_kms_key.this.enable_key_rotation
    error_message = "encrypted, with a key that rotates"
  }
}

run "a_name_that_is_none" {
  command = plan
  variables {
    name = "a b"
  }
  expect_failures = [var.name]
}
