"""Results: what is published of one model on one task, and the ways in and out of that form."""
