"""Networks: policies, rewards, values on one base, the batches they read, what they leave."""
