"""How a picture is put together, found by a walk over its file: nothing is decoded, so no file can make it costly."""
