output "arn" {
  description = "The ARN of the cluster."
  value       = aws_msk_cluster.this.arn
}

output "bootstrap_brokers_iam" {
  description = "Brokers for clients that log in with IAM."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_iam
}

output "bootstrap_brokers_scram" {
  description = "Brokers for clients that log in with SCRAM."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
}

output "bootstrap_brokers_tls" {
  description = "Brokers for clients that log in with a certificate."
  value       = aws_msk_cluster.this.bootstrap_brokers_tls
}

output "security_group_id" {
  description = "The group of the brokers."
  value       = aws_security_group.brokers.id
}

output "kms_key_arn" {
  description = "The key that data and logs are encrypted with."
  value       = module.log.kms_key_arn
}
