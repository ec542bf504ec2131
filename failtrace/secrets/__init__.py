"""What a secret is: its names, its shapes, what assigns it, and a user's own rules. It reads no settings."""
