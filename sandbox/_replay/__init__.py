"""Records of what a guest was told and what it did, and runs of the guest by them, without the host."""
