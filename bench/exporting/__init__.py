"""What ``bench.exports`` runs in processes of their own: our job, and what it is compared with."""
