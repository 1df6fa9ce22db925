# One Kafka cluster on HDInsight, with the storage account that HDInsight keeps its own files in.

locals {
  # storage accounts have names of their own in all of Azure: 24 small letters and digits
  storage_name = substr("${substr(replace(lower(var.name), "-", ""), 0, 12)}${sha256("${var.resource_group_name}/${var.name}")}", 0, 24)
}

resource "azurerm_storage_account" "this" {
  # checkov:skip=CKV_AZURE_33: HDInsight uses blobs, no queues
  # checkov:skip=CKV_AZURE_59: HDInsight's nodes reach the account by its public endpoint, with its key; containers are private
  # checkov:skip=CKV_AZURE_206: the replication is a variable, zone-redundant unless chosen otherwise
  # checkov:skip=CKV2_AZURE_1: it holds HDInsight's own files; records are on the brokers' disks
  # checkov:skip=CKV2_AZURE_33: HDInsight creates clusters with accounts that it reaches by their public endpoint
  # checkov:skip=CKV2_AZURE_40: HDInsight logs in to the account with its key
  name                            = local.storage_name
  resource_group_name             = var.resource_group_name
  location                        = var.location
  account_kind                    = "StorageV2"
  account_tier                    = "Standard"
  account_replication_type        = var.storage_replication
  min_tls_version                 = "TLS1_2"
  https_traffic_only_enabled      = true
  allow_nested_items_to_be_public = false
  local_user_enabled              = false
  shared_access_key_enabled       = true
  tags                            = var.tags

  blob_properties {
    delete_retention_policy {
      days = 7
    }
  }

  sas_policy {
    expiration_period = "01.00:00:00"
  }
}

resource "azurerm_storage_container" "this" {
  # checkov:skip=CKV2_AZURE_21: what HDInsight reads of its own files says nothing about who read records
  name                  = "hdinsight"
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_hdinsight_kafka_cluster" "this" {
  name                          = var.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  cluster_version               = var.cluster_version
  tier                          = "Standard"
  tls_min_version               = "1.2"
  encryption_in_transit_enabled = true
  tags                          = var.tags

  component_version {
    kafka = var.kafka_version
  }

  gateway {
    username = var.login_username
    password = var.login_password
  }

  storage_account {
    storage_container_url = "${azurerm_storage_account.this.primary_blob_endpoint}${azurerm_storage_container.this.name}"
    storage_account_key   = azurerm_storage_account.this.primary_access_key
    is_default            = true
  }

  roles {
    head_node {
      vm_size            = var.head_vm_size
      username           = var.ssh_username
      password           = var.ssh_password
      virtual_network_id = var.virtual_network_id
      subnet_id          = var.subnet_id
    }

    worker_node {
      vm_size                  = var.worker_vm_size
      username                 = var.ssh_username
      password                 = var.ssh_password
      number_of_disks_per_node = var.disks_per_worker
      target_instance_count    = var.worker_count
      virtual_network_id       = var.virtual_network_id
      subnet_id                = var.subnet_id
    }

    zookeeper_node {
      vm_size            = var.zookeeper_vm_size
      username           = var.ssh_username
      password           = var.ssh_password
      virtual_network_id = var.virtual_network_id
      subnet_id          = var.subnet_id
    }
  }
}
