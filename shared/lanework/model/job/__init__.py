"""What a job is made of: envelope, payload, headers, ids, errors. Pure."""
