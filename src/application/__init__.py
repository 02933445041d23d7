"""What people and programs can do: one use case a file, and the ports through which they reach the world."""
