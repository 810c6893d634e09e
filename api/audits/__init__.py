"""The audit of hits on the API's side: which hits are asked again, and how that is counted."""
