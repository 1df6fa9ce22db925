variable "name" {
  description = "The name of the cluster, which is part of its public address NAME.azurehdinsight.net."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,57}[A-Za-z0-9]$", var.name))
    error_message = "3 to 59 letters, digits and hyphens, with a letter or digit at both ends"
  }
}

variable "resource_group_name" {
  description = "The resource group that the cluster lies in."
  type        = string
}

variable "location" {
  description = "The Azure region."
  type        = string
}

variable "virtual_network_id" {
  description = "The network of the nodes. Its name servers have to answer before the cluster is created."
  type        = string
}

variable "subnet_id" {
  description = "The subnet of the nodes."
  type        = string
}

variable "worker_count" {
  description = "How many brokers. HDInsight deploys Kafka with three worker nodes or more."
  type        = number
  default     = 3

  validation {
    condition     = var.worker_count >= 3 && floor(var.worker_count) == var.worker_count
    error_message = "HDInsight deploys Kafka with three worker nodes or more"
  }
}

variable "worker_vm_size" {
  description = "The size of the brokers."
  type        = string
  default     = "Standard_D3_V2"
}

variable "head_vm_size" {
  description = "The size of the two head nodes."
  type        = string
  default     = "Standard_D3_V2"
}

variable "zookeeper_vm_size" {
  description = "The size of the three ZooKeeper nodes."
  type        = string
  default     = "Standard_A4_V2"
}

variable "disks_per_worker" {
  description = "How many managed disks of 1 TB each broker has."
  type        = number
  default     = 2

  validation {
    condition     = var.disks_per_worker >= 1 && var.disks_per_worker <= 8
    error_message = "one disk to eight"
  }
}

variable "cluster_version" {
  description = "The version of HDInsight."
  type        = string
  default     = "5.1"
}

variable "kafka_version" {
  description = "The version of Kafka, of those that the version of HDInsight offers."
  type        = string
  default     = "3.2"
}

variable "login_username" {
  description = "Who logs in to Ambari."
  type        = string
  default     = "admin"
}

variable "login_password" {
  description = "The password for Ambari. Another one than for SSH."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.login_password) >= 10 && can(regex("[a-z]", var.login_password)) && can(regex("[A-Z]", var.login_password)) && can(regex("[0-9]", var.login_password)) && can(regex("[^A-Za-z0-9'\"`\\\\]", var.login_password))
    error_message = "ten characters or more, with a small and a capital letter, a digit, and one that is neither (nor a quote or backslash)"
  }
}

variable "ssh_username" {
  description = "Who logs in to the nodes."
  type        = string
  default     = "sshuser"

  validation {
    condition     = !contains(["admin", "root"], var.ssh_username)
    error_message = "HDInsight keeps this name to itself"
  }
}

variable "ssh_password" {
  description = "The password of who logs in to the nodes. Another one than for Ambari."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.ssh_password) >= 10 && can(regex("[a-z]", var.ssh_password)) && can(regex("[A-Z]", var.ssh_password)) && can(regex("[0-9]", var.ssh_password)) && can(regex("[^A-Za-z0-9'\"`\\\\]", var.ssh_password))
    error_message = "ten characters or more, with a small and a capital letter, a digit, and one that is neither (nor a quote or backslash)"
  }
  validation {
    condition     = var.ssh_password != var.login_password
    error_message = "HDInsight refuses one password for both"
  }
}

variable "storage_replication" {
  description = "How the cluster's storage account is replicated."
  type        = string
  default     = "ZRS"

  validation {
    condition     = contains(["LRS", "GRS", "RAGRS", "ZRS", "GZRS", "RAGZRS"], var.storage_replication)
    error_message = "one of LRS, GRS, RAGRS, ZRS, GZRS, RAGZRS"
  }
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
