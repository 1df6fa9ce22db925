output "id" {
  description = "The id of the cluster."
  value       = azurerm_hdinsight_kafka_cluster.this.id
}

output "ambari_endpoint" {
  description = "Where Ambari answers. Its REST API tells the brokers' names."
  value       = "https://${azurerm_hdinsight_kafka_cluster.this.https_endpoint}"
}

output "ssh_endpoint" {
  description = "Where SSH answers."
  value       = azurerm_hdinsight_kafka_cluster.this.ssh_endpoint
}

output "storage_account_name" {
  description = "The storage account of the cluster."
  value       = azurerm_storage_account.this.name
}
