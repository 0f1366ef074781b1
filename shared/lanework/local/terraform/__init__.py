"""A Terraform module of what a template says."""
