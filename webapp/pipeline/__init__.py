"""Files in, files out: no Flask, no session, no clock."""
