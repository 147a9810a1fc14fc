"""Where time goes, as flame graphs: of the host by py-spy, of the guest by Linux's perf."""
