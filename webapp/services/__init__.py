"""The verbs of the house: called alike by a route, a task, the command line and a test."""
