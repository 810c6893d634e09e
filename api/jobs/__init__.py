"""Jobs as the API handles them: accepted, found, waited for."""
