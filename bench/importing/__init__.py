"""What ``bench.imports`` runs: our job, and the programs that it is compared with."""
