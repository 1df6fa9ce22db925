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

run "ports_of_usual_brokers" {
  command = plan

  assert {
    condition     = { for key, it in aws_vpc_security_group_ingress_rule.clients : key => it.from_port } == { "10.10.0.0/16" = 9092 }
    error_message = "clients come to one port"
  }
  assert {
    condition     = { for key, it in aws_vpc_security_group_ingress_rule.brokers : key => it.from_port } == { broker = 9092, controller = 9093 }
    error_message = "brokers come to controllers, too"
  }
}

run "controllers_get_out_of_the_way" {
  command = plan
  variables {
    client_port = 9093
  }
  assert {
    condition     = output.controller_port == 9094 && { for key, it in aws_vpc_security_group_ingress_rule.brokers : key => it.from_port } == { broker = 9093, controller = 9094 }
    error_message = "no two rules are the same, and no client comes to controllers"
  }
  assert {
    condition     = { for key, it in aws_vpc_security_group_egress_rule.brokers : key => it.from_port } == { broker = 9093, controller = 9094 }
    error_message = "there and back"
  }
}

run "every_port_is_open" {
  command = plan
  variables {
    client_port       = 9094
    more_client_ports = [9093, 9094]
  }
  assert {
    condition     = { for key, it in aws_vpc_security_group_ingress_rule.clients : key => it.from_port } == { "10.10.0.0/16" = 9094, "9093-10.10.0.0/16" = 9093 }
    error_message = "clients come to both, and each is open once"
  }
  assert {
    condition     = { for key, it in aws_vpc_security_group_ingress_rule.brokers : key => it.from_port } == { broker = 9094, broker-9093 = 9093, controller = 9095 }
    error_message = "brokers come to each other at both"
  }
}

run "everybody_is_refused" {
  command = plan
  variables {
    clients = ["0.0.0.0/0"]
  }
  expect_failures = [var.clients]
}
