"""What all grants of a network have in common: which URLs and addresses may be reached, and the way there."""
