"""What makes new weights of old ones and their gradients."""
