output "name" {
  description = "The name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "arn" {
  description = "The ARN of the log group."
  value       = aws_cloudwatch_log_group.this.arn
}

output "kms_key_arn" {
  description = "The key that the logs are encrypted with."
  value       = aws_kms_key.this.arn
}
