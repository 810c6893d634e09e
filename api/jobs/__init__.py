"""Jobs in the API: accepted, read, waited for."""
