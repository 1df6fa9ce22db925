mock_provider "azurerm" {
  mock_resource "azurerm_storage_account" {
    defaults = {
      id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Storage/storageAccounts/mock"
      primary_blob_endpoint = "https://mock.blob.core.windows.net/"
      # not a key of any account
      primary_access_key = "bW9jaw=="
    }
  }
}

variables {
  name                = "source-mirror"
  resource_group_name = "kafka"
  location            = "westeurope"
  virtual_network_id  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock/subnets/kafka"
  login_password      = "Only-for-tests-1"
  ssh_password        = "Only-for-tests-2"
}

run "a_cluster" {
  command = apply

  assert {
    condition     = azurerm_hdinsight_kafka_cluster.this.roles[0].worker_node[0].target_instance_count == 3
    error_message = "three brokers unless more are asked for"
  }
  assert {
    condition     = length(azurerm_storage_account.this.name) == 24 && startswith(azurerm_storage_account.this.name, "sourcemirror")
    error_message = "the storage account is named after the cluster"
  }
  assert {
    condition     = one(azurerm_hdinsight_kafka_cluster.this.storage_account).storage_container_url == "https://mock.blob.core.windows.net/hdinsight"
    error_message = "the container of its own account"
  }
}

run "two_workers_are_refused" {
  command = plan
  variables {
    worker_count = 2
  }
  expect_failures = [var.worker_count]
}

run "one_password_for_both_is_refused" {
  command = plan
  variables {
    ssh_password = "Only-for-tests-1"
  }
  expect_failures = [var.ssh_password]
}

run "a_weak_password_is_refused" {
  command = plan
  variables {
    login_password = "onlyfortests"
  }
  expect_failures = [var.login_password]
}
