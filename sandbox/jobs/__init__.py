"""Programs as values: a job says what to run, where it runs is decided later."""
