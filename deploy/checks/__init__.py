"""The parts of deploy/check. Standard library only: it runs where an operator has Docker and Python."""
