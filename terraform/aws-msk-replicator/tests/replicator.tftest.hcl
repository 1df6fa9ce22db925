mock_provider "aws" {}

variables {
  name           = "mirror"
  source_cluster = { arn = "arn:aws:kafka:eu-west-1:000000000000:cluster/source/0000-1", subnet_ids = ["subnet-a", "subnet-b"], security_group_ids = ["sg-0"] }
  target_cluster = { arn = "arn:aws:kafka:eu-west-1:000000000000:cluster/dest/0000-2", subnet_ids = ["subnet-a", "subnet-b"], security_group_ids = ["sg-0"] }
}

run "the_role_knows_two_clusters" {
  command = apply

  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[1].Resource == ["arn:aws:kafka:eu-west-1:000000000000:topic/source/0000-1/*", "arn:aws:kafka:eu-west-1:000000000000:topic/dest/0000-2/*"]
    error_message = "topics of these clusters only"
  }
  assert {
    condition     = aws_msk_replicator.this.replication_info_list[0].topic_replication[0].topic_name_configuration[0].type == "IDENTICAL"
    error_message = "topics keep their names"
  }
}

run "not_to_itself" {
  command = plan
  variables {
    target_cluster = { arn = "arn:aws:kafka:eu-west-1:000000000000:cluster/source/0000-1", subnet_ids = ["subnet-a", "subnet-b"], security_group_ids = ["sg-0"] }
  }
  expect_failures = [var.target_cluster]
}
