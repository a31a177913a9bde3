"""HTTP/1.1 on the loop's own transports: as much of it as one POST at a time needs."""
