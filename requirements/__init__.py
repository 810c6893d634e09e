"""What is installed: the locks that `make lock` compiles, and what reads them."""
