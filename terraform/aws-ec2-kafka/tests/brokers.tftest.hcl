mock_provider "aws" {
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-west-1a" }
  }
}

variables {
  name       = "kafka"
  vpc_id     = "vpc-0"
  subnet_ids = ["subnet-a", "subnet-b"]
  clients    = ["10.10.0.0/16"]
  zone       = "kafka.aws.example"
  zone_id    = "Z0"
}

run "brokers_over_zones" {
  command = plan

  assert {
    condition     = [for name in ["b-1", "b-2", "b-3"] : aws_instance.broker[name].subnet_id] == ["subnet-a", "subnet-b", "subnet-a"]
    error_message = "subnets are taken in turns"
  }
  assert {
    condition     = output.bootstrap_servers == ["b-1.kafka.aws.example:9092", "b-2.kafka.aws.example:9092", "b-3.kafka.aws.example:9092"]
    error_message = "brokers are known by name"
  }
  assert {
    condition     = alltrue([for disk in values(aws_ebs_volume.data) : disk.encrypted]) && alltrue([for machine in values(aws_instance.broker) : machine.metadata_options[0].http_tokens == "required" && !machine.associate_public_ip_address])
    error_message = "encrypted, and private"
  }
}

run "everybody_is_refused" {
  command = plan
  variables {
    clients = ["0.0.0.0/0"]
  }
  expect_failures = [var.clients]
}
