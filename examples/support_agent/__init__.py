"""A customer-service agent's recorded conversation, replayed step by step against a small in-memory shop."""
