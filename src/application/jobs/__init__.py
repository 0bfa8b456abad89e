"""What people do about jobs."""
