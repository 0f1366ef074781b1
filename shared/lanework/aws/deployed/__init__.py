"""What is deployed, as AWS describes it: the doctor's eyes. No function needs it."""
