"""`askonce ask`: what is asked, and how the answer comes."""
