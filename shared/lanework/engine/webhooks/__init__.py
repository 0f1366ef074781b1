"""Webhook notifications: outbox, delivery, redelivery."""
