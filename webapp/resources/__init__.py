"""Resources: what each kind of record looks like, and the list of them all."""
