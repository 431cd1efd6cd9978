"""What every web framework's adapter shares: it decides, the adapters translate. No framework is imported here."""
