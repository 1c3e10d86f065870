"""What is shown: works, their folders, dates and settings."""
